import * as v from 'valibot';
import type { SearchRequest } from '../../index/search/answer.ts';
import type { HttpRequest } from './http.ts';
import { type FieldError, Problem } from './problems.ts';
import {
  exampleQuestion,
  fetchArguments,
  passageParameters,
  searchArguments,
  searchBody,
  searchParameters,
} from './schemas.ts';

const maxBodyBytes = 64 * 1024;
const exampleBody = JSON.stringify({ q: exampleQuestion });
const exampleUrl = `/search?${new URLSearchParams({ q: exampleQuestion })}`;

/** Names that other search services use, and what they give there. */
const otherNames = new Map<unknown, 'question' | 'number' | 'history'>([
  ['q', 'question'],
  ['query', 'question'],
  ['question', 'question'],
  ['limit', 'number'],
  ['size', 'number'],
  ['top_k', 'number'],
  ['topK', 'number'],
  ['history', 'history'],
  ['messages', 'history'],
]);

const listNames = new Set(['lang', 'source']);
const numberNames = new Set(['k', 'minConfidence', 'context', 'maxCharacters']);

/** Names that valibot's `record` leaves out of what it returns, so that a filter on them would be lost. */
const lostNames = new Set(['__proto__', 'prototype', 'constructor']);

const shorten = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** A value as it may stand in a sentence. Not JSON, whose nesting could be too deep to write. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  if (Array.isArray(value)) return value.length > 0 ? 'a list' : 'an empty list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

interface Wording {
  noun: 'parameter' | 'field' | 'argument';
  /** Name under which the question is sent. */
  question: 'q' | 'query';
  example: string;
}

const queryWording: Wording = { noun: 'parameter', question: 'q', example: exampleUrl };
const bodyWording: Wording = { noun: 'field', question: 'q', example: exampleBody };
const toolWording: Wording = {
  noun: 'argument',
  question: 'query',
  example: JSON.stringify({ query: exampleQuestion }),
};

function describe(issue: v.BaseIssue<unknown>, names: string[], wording: Wording): FieldError {
  const { noun, question, example } = wording;
  // A wrong entry of a list is named by the list: `lang`, not `lang.0`.
  const field = shorten((v.getDotPath(issue) ?? '').replace(/^(lang|source)\.\d+$/, '$1'));
  const { input } = issue;
  if (issue.expected === 'never') {
    const advice = {
      question: `use ${question} for the question`,
      number: 'use k for the number of results',
      history: names.includes('history')
        ? 'use history for what was said before'
        : 'use POST /search, which takes a history',
      none: `the ${noun}s are ${names.join(', ')}`,
    }[(names.includes(question) && otherNames.get(input)) || 'none'];
    return { field, detail: `Unknown ${noun} ${show(input)}: ${advice}.` };
  }
  if (field === question && (input === undefined || input === '')) {
    const state = input === '' ? 'empty' : 'missing';
    return { field, detail: `${field} is ${state}: add your question, as in ${example}.` };
  }
  if (issue.type === 'strict_object' && input === undefined) {
    return { field, detail: `${field} is missing: the ${noun}s are ${names.join(', ')}.` };
  }
  if (issue.type === 'max_length' && typeof input === 'string') {
    const most = Number(issue.requirement).toLocaleString('en');
    return {
      field,
      detail: `${field} has ${input.length.toLocaleString('en')} characters, but may have ${most} at most.`,
    };
  }
  return { field, detail: `${field} is ${show(input)}, but must be ${issue.message}.` };
}

/** Throws a 400 with one sentence for each wrong field. */
function validate<Schema extends v.GenericSchema & { entries: object }>(
  schema: Schema,
  input: Record<string, unknown>,
  wording: Wording,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input, { abortPipeEarly: true });
  if (result.success) return result.output;
  const names = Object.keys(schema.entries);
  const errors = result.issues.slice(0, 10).map((issue) => describe(issue, names, wording));
  throw new Problem(400, errors.map((error) => error.detail).join(' '), errors);
}

function wrong(field: string, detail: string): Problem {
  return new Problem(400, detail, [{ field, detail }]);
}

