import { createInterface } from 'node:readline/promises';
import { type Citation, type CiteOptions, findCited, quotesOf } from './cite.ts';
import type { Polyseek, Question, Result } from './client.ts';
import { LIMITS } from './limits.ts';
import { printable, printableJson } from './printable.ts';

export const nothing = 'Nothing here matches your question.';
/** Precedes quotations with the verdict `possible`. */
export const close = 'These passages are close to your question:';

/** Writes the answer to a question from one or more passages, best first, or says that they have none. Cites the first as [1]. */
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
  /** Writes the answer. It gets the closest passages whatever the verdict, and their confidence. Default: `quote`. */
  answer?: Answerer;
}

/**
 * Answers a question and lists the cited passages. Without `answer`, quotes them if they answer the question or may do so.
 * Rejects with a `PolyseekError`, or with an error of `answer`.
 */
export async function reply(client: Searcher, q: string, options: ReplyOptions = {}): Promise<string> {
  return (await replyWithPassages(client, q, options)).text;
}

/** Does the same as `reply`, and returns the passages and the verdict too. */
export async function replyWithPassages(
  client: Searcher,
  q: string,
  { answer, ...options }: ReplyOptions = {},
): Promise<Reply> {
  const { verdict, passages } = await findCited((question) => client.search(question), { q }, options);
  if (passages.length === 0 || (verdict === 'none' && !answer)) return { text: nothing, verdict, passages };
  const preface = verdict === 'possible' && !answer ? [close] : [];
  const said = await (answer ?? quote)(q, passages);
  const sources = passages.flatMap(({ title, url, source, anchor }, i) => {
    const place = url ?? (anchor ? `${source}#${anchor}` : source);
    const number = `[${i + 1}]`;
    return said.includes(number) ? `${number} ${title}, ${place}` : [];
  });
  return { text: [...preface, said, ...sources].join('\n'), verdict, passages };
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
        const content = said.text.replace(`${close}\n`, '').slice(0, LIMITS.turnCharacters);
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
