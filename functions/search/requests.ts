import * as v from 'valibot';
import { parseJson } from '../../index/kit/json.ts';
import type { SearchRequest } from '../../index/search/answer.ts';
import type { HttpRequest } from './http.ts';
import { type FieldError, Problem } from './problems.ts';
import {
  exampleQuestion,
  passageParameters,
  searchArguments,
  searchBody,
  searchParameters,
} from './request-schemas.ts';

const maxBodyBytes = 64 * 1024;
const exampleBody = JSON.stringify({ q: exampleQuestion });

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

/** How messages name the parts of a request, and an example of one. */
interface Wording {
  noun: 'parameter' | 'field' | 'argument';
  example: string;
}

const queryWording: Wording = {
  noun: 'parameter',
  example: `/search?${new URLSearchParams({ q: exampleQuestion })}`,
};
const bodyWording: Wording = { noun: 'field', example: exampleBody };
const toolWording: Wording = { noun: 'argument', example: JSON.stringify({ query: exampleQuestion }) };

/** @param quotes whether the message may contain what the caller sent */
function describe(
  issue: v.BaseIssue<unknown>,
  names: string[],
  { noun, example }: Wording,
  quotes: boolean,
): FieldError {
  // An error in an item names the list: `lang`, not `lang.0`. Names in a filter are the caller's.
  const part = quotes ? /^(lang|source)\.\d+$/ : /^(\w+)\..*$/s;
  const field = shorten((v.getDotPath(issue) ?? '').replace(part, '$1'));
  const { input, type, message } = issue;
  const known = `The ${noun}s are ${names.join(', ')}.`;
  if (issue.expected === 'never')
    return { field, detail: `Unknown ${noun}${quotes ? ` ${show(input)}` : ''}. ${known}` };
  if ((field === 'q' || field === 'query') && (input === undefined || input === '')) {
    const fault = input === '' ? 'empty' : 'missing';
    return { field, detail: `${field} is ${fault}. Add your question, as in ${example}.` };
  }
  if (/^(strict|loose)_object$/.test(type) && input === undefined)
    return { field, detail: `${field} is missing. ${known}` };
  if (type === 'max_length' || type === 'max_entries') {
    const [size, limit] = [issue.received, issue.requirement].map((n) => Number(n).toLocaleString('en'));
    const unit = typeof input === 'string' ? 'characters' : message;
    return { field, detail: `${field} has ${size} ${unit}, but ${limit} is the limit.` };
  }
  return { field, detail: `${field} is ${show(input, quotes)}, but must be ${message}.` };
}

/** Throws a 400 with one sentence for each wrong field. */
function validate<Schema extends v.GenericSchema & { entries: object }>(
  schema: Schema,
  input: Record<string, unknown>,
  wording: Wording,
  quotes = true,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input, { abortPipeEarly: true });
  if (result.success) return result.output;
  const names = Object.keys(schema.entries);
  const errors = result.issues.slice(0, 10).map((issue) => describe(issue, names, wording, quotes));
  throw new Problem(400, errors.map((error) => error.detail).join(' '), { errors });
}

function wrong(field: string, detail: string): Problem {
  return new Problem(400, detail, { errors: [{ field, detail }] });
}

/** Reads parameters as the types of their schemas. A text that is no number or boolean stays text, which `validate` refuses. */
function readParameters(
  params: URLSearchParams,
  entries: Record<string, v.GenericSchema & { wrapped?: v.GenericSchema }>,
): Record<string, unknown> {
  const values = [...new Set(params.keys())].map((name): [string, unknown] => {
    const [text = '', ...more] = params.getAll(name);
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
    const type = entry?.wrapped?.type;
    if (type === 'array') return [name, [text, ...more]];
    if (entry && more.length > 0) throw wrong(name, `${name} is given more than once. Give it once.`);
    if (type === 'number' && /^-?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) return [name, Number(text)];
    if (type === 'boolean' && /^(true|false)$/.test(text)) return [name, text === 'true'];
    return [name, text];
  });
  return Object.fromEntries(values);
}

/** A valid search request, with the maximum length of its answer as JSON. */
export interface Question extends SearchRequest {
  maxCharacters: number;
}

function toRequest({ q, lang, source, filter, ...options }: v.InferOutput<typeof searchBody>): Question {
  const own = { ...(lang && { lang }), ...(source && { source }) };
  const twice = Object.keys(own).find((name) => filter && Object.hasOwn(filter, name));
  if (twice) throw wrong(twice, `${twice} is given twice, on its own and in filter. Give it once.`);
  const all = { ...filter, ...own };
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

/** Reads the body of `POST /search`. Throws a 400 `Problem`, which quotes the caller only if `quotes`. */
export function readSearchBody(text: string, quotes = true): Question {
  const body = parseObject(text);
  checkFilter(body);
  return toRequest(validate(searchBody, body, bodyWording, quotes));
}

/** Reads the arguments of the MCP tool `search`. Throws a 400 `Problem`. */
export function readSearchArguments(values: Record<string, unknown>): Question {
  checkFilter(values);
  const { query, ...options } = readToolArguments(searchArguments, values);
  return toRequest({ ...v.getDefaults(searchBody), ...options, q: query });
}

/** Reads the arguments of an MCP tool. Throws a 400 `Problem`. */
export function readToolArguments<Schema extends v.GenericSchema & { entries: object }>(
  schema: Schema,
  values: Record<string, unknown>,
): v.InferOutput<Schema> {
  return validate(schema, values, toolWording);
}

/** Throws a 400 for filters that the schemas would accept. */
function checkFilter({ filter }: Record<string, unknown>): void {
  if (Array.isArray(filter))
    throw wrong('filter', 'filter is a list, but must be an object of fields and values.');
  const lost = Object.keys(Object(filter)).find((name) => lostNames.has(name));
  if (lost)
    throw wrong(`filter.${lost}`, `filter has the field "${lost}". Filters on this field are not possible.`);
}

/** Reads a JSON body in the form of another API. Throws a 400 `Problem`. */
export function readBodyAs<Schema extends v.GenericSchema & { entries: object }>(
  schema: Schema,
  text: string,
  example = toolWording.example,
): v.InferOutput<Schema> {
  return validate(schema, parseObject(text, example), { noun: 'field', example });
}

function parseObject(text: string, example = exampleBody): Record<string, unknown> {
  if (text.trim() === '') throw new Problem(400, `The body is empty. Send JSON such as ${example}.`);
  const value = parseJson(text);
  if (value === undefined)
    throw new Problem(400, `The body is not valid JSON. Send an object such as ${example}.`);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Problem(400, `The body is ${show(value)}, but must be an object such as ${example}.`);
  return value as Record<string, unknown>;
}

/**
 * Reads the text of a request's JSON body. Counts bytes as they arrive, since a request need not declare its length.
 * Throws a `Problem`: 415 for another content type, 413 above 64 KiB, 400 for another encoding, 499 if the client closes the connection.
 */
export async function readBody({ headers, body }: HttpRequest): Promise<string> {
  const type = headers['content-type'];
  if (type && !/^application\/([^;\s]+\+)?json\s*(;|$)/i.test(type))
    throw new Problem(
      415,
      `The content type is ${show(type)}, but must be application/json. Send the body as JSON.`,
    );
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
