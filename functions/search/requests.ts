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
} from './request-schemas.ts';

const maxBodyBytes = 64 * 1024;
const exampleBody = JSON.stringify({ q: exampleQuestion });
const exampleUrl = `/search?${new URLSearchParams({ q: exampleQuestion })}`;

/** Parameter names of other search services, and their meaning there. */
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
const booleanNames = new Set(['explain', 'matches']);

/** Names that valibot's `record` drops from its output, so that a filter on them would be lost. */
const lostNames = new Set(['__proto__', 'prototype', 'constructor']);

const shorten = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** A value for an error message. Not as JSON, whose nesting could be too deep to write. */
function show(value: unknown, quotes = true): string {
  if (typeof value === 'string') return quotes ? JSON.stringify(shorten(value)) : 'a text';
  if (Array.isArray(value)) return value.length > 0 ? 'a list' : 'an empty list';
  if (typeof value === 'number' && !quotes) return 'a number';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

interface Wording {
  noun: 'parameter' | 'field' | 'argument';
  /** Name of the question. */
  question: 'q' | 'query';
  example: string;
  /** Whether messages contain what the caller sent. */
  quotes: boolean;
}

const queryWording: Wording = { noun: 'parameter', question: 'q', example: exampleUrl, quotes: true };
const bodyWording: Wording = { noun: 'field', question: 'q', example: exampleBody, quotes: true };
const toolWording: Wording = {
  noun: 'argument',
  question: 'query',
  example: JSON.stringify({ query: exampleQuestion }),
  quotes: true,
};

function describe(issue: v.BaseIssue<unknown>, names: string[], wording: Wording): FieldError {
  const { noun, question, example, quotes } = wording;
  // An error in an item names the list: `lang`, not `lang.0`. Names in a filter are the caller's.
  const part = quotes ? /^(lang|source)\.\d+$/ : /^(\w+)\..*$/s;
  const field = shorten((v.getDotPath(issue) ?? '').replace(part, '$1'));
  const { input } = issue;
  if (issue.expected === 'never') {
    const advice = {
      question: `Use ${question} for the question`,
      number: 'Use k for the number of results',
      history: names.includes('history')
        ? 'Use history for previous messages'
        : 'Send a history with POST /search',
      none: `The ${noun}s are ${names.join(', ')}`,
    }[(names.includes(question) && otherNames.get(input)) || 'none'];
    return { field, detail: `Unknown ${noun}${quotes ? ` ${show(input)}` : ''}. ${advice}.` };
  }
  if (field === question && (input === undefined || input === '')) {
    const fault = input === '' ? 'empty' : 'missing';
    return { field, detail: `${field} is ${fault}. Add your question, as in ${example}.` };
  }
  if (issue.type === 'strict_object' && input === undefined) {
    return { field, detail: `${field} is missing. The ${noun}s are ${names.join(', ')}.` };
  }
  const found = sizeOf(issue.type, input);
  if (found !== undefined) {
    const [size, limit] = [found, Number(issue.requirement)].map((number) => number.toLocaleString('en'));
    const unit = typeof input === 'string' ? 'characters' : issue.message;
    return { field, detail: `${field} has ${size} ${unit}, but ${limit} is the limit.` };
  }
  return { field, detail: `${field} is ${show(input, quotes)}, but must be ${issue.message}.` };
}

/** The size that exceeds a maximum; undefined for other issues. */
function sizeOf(type: string, input: unknown): number | undefined {
  if (type === 'max_entries') return Object.keys(Object(input)).length;
  if (type !== 'max_length') return undefined;
  return Array.isArray(input) || typeof input === 'string' ? input.length : undefined;
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

/** Reads each parameter's text as its type. A text that is no number or boolean stays text, which `validate` refuses. */
function readParameters(params: URLSearchParams, names: object): Record<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [name, text] of params) {
    if (listNames.has(name)) {
      const list = values.get(name);
      if (Array.isArray(list)) list.push(text);
      else values.set(name, [text]);
    } else if (values.has(name) && Object.hasOwn(names, name)) {
      throw wrong(name, `${name} is given more than once. Give it once.`);
    } else if (numberNames.has(name) && /^-?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
      values.set(name, Number(text));
    } else if (booleanNames.has(name) && (text === 'true' || text === 'false')) {
      values.set(name, text === 'true');
    } else {
      values.set(name, text);
    }
  }
  return Object.fromEntries(values);
}

