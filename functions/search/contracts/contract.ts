import * as v from 'valibot';
import type { Answer, SearchResult } from '../../../index/search/answer.ts';
import { LIMITS } from '../../../index/search/limits.ts';
import { InvalidRequest } from '../../../index/store/store.ts';
import { searchBody } from '../request-schemas.ts';
import type { SentHeaders } from '../tokens.ts';

/** The body of `POST /search`, which validates it. */
type Question = Record<string, unknown>;

/** The JSON of an error of `POST /search`. */
export interface Refusal {
  status: number;
  detail: string;
}

/** The form in which a platform asks an outside retriever by POST: only a translation to and from `POST /search`. */
export interface Contract {
  /** The route after `/c/NAME`. The group `id` names the index. */
  path: RegExp;
  /**
   * Translates the request's body. `id` names the index if the path does not.
   * @throws a 400 `Problem` or an `InvalidRequest`
   */
  ask: (body: string) => Question & { id?: string };
  /** @param linkTo the public URL of a result */
  answer: (answer: Answer, linkTo: (result: SearchResult) => string) => unknown;
  /** Default: the error as it is (RFC 9457). */
  refuse?: (refusal: Refusal, headers: SentHeaders) => unknown;
}

// Platforms send null for what is not set. Errors name a field as the platform does.
const { k, minConfidence } = searchBody.entries;
export const { q: question } = searchBody.entries;
export const count = v.nullish(k.wrapped, LIMITS.k.default);
export const threshold = v.nullish(minConfidence.wrapped);

/** The document's metadata with its place, for platforms that show or filter it. */
export const attributesOf = ({ metadata, title, source, lang }: SearchResult) => ({
  ...metadata,
  title,
  source,
  lang,
});

/** A part of a platform's filter: a condition on a field, or a list of parts. */
interface Part {
  operator: unknown;
  field?: unknown;
  value?: unknown;
  parts?: unknown;
}

const OPERATORS = new Map<unknown, 'any' | 'and' | 'or'>([
  ...['eq', 'equals', 'is', '=', 'in'].map((name) => [name, 'any'] as const),
  ...['and', 'andAll'].map((name) => [name, 'and'] as const),
  ...['or', 'orAll'].map((name) => [name, 'or'] as const),
]);

const POSSIBLE =
  'The filter of a search has fields that must all match, each with any of its values. Use equality and in, joined by and; join conditions on the same field by or.';

const impossible = (reason: string) => new InvalidRequest(`${reason} ${POSSIBLE}`);

/** Platforms limit this more. A deeper filter could exhaust the stack. */
const MOST_LEVELS = 10;

/**
 * Translates a platform's filter into that of `POST /search`.
 * @param read names the parts of an object of the platform's
 * @throws an `InvalidRequest` for what it cannot express
 */
export function toFilter(from: object | null | undefined, read: (node: object) => Part): { filter?: object } {
  return from ? { filter: Object.fromEntries(fieldsOf(from, read)) } : {};
}

function fieldsOf(node: unknown, read: (node: object) => Part, level = 0): Map<string, unknown[]> {
  if (typeof node !== 'object' || node === null || level > MOST_LEVELS)
    throw impossible('A part of the filter is not an object, or too deep.');
  const { operator, field, value, parts } = read(node);
  const meaning = OPERATORS.get(operator);
  if (meaning === 'any' && typeof field === 'string') return new Map([[field, [value].flat()]]);
  if (!meaning || !Array.isArray(parts))
    throw impossible(`The filter's operator ${JSON.stringify(operator)} is not supported here.`);
  const inner = parts.map((part) => fieldsOf(part, read, level + 1));
  const fields = inner.flatMap((part) => [...part]);
  const names = new Set(fields.map(([name]) => name));
  if (meaning === 'and' && names.size === fields.length) return new Map(fields);
  const isOneEach = inner.every((part) => part.size === 1);
  if (meaning === 'and' || names.size !== 1 || !isOneEach)
    throw impossible('The filter joins conditions in a way that is not possible here.');
  return new Map([...names].map((name) => [name, fields.flatMap(([, values]) => values)]));
}
