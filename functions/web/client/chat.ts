import { createInterface } from 'node:readline/promises';
import { type Citation, type CiteOptions, findCited, quotesOf } from './cite.ts';
import type { Polyseek, Question, Result } from './client.ts';
import { LIMITS } from './limits.ts';
import { printable, printableJson } from './printable.ts';

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

export type Searcher = Pick<Polyseek, 'search'>;

/** A reply, and where it comes from. */
export interface Reply extends Citation {
  /** The text, with the list of cited passages. */
  text: string;
}

export interface ReplyOptions extends CiteOptions {
  /** Writes the answer. Default: `quote`. */
  answer?: Answerer;
}

/**
 * Answers a question and lists the cited passages. Starts with "I'm not sure." if the best passage only may answer it. Returns "I
 * don't know." if none does.
 * Rejects with a `PolyseekError`, or with an error of `answer`.
 */
export async function reply(client: Searcher, q: string, options: ReplyOptions = {}): Promise<string> {
  return (await replyWithPassages(client, q, options)).text;
}

/** Does the same as `reply`, and returns the cited passages and the verdict too. */
export async function replyWithPassages(
  client: Searcher,
  q: string,
  { answer = quote, ...options }: ReplyOptions = {},
): Promise<Reply> {
  const { verdict, passages } = await findCited((question) => client.search(question), { q }, options);
  if (verdict === 'none') return { text: unknown, verdict, passages };
  const sources = passages.map(({ title, url, source, anchor, confidence }, i) => {
    const place = url ?? (anchor ? `${source}#${anchor}` : source);
    return `[${i + 1}] ${title}, ${place} (${Math.round(confidence * 100)} %)`;
  });
  const preface = verdict === 'possible' ? [unsure] : [];
  return { text: [...preface, await answer(q, passages), ...sources].join('\n'), verdict, passages };
}

/**
 * Answers each line of standard input until it ends. Prints the message of an error instead of an answer.
 * @param options.json prints one line of JSON for each question, with the fields of `Reply` or `error`, and no prompt
 */
export async function chat(
  client: Searcher,
  { json = false, ...options }: ReplyOptions & { json?: boolean } = {},
): Promise<void> {
  const history: NonNullable<Question['history']> = [];
  const lines = createInterface({
    input: process.stdin,
    ...(!json && { output: process.stdout, prompt: '> ' }),
  });
  const prompt = () => {
    if (!json) lines.prompt();
  };
  /** Prints a reply, or the error that replaces it. */
  const print = (text: string, q: string, fields: object) =>
    console.log(json ? printableJson(JSON.stringify({ q, ...fields })) : `${printable(text)}\n`);
  prompt();
  for await (const line of lines) {
    const q = line.trim();
    if (q !== '') {
      const asked = { ...options, history: history.slice(-LIMITS.turns) };
      try {
        const said = await replyWithPassages(client, q, asked);
        print(said.text, q, said);
        // Searches use the first words of an answer, so they must be about its topic.
        const content = said.text.replace(`${unsure}\n`, '').slice(0, LIMITS.turnCharacters);
        if (said.verdict !== 'none')
          history.push({ role: 'user', content: q }, { role: 'assistant', content });
      } catch (error) {
        const { message } = error as Error;
        print(message, q, { error: message });
      }
    }
    prompt();
  }
}
