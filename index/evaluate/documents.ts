import { basename, join, resolve } from 'node:path';
import type { Document } from '../documents/document.ts';
import { describeValue, type JsonLine } from '../documents/records/json-lines.ts';
import type { Search } from '../search/answer.ts';
import { readDocuments } from '../sources/read.ts';
import { type Builder, withDocuments } from './builder.ts';
import { type ConfidenceScores, confidenceScores } from './calibration.ts';
import { confidenceTable, METRICS, type Metric, share } from './confidence-table.ts';
import { type Outcome, outcomeOf } from './outcomes.ts';
import { commonFields, type Question, readItems } from './set.ts';

/** Results read per question. */
const K = 5;

/** Questions for decisions, and questions for reports only. */
export type Split = 'dev' | 'test';

/** A text that answers a question: any passage of the document that contains the snippet. White space counts as one space. */
export interface Snippet {
  /** Path of the document below the collection's `documents` folder. */
  readonly source: string;
  readonly contains: string;
}

export interface DocumentQuestion extends Question {
  readonly split: Split;
  /** Each of them is an answer. Empty if the documents have none. */
  readonly answers: readonly Snippet[];
}

/** Real documents, and questions about them. */
export interface Collection {
  /** Base name of its folder. */
  readonly name: string;
  readonly documents: readonly Document[];
  readonly questions: readonly DocumentQuestion[];
}

export interface DocumentScores extends ConfidenceScores {
  /** Answerable questions with a right result among the first five. */
  rightInFive: number;
}

/** Scores of each collection by its name, and of all questions. */
export interface DocumentsReport {
  split: Split;
  collections: Record<string, DocumentScores>;
  all: DocumentScores;
}

/**
 * Reads a collection: a folder with `documents/` and `questions.jsonl`.
 * @throws naming file and line if a field is missing or wrong, or no document contains a snippet
 */
export async function readCollection(dir: string): Promise<Collection> {
  const documents: Document[] = [];
  const texts = new Map<string, string>();
  for await (const document of readDocuments([join(dir, 'documents')])) {
    documents.push(document);
    const text = [texts.get(document.source) ?? '', ...document.blocks.map(({ text }) => text)].join('\n');
    texts.set(document.source, text);
  }
  const collapsedTexts = new Map([...texts].map(([source, text]) => [source, collapsed(text)]));
  const questions = await readItems(dir, 'questions.jsonl', (line) => questionOf(line, collapsedTexts));
  return { name: basename(resolve(dir)), documents, questions };
}

function questionOf(line: JsonLine, texts: ReadonlyMap<string, string>): DocumentQuestion {
  const { record, place } = line;
  const { split, answers } = record;
  if (split !== 'dev' && split !== 'test')
    throw new Error(`${place}: "split" must be "dev" or "test" but is ${describeValue(split)}.`);
  if (!Array.isArray(answers) || !answers.every(isSnippet))
    throw new Error(
      `${place}: "answers" must be a list of {source, contains} but is ${describeValue(answers)}.`,
    );
  for (const { source, contains } of answers) {
    if (texts.get(source)?.includes(collapsed(contains))) continue;
    throw new Error(
      `${place}: ${texts.has(source) ? `${source} does not contain ${describeValue(contains)}` : `no document is named ${describeValue(source)}`}. Copy both from a document.`,
    );
  }
  return { ...commonFields(line), split, answers };
}

function isSnippet(value: unknown): value is Snippet {
  const { source, contains } = Object(value);
  return typeof source === 'string' && typeof contains === 'string' && contains.trim() !== '';
}

const collapsed = (text: string) => text.replace(/\s+/g, ' ').trim();

interface Ranked extends Outcome {
  rightInFive: boolean;
}

/** Asks the questions of a split on an index of each collection. */
export async function evaluateDocuments(
  builder: Builder,
  collections: readonly Collection[],
  split: Split,
): Promise<DocumentsReport> {
  const outcomes = new Map<string, Ranked[]>();
  for (const collection of collections)
    outcomes.set(collection.name, await documentOutcomes(builder, collection, split));
  return {
    split,
    collections: Object.fromEntries([...outcomes].map(([name, some]) => [name, scoresOf(some)])),
    all: scoresOf([...outcomes.values()].flat()),
  };
}

/** Asks the questions of a split on an index of a collection. Throws if the split has none. */
export function documentOutcomes(
  builder: Builder,
  { name, documents, questions }: Collection,
  split: Split,
): Promise<Ranked[]> {
  const asked = questions.filter((question) => question.split === split);
  if (asked.length === 0) throw new Error(`${name} has no questions for the split ${split}. Leave it out.`);
  return withDocuments(builder, documents, (search) => ask(builder, search, asked));
}

function scoresOf(outcomes: readonly Ranked[]): DocumentScores {
  return {
    ...confidenceScores(outcomes),
    rightInFive: outcomes.filter(({ rightInFive }) => rightInFive).length,
  };
}

async function ask(
  { embedder, mode }: Builder,
  search: Search,
  questions: readonly DocumentQuestion[],
): Promise<Ranked[]> {
  // Embedding all at once uses every core. The embedder caches the results for the searches below.
  await Promise.all(questions.map(({ text }) => embedder.embed(text, 'query')));
  const outcomes: Ranked[] = [];
  for (const question of questions) {
    const answer = await search.search({ q: question.text, k: K, mode, explain: true });
    const right = await Promise.all(
      answer.results.map((result) => isRight(search, result, question.answers)),
    );
    const truth = { answerable: question.answers.length > 0, correct: right[0] ?? false };
    outcomes.push({ ...outcomeOf(question, answer, truth), rightInFive: right.includes(true) });
  }
  return outcomes;
}

/** A result, and the other places of its text. */
interface Found {
  id: string;
  alsoIn?: readonly { id: string }[];
}

/** Whether a result, or the same text in another place, is an answer. */
async function isRight(
  search: Search,
  { id, alsoIn = [] }: Found,
  answers: readonly Snippet[],
): Promise<boolean> {
  const places = [id, ...alsoIn.map((other) => other.id)];
  const passages = await Promise.all(places.map((each) => search.passage(each)));
  return passages.some(
    (passage) =>
      passage &&
      answers.some(
        (answer) =>
          answer.source === passage.source && collapsed(passage.text).includes(collapsed(answer.contains)),
      ),
  );
}

const IN_FIVE: Metric<DocumentScores> = [
  'right in the first five, of answerable',
  ({ rightInFive, answerable }) => share(rightInFive, answerable.questions),
];

/** Formats the scores as text, a column per collection. */
export function documentsTable({ split, collections, all }: DocumentsReport): string {
  const columns: [string, DocumentScores][] = [...Object.entries(collections), ['all', all]];
  // The line below the share of right first results.
  return `documents, split ${split}\n${confidenceTable(columns, [...METRICS.slice(0, 2), IN_FIVE, ...METRICS.slice(2)])}`;
}
