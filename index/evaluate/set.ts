import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describeValue, type JsonLine, readJsonLines } from '../documents/records/json-lines.ts';
import type { SearchResult } from '../search/answer.ts';

/** A passage of a set. */
export interface EvaluationPassage {
  readonly id: string;
  /** BCP 47 tag. */
  readonly lang: string;
  readonly title?: string;
  readonly text: string;
}

/** A text to ask. */
export interface Question {
  readonly id: string;
  /** BCP 47 tag. */
  readonly lang: string;
  readonly text: string;
}

/** A question and the passages that answer it. */
export interface EvaluationQuery extends Question {
  /** Ids of passages of the same set, without repeats. Empty if the set has no answer. */
  readonly relevant: readonly string[];
}

export interface EvaluationSet {
  /** Base name of its folder. */
  readonly name: string;
  readonly dir: string;
  readonly passages: readonly EvaluationPassage[];
  readonly queries: readonly EvaluationQuery[];
}

/**
 * Reads an evaluation set: a folder with `passages.jsonl` and `queries.jsonl`, or the same with `.gz` added.
 * @throws naming file and line if a file is missing or not UTF-8, a field is missing or of the wrong type, an id occurs twice, or
 * `relevant` contains an id that no passage of the set has
 */
export async function readSet(dir: string): Promise<EvaluationSet> {
  const passages = await readItems(dir, 'passages.jsonl', passageOf);
  const passageIds = new Set(passages.map((passage) => passage.id));
  const queries = await readItems(dir, 'queries.jsonl', (line) => queryOf(line, passageIds));
  return { name: basename(resolve(dir)), dir, passages, queries };
}

/**
 * The part of a query's id after the language and the dash (`lighthouse-1a` for `en-lighthouse-1a`). Queries with the same key are
 * the same question in different languages. An id without a dash is its own key.
 */
export function questionKey(queryId: string): string {
  return queryId.slice(queryId.indexOf('-') + 1);
}

/** The ids of the passages that answer each question, in any of the sets, by the question's key. */
export function relevantByKey(sets: readonly EvaluationSet[]): Map<string, Set<string>> {
  const relevant = new Map<string, Set<string>>();
  for (const query of sets.flatMap(({ queries }) => queries)) {
    const key = questionKey(query.id);
    relevant.set(key, new Set([...(relevant.get(key) ?? []), ...query.relevant]));
  }
  return relevant;
}

