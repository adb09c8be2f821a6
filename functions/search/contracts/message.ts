import { timingSafeEqual } from 'node:crypto';
import type { Answer, SearchResult } from '../../../index/search/answer.ts';
import type { SentHeaders } from '../tokens.ts';
import type { Refusal } from './contract.ts';

/** A request of a chat. Its signature covers `text`, the body. */
export interface Received {
  headers: SentHeaders;
  text: string;
}

/** Runs a search with the body of `POST /search`. `linkTo` returns the public URL of a result. */
export type Search = (question: {
  q: string;
  k: number;
}) => Promise<{ found: Answer | Refusal; linkTo: (result: SearchResult) => string }>;

/** What a chat shows, as plain text: a line about the answer, and passages. A `url` begins with `http`. */
export interface Message {
  line?: string | undefined;
  quotes: { sentence: string; title: string; url: string | undefined }[];
}

const MOST_QUOTES = 3;
// In characters, each of which may become 5. Slack refuses texts above 3,000.
const MOST_TEXT = 500;
export const MOST_TITLE = 150;
const MOST_URL = 2000;

const LINES = {
  answered: undefined,
  possible: 'These passages are close to your question.',
  none: 'Nothing here matches your question.',
};

export function shorten(text: string, characters = MOST_TEXT): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > characters ? `${line.slice(0, characters - 1).toWellFormed()}…` : line;
}

/** A URL that is short enough for a link. Documents may have relative ones. */
export function absolute(link: string): string | undefined {
  const url = URL.canParse(link) ? new URL(link).href : '';
  return /^https?:/.test(url) && url.length <= MOST_URL ? url : undefined;
}

/** Answers a question. Quotes no passages that probably do not answer it. */
export async function answerQuestion(q: string, search: Search): Promise<Message> {
  if (q === '') return { line: 'Add a question, such as: How long does a renewal take?', quotes: [] };
  const { found, linkTo } = await search({ q, k: MOST_QUOTES });
  if (!('results' in found)) return { line: shorten(found.detail), quotes: [] };
  const quotes = found.results.map((result) => ({
    sentence: shorten(result.highlight.text || result.text),
    title: shorten(result.title || result.source, MOST_TITLE),
    url: absolute(linkTo(result)),
  }));
  return { line: LINES[found.verdict], quotes: found.verdict === 'none' ? [] : quotes };
}

/** Escapes a text for Slack's markup, and for HTML outside of tags. */
export const escapeTags = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The text of a message without its mentions and tags: `<@U1>` in Slack, `<at>Bot</at>` and `<p>` in Teams. */
export const questionOf = (text: string): string =>
  text
    .replace(/<at[^>]*>.*?<\/at>|<[^>]*>|&nbsp;/gs, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .trim();

/** Whether a signature is the expected one. The time does not depend on where they differ. */
export function isEqual(given: string | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
