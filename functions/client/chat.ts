import { createInterface } from 'node:readline/promises';
import type { Polyseek, Question, Result } from './client.ts';
import { LIMITS } from './limits.ts';

/** Something said before a question. */
type Turn = NonNullable<Question['history']>[number];

export const unknown = "I don't know.";

/** Writes the answer to a question from passages, best first, of which there is at least one; cites the first as [1]. */
export type Answerer = (question: string, passages: Result[]) => string | Promise<string>;

/** Answers in the documents' own words: with the best passage, and of each other one with its nearest sentence. */
export const quote: Answerer = (_, passages) => {
  const texts = passages.map(({ text, highlight }, i) => (i === 0 ? text : highlight.text));
  return texts.map((text, i) => `“${text.trim()}” [${i + 1}]`).join('\n');
};

export interface ReplyOptions {
  /** Who writes the answer. */
  answer?: Answerer;
  /** How certain a passage must be for the answer to rest on it, 0 to 1. */
  minConfidence?: number;
  /** How many passages the answer may rest on. */
  k?: number;
  /** What was said before, oldest first: a question may go on from it. */
  history?: Turn[];
}

/** The answer to a question with the passages that it cites, or "I don't know." where no passage is certain enough. */
export async function reply(
  client: Polyseek,
  q: string,
  { answer = quote, minConfidence = 0.5, k = 3, history = [] }: ReplyOptions = {},
): Promise<string> {
  let { results } = await client.search({ q, k, minConfidence, history });
  // What was said before helps a question that goes on from it; one that does not may be answered better without.
  if (results.length === 0 && history.length > 0)
    ({ results } = await client.search({ q, k, minConfidence }));
  if (results.length === 0) return unknown;
  const sources = results.map(({ title, url, source, confidence }, i) => {
    return `[${i + 1}] ${title}, ${url ?? source} (${Math.round(confidence * 100)} %)`;
  });
  return [await answer(q, results), ...sources].join('\n');
}

/** Answers each line of standard input that is not empty, until its end. A failure is told in place of an answer. */
export async function chat(client: Polyseek, options: ReplyOptions = {}): Promise<void> {
  const history: Turn[] = [];
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  lines.prompt();
  for await (const line of lines) {
    const question = line.trim();
    if (question !== '') {
      const asked = { ...options, history: history.slice(-LIMITS.turns) };
      const said = await reply(client, question, asked).catch((error: Error) => error);
      console.log(`${said instanceof Error ? said.message : said}\n`);
      if (typeof said === 'string' && said !== unknown) {
        const content = said.slice(0, LIMITS.turnCharacters);
        history.push({ role: 'user', content: question }, { role: 'assistant', content });
      }
    }
    lines.prompt();
  }
}