/** The id of a passage's record: a long record has several passages, `id#1`, `id#2` … */
function recordOf(id: string, records: ReadonlySet<string>): string {
  return records.has(id) ? id : id.replace(/#\d+$/, '');
}

/** The ids of a result's record, and of the records that have the same text. */
export function recordsOf({ id, alsoIn = [] }: SearchResult, records: ReadonlySet<string>): string[] {
  return [id, ...alsoIn.map((place) => place.id)].map((one) => recordOf(one, records));
}

/**
 * The ids of the records of results, best first and each once. A relevant record whose text is in another place (`alsoIn`) takes the
 * place of the result.
 */
export function rankedRecords(results: readonly SearchResult[], relevant: ReadonlySet<string>): string[] {
  const ranked = results.flatMap((result) => {
    const records = recordsOf(result, relevant);
    const right = records.filter((one) => relevant.has(one));
    return right.length > 0 ? right : records.slice(0, 1);
  });
  return [...new Set(ranked)];
}

/** The path of a set's file. Prefers the plain file to the compressed file. */
export function setFile(dir: string, name: string): string {
  const path = [join(dir, name), join(dir, `${name}.gz`)].find((candidate) => existsSync(candidate));
  if (path) return path;
  const problem = existsSync(dir) ? `has neither ${name} nor ${name}.gz` : 'does not exist';
  throw new Error(`${dir} ${problem}. Name the folder of an evaluation set.`);
}

/** Reads the items of a set's file, an item a line. Throws if an id occurs twice. */
export async function readItems<T extends { readonly id: string }>(
  dir: string,
  name: string,
  toItem: (line: JsonLine) => T,
): Promise<T[]> {
  const items: T[] = [];
  const placeOfId = new Map<string, string>();
  for await (const line of readJsonLines(setFile(dir, name))) {
    const item = toItem(line);
    const first = placeOfId.get(item.id);
    if (first)
      throw new Error(`${line.place}: the id ${describeValue(item.id)} is already used in ${first}.`);
    placeOfId.set(item.id, line.place);
    items.push(item);
  }
  return items;
}

function passageOf(line: JsonLine): EvaluationPassage {
  const passage = commonFields(line);
  const { title } = line.record;
  return isAbsent(title) ? passage : { ...passage, title: stringField(line, 'title') };
}

/** Whether an optional field is missing. An empty one is. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function queryOf(line: JsonLine, passageIds: ReadonlySet<string>): EvaluationQuery {
  const relevant = relevantOf(line);
  const unknown = relevant.find((id) => !passageIds.has(id));
  if (unknown !== undefined) {
    throw new Error(
      `${line.place}: "relevant" contains ${describeValue(unknown)}, but no passage of the set has that id.`,
    );
  }
  if (new Set(relevant).size < relevant.length) {
    throw new Error(
      `${line.place}: "relevant" contains a passage twice (${describeValue(relevant)}). List each one once.`,
    );
  }
  return { ...commonFields(line), relevant };
}

/** The fields of a passage, a question or a phrase. */
export function commonFields(line: JsonLine): Question {
  return { id: stringField(line, 'id'), lang: stringField(line, 'lang'), text: stringField(line, 'text') };
}

/** A field of a line. Throws if it is not a non-empty string. */
export function stringField({ record, place }: JsonLine, name: string): string {
  const value = record[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`${place}: "${name}" must be a non-empty string but is ${describeValue(value)}.`);
}

/** The ids of relevant passages. Throws if they are not a list of strings. */
export function relevantOf({ record, place }: JsonLine): string[] {
  const { relevant } = record;
  if (Array.isArray(relevant) && relevant.every((id) => typeof id === 'string')) return relevant;
  throw new Error(`${place}: "relevant" must be a list of passage ids but is ${describeValue(relevant)}.`);
}

/** Passages per article. The passages of a set are in the order of its articles. */
const ARTICLE = 5;
/** Each fold contains one passage of every article. */
export const FOLDS = ARTICLE;

const articleOf = (position: number): number => Math.floor(position / ARTICLE);

/** The articles that parameters are fitted to, and the articles that they are measured on. */
export type Half = 'fit' | 'test';

/**
 * The half of a set's articles for fitting (the first, third, fifth …) or for testing (the others), with the questions that only this
 * half answers. Questions without an answer are divided in turn. In parallel sets, both halves divide every language alike.
 */
export function articleHalf(set: EvaluationSet, half: Half): EvaluationSet {
  const parity = half === 'fit' ? 0 : 1;
  const passages = set.passages.filter((_, position) => articleOf(position) % 2 === parity);
  const ids = new Set(passages.map(({ id }) => id));
  let unanswerable = 0;
  const queries = set.queries.filter(({ relevant }) =>
    relevant.length === 0 ? unanswerable++ % 2 === parity : relevant.every((id) => ids.has(id)),
  );
  return { ...set, passages, queries };
}

/** The ids of the passages that remain without every second article. */
export function withoutEverySecondArticle({ passages }: EvaluationSet): Set<string> {
  return new Set(passages.filter((_, position) => articleOf(position) % 2 === 0).map(({ id }) => id));
}

/** The ids of the passages in a fold, 0 to FOLDS - 1: the passages at this position of their article. */
export function passagesInFold({ passages }: EvaluationSet, fold: number): Set<string> {
  return new Set(passages.filter((_, position) => position % FOLDS === fold).map(({ id }) => id));
}