/** Reads each parameter's text as its type. What is not a number or truth value stays text, for `validate` to refuse. */
function readParameters(params: URLSearchParams, names: object): Record<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [name, text] of params) {
    if (listNames.has(name)) {
      const list = values.get(name);
      values.set(name, Array.isArray(list) ? [...list, text] : [text]);
    } else if (values.has(name) && Object.hasOwn(names, name)) {
      throw wrong(name, `${name} is given more than once: give it once.`);
    } else if (numberNames.has(name) && /^-?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
      values.set(name, Number(text));
    } else if (name === 'explain' && (text === 'true' || text === 'false')) {
      values.set(name, text === 'true');
    } else {
      values.set(name, text);
    }
  }
  return Object.fromEntries(values);
}

/** What to search for, and how long the answer may be as JSON. */
export interface Question extends SearchRequest {
  maxCharacters: number;
}

function toRequest({ q, lang, source, filter, ...options }: v.InferOutput<typeof searchBody>): Question {
  const own = Object.entries({ lang, source }).filter(([, value]) => value !== undefined);
  for (const [name] of own) {
    if (filter && Object.hasOwn(filter, name)) {
      throw wrong(name, `${name} is given both on its own and in filter: give it once.`);
    }
  }
  const all = { ...filter, ...(lang && { lang }), ...(source && { source }) };
  return { q, ...options, ...(Object.keys(all).length > 0 && { filter: all }) };
}

/** The search that the parameters of `GET /search` ask for. Throws a 400 `Problem`. */
export function readSearchParameters(params: URLSearchParams): Question {
  const values = readParameters(params, searchParameters.entries);
  return toRequest(validate(searchParameters, values, queryWording));
}

/** How many neighbours the parameters of `GET /passages/:id` ask for. Throws a 400 `Problem`. */
export function readPassageParameters(params: URLSearchParams): number {
  const values = readParameters(params, passageParameters.entries);
  return validate(passageParameters, values, queryWording).context;
}

/** The search that a JSON text, the body of `POST /search`, asks for. Throws a 400 `Problem`. */
export function readSearchBody(text: string): Question {
  const body = parseObject(text);
  checkFilter(body);
  return toRequest(validate(searchBody, body, bodyWording));
}

/** The search that the arguments of the MCP tool `search` ask for. Throws a 400 `Problem`. */
export function readSearchArguments(values: Record<string, unknown>): Question {
  checkFilter(values);
  const { query, ...rest } = validate(searchArguments, values, toolWording);
  const { maxCharacters } = v.getDefaults(searchBody);
  return toRequest({ q: query, mode: 'hybrid', context: 0, explain: false, maxCharacters, ...rest });
}

/** The passage that the arguments of the MCP tool `fetch` ask for. Throws a 400 `Problem`. */
export function readFetchArguments(values: Record<string, unknown>): v.InferOutput<typeof fetchArguments> {
  return validate(fetchArguments, values, toolWording);
}

/** Throws a 400 for filters that the schemas would let pass. */
function checkFilter({ filter }: Record<string, unknown>): void {
  if (Array.isArray(filter)) {
    throw wrong('filter', 'filter is a list, but must be an object of fields and values.');
  }
  const lost = Object.keys(Object(filter)).find((name) => lostNames.has(name));
  if (lost) throw wrong(`filter.${lost}`, `filter has the field "${lost}", which cannot be searched for.`);
}

function parseObject(text: string): Record<string, unknown> {
  if (text.trim() === '') throw new Problem(400, `The body is empty: send JSON such as ${exampleBody}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem(400, `The body is not valid JSON: send an object such as ${exampleBody}.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem(400, `The body is ${show(value)}, but must be an object such as ${exampleBody}.`);
  }
  return { ...value };
}

/**
 * Text of a request's JSON body. Bytes are counted as they arrive, as a request need not state its length.
 * Throws a `Problem`: 415 for another content type, 413 above 64 KiB, 400 for what is not UTF-8.
 */
export async function readBody({ headers, body }: HttpRequest): Promise<string> {
  const type = headers['content-type'];
  if (type && !/^application\/([^;\s]+\+)?json\s*(;|$)/i.test(type)) {
    throw new Problem(
      415,
      `The content type is ${show(type)}, but must be application/json: send the body as JSON.`,
    );
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new Problem(413, 'The body is longer than 64 KiB: send a shorter one.');
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new Problem(400, 'The body is not valid UTF-8: send JSON in UTF-8.');
  }
}