/** A valid search request, with the maximum length of its answer as JSON. */
export interface Question extends SearchRequest {
  maxCharacters: number;
}

function toRequest({ q, lang, source, filter, ...options }: v.InferOutput<typeof searchBody>): Question {
  const own = Object.entries({ lang, source }).filter(([, value]) => value !== undefined);
  for (const [name] of own) {
    if (filter && Object.hasOwn(filter, name)) {
      throw wrong(name, `${name} is given twice, on its own and in filter. Give it once.`);
    }
  }
  const all = { ...filter, ...(lang && { lang }), ...(source && { source }) };
  return { q, ...options, ...(Object.keys(all).length > 0 && { filter: all }) };
}

/** Reads the parameters of `GET /search`. Throws a 400 `Problem`. */
export function readSearchParameters(params: URLSearchParams): Question {
  const values = readParameters(params, searchParameters.entries);
  return toRequest(validate(searchParameters, values, queryWording));
}

/** Reads `context` from the parameters of `GET /passages/:id`. Throws a 400 `Problem`. */
export function readPassageParameters(params: URLSearchParams): number {
  const values = readParameters(params, passageParameters.entries);
  return validate(passageParameters, values, queryWording).context;
}

/**
 * Reads the JSON text of a body of `POST /search`. Throws a 400 `Problem`.
 * @param quotes whether the message may contain what the caller sent
 */
export function readSearchBody(text: string, quotes = true): Question {
  const body = parseObject(text);
  checkFilter(body);
  return toRequest(validate(searchBody, body, { ...bodyWording, quotes }));
}

/** Reads the arguments of the MCP tool `search`. Throws a 400 `Problem`. */
export function readSearchArguments(values: Record<string, unknown>): Question {
  checkFilter(values);
  const { query, ...rest } = validate(searchArguments, values, toolWording);
  const { maxCharacters } = v.getDefaults(searchBody);
  const defaults = { mode: 'hybrid', context: 0, explain: false, matches: false, maxCharacters } as const;
  return toRequest({ q: query, ...defaults, ...rest });
}

/** Reads the arguments of the MCP tool `fetch`. Throws a 400 `Problem`. */
export function readFetchArguments(values: Record<string, unknown>): v.InferOutput<typeof fetchArguments> {
  return validate(fetchArguments, values, toolWording);
}

/** Throws a 400 for filters that the schemas would accept. */
function checkFilter({ filter }: Record<string, unknown>): void {
  if (Array.isArray(filter)) {
    throw wrong('filter', 'filter is a list, but must be an object of fields and values.');
  }
  const lost = Object.keys(Object(filter)).find((name) => lostNames.has(name));
  if (lost)
    throw wrong(`filter.${lost}`, `filter has the field "${lost}". Filters on this field are not possible.`);
}

function parseObject(text: string): Record<string, unknown> {
  if (text.trim() === '') throw new Problem(400, `The body is empty. Send JSON such as ${exampleBody}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem(400, `The body is not valid JSON. Send an object such as ${exampleBody}.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem(400, `The body is ${show(value)}, but must be an object such as ${exampleBody}.`);
  }
  return { ...value };
}

/**
 * Reads the text of a request's JSON body. Counts bytes as they arrive, since a request need not declare its length.
 * Throws a `Problem`: 415 for another content type, 413 above 64 KiB, 400 for other encodings than UTF-8, 499 if the
 * client closes the connection before the end.
 */
export async function readBody({ headers, body }: HttpRequest): Promise<string> {
  const type = headers['content-type'];
  if (type && !/^application\/([^;\s]+\+)?json\s*(;|$)/i.test(type)) {
    throw new Problem(
      415,
      `The content type is ${show(type)}, but must be application/json. Send the body as JSON.`,
    );
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > maxBodyBytes) throw new Problem(413, 'The body is longer than 64 KiB. Send a shorter one.');
      chunks.push(chunk);
    }
  } catch (error) {
    // Node's code for a connection that ends within a request.
    if (!(error instanceof Error && 'code' in error && error.code === 'ECONNRESET')) throw error;
    throw new Problem(499, 'The client closed the connection before the end of the body.');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new Problem(400, 'The body is not valid UTF-8. Send JSON in UTF-8.');
  }
}
