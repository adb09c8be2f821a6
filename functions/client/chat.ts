import { createInterface } from 'node:readline/promises';
import { type CiteOptions, findCited, quotesOf } from './cite.ts';
import type { Polyseek, Question, Result } from './client.ts';
import { LIMITS } from './limits.ts';

export const unknown = "I don't know.";
/** Precedes an answer to a question with the verdict `possible`. */
export const unsure = "I'm not sure.";

/** Writes the answer to a question from one or more passages, best first. Cites the first passage as [1]. */
export type Answerer = (question: string, passages: Result[]) => string | Promise<string>;

/** Quotes the documents: the best passage, and the best matching sentence of each other passage. */
export const quote: Answerer = (_, passages) =>
  quotesOf(passages)
    .map((text, i) => `“${text}” [${i + 1}]`)
    .join('\n');

export interface ReplyOptions extends CiteOptions {
  /** Writes the answer. Default: `quote`. */
  answer?: Answerer;
}

/**
 * Answers a question and lists the cited passages. Starts with "I'm not sure." if the best passage only may answer it. Returns "I
 * don't know." if none does.
 * Rejects with a `PolyseekError`, or with an error of `answer`.
 */
export async function reply(
  client: Polyseek,
  q: string,
  { answer = quote, ...options }: ReplyOptions = {},
): Promise<string> {
  const { verdict, passages } = await findCited((question) => client.search(question), { q }, options);
  if (verdict === 'none') return unknown;
  const sources = passages.map(({ title, url, source, anchor, confidence }, i) => {
    const place = url ?? (anchor ? `${source}#${anchor}` : source);
    return `[${i + 1}] ${title}, ${place} (${Math.round(confidence * 100)} %)`;
  });
  const preface = verdict === 'possible' ? [unsure] : [];
  return [...preface, await answer(q, passages), ...sources].join('\n');
}

/** Answers each line of standard input until it ends. Prints the message of an error instead of an answer. */
export async function chat(client: Polyseek, options: ReplyOptions = {}): Promise<void> {
  const history: NonNullable<Question['history']> = [];
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  lines.prompt();
  for await (const line of lines) {
    const question = line.trim();
    if (question !== '') {
      const asked = { ...options, history: history.slice(-LIMITS.turns) };
      const said = await reply(client, question, asked).catch((error: Error) => error);
      console.log(`${said instanceof Error ? said.message : said}\n`);
      if (typeof said === 'string' && said !== unknown) {
        // Searches use the first words of an answer, so they must be about its topic.
        const content = said.replace(`${unsure}\n`, '').slice(0, LIMITS.turnCharacters);
        history.push({ role: 'user', content: question }, { role: 'assistant', content });
      }
    }
    lines.prompt();
  }
}
