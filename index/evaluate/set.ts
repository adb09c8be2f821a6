import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A passage that a search over the set can return. */
export interface EvaluationPassage {
  readonly id: string;
  /** BCP 47 tag. */
  readonly lang: string;
  readonly title?: string;
  readonly text: string;
}

/** A question and the passages that answer it; none where the set holds no answer. */
export interface EvaluationQuery {
  readonly id: string;
  /** BCP 47 tag. */
  readonly lang: string;
  readonly text: string;
  /** Ids of passages of the same set, without repeats. */
  readonly relevant: readonly string[];
}

export interface EvaluationSet {
  /** Base name of the folder. */
  readonly name: string;
  readonly dir: string;
  readonly passages: readonly EvaluationPassage[];
  readonly queries: readonly EvaluationQuery[];
}

/** A JSON object and where it stands, as `file:line`. */
export interface Line {
  readonly record: Record<string, unknown>;
  readonly place: string;
}

/**
 * Reads `passages.jsonl` and `queries.jsonl` (or each with `.gz` added, where the plain file is absent) from a folder.
 * Throws an Error that names the file and line if a file is missing or not UTF-8, if a line lacks a field or has one
 * of the wrong type, if an id occurs twice, or if `relevant` names a passage that the set does not have.
 */
export async function readSet(dir: string): Promise<EvaluationSet> {
  const passages = withUniqueIds(await readLines(dir, 'passages.jsonl'), passageOf);
  const passageIds = new Set(passages.map((passage) => passage.id));
  const queries = withUniqueIds(await readLines(dir, 'queries.jsonl'), (line) => queryOf(line, passageIds));
  return { name: basename(resolve(dir)), dir, passages, queries };
}

/**
 * What follows the language and the dash in a query's id (`en-lighthouse-1a`: `lighthouse-1a`).
 * The same key in the set of another language marks the same question. An id without a dash is its own key.
 */
export function questionKey(queryId: string): string {
  return queryId.slice(queryId.indexOf('-') + 1);
}

/** The JSON objects of a file of JSON Lines in a folder, or of the same with `.gz` added. Throws where a line is none. */
export async function readLines(dir: string, name: string): Promise<Line[]> {
  const plain = join(dir, name);
  const bytes = await readIfPresent(plain);
  if (bytes) return parseLines(decode(bytes, plain), plain);
  const zipped = `${plain}.gz`;
  const packed = await readIfPresent(zipped);
  if (packed) return parseLines(decode(unpack(packed, zipped), zipped), zipped);
  throw new Error(
    `${dir} has neither ${name} nor ${name}.gz, one of which the folder of an evaluation set must hold.`,
  );
}

async function readIfPresent(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function unpack(bytes: Buffer, file: string): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new Error(`${file} is not a complete gzip file; make it again with gzip.`, { cause });
  }
}

function decode(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error(`${file} is not UTF-8 text; convert it to UTF-8.`, { cause });
  }
}

function parseLines(text: string, file: string): Line[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const place = `${file}:${index + 1}`;
    const record = parseJson(line, place);
    if (!isRecord(record)) throw new Error(`${place}: expected a JSON object but found ${shown(record)}.`);
    return [{ record, place }];
  });
}

function parseJson(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Error(`${place}: expected a JSON object but the line is not valid JSON: ${shown(line)}.`, {
      cause,
    });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What each line holds. Throws where an id occurs twice. */
export function withUniqueIds<T extends { readonly id: string }>(
  lines: Line[],
  toItem: (line: Line) => T,
): T[] {
  const placeOfId = new Map<string, string>();
  return lines.map((line) => {
    const item = toItem(line);
    const first = placeOfId.get(item.id);
    if (first) throw new Error(`${line.place}: the id ${shown(item.id)} is already taken by ${first}.`);
    placeOfId.set(item.id, line.place);
    return item;
  });
}

function passageOf(line: Line): EvaluationPassage {
  const passage = { id: string(line, 'id'), lang: string(line, 'lang'), text: string(line, 'text') };
  return line.record.title === undefined ? passage : { ...passage, title: string(line, 'title') };
}

function queryOf(line: Line, passageIds: ReadonlySet<string>): EvaluationQuery {
  const { relevant } = line.record;
  if (!Array.isArray(relevant) || !relevant.every((id) => typeof id === 'string')) {
    throw new Error(`${line.place}: "relevant" must be a list of passage ids but is ${shown(relevant)}.`);
  }
  const unknown = relevant.find((id) => !passageIds.has(id));
  if (unknown !== undefined) {
    throw new Error(
      `${line.place}: "relevant" names ${shown(unknown)}, but no passage of the set has that id.`,
    );
  }
  if (new Set(relevant).size < relevant.length) {
    throw new Error(
      `${line.place}: "relevant" names a passage twice (${shown(relevant)}); list each one once.`,
    );
  }
  return { id: string(line, 'id'), lang: string(line, 'lang'), text: string(line, 'text'), relevant };
}

/** A line's field. Throws if it is not a non-empty string. */
export function string({ record, place }: Line, field: string): string {
  const value = record[field];
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`${place}: "${field}" must be a non-empty string but is ${shown(value)}.`);
}

/** A value as an error shows it: JSON, cut to a length that keeps the message on one line. */
export function shown(value: unknown): string {
  const json = value === undefined ? 'missing' : JSON.stringify(value);
  return json.length > 80 ? `${json.slice(0, 79)}…` : json;
}
