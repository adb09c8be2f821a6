import { basename, join, resolve } from 'node:path';
import type { Document } from '../documents/document.ts';
import { describeValue, type JsonLine } from '../documents/records/json-lines.ts';
import { readDocuments } from '../ingest/sources/open-sources.ts';
import type { Answer, Mode, Search, Verdict } from '../search/answer.ts';
import { LIMITS } from '../search/limits.ts';
import {
  type ConfidenceScores,
  confidenceScores,
  confidenceTable,
  METRICS,
  type Metric,
  share,
} from './confidence-report.ts';
import { type Outcome, outcomeOf } from './outcomes.ts';
import { commonFields, type Question, readItems } from './set.ts';
import { type Builder, embedQuestions, withDocuments } from './temporary-index.ts';

/** Results read per question, and in search of the rank of an answer that is not among them. */
const K = 5;
const DEEP_K = LIMITS.k.max;

/** Characters of a snippet in a list of failures. */
const SNIPPET = 80;

/**
 * Questions for decisions (`dev`) or for reports only (`test`). In the bank of questions, whole collections are for learning, for choosing
 * between variants, or for reports only.
 */
export const SPLITS = ['dev', 'test', 'learn', 'choose', 'report'] as const;
export type Split = (typeof SPLITS)[number];

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

interface DocumentScores extends ConfidenceScores {
  /** Answerable questions with a right result among the first five. */
  rightInFive: number;
}

/** A question whose first result is no answer, or which got one although it has none. */
interface FailedQuestion extends Question {
  collection: string;
  expected: readonly Snippet[];
  /** Of the best answer, from 1; null if none is among the first 100. */
  rank: number | null;
  verdict: Verdict;
  /** The first result; null without results. */
  first: { source: string; title: string } | null;
}

/** Scores of each collection by its name, and of all questions. */
interface DocumentsReport {
  split: Split;
  collections: Record<string, DocumentScores>;
  all: DocumentScores;
  /** If they were asked for. */
  failures?: FailedQuestion[];
}

/**
 * Reads a collection: a folder with `documents/` and `questions.jsonl`.
 * @throws naming file and line if a field is missing or wrong, or no document contains a snippet
 */
export async function readCollection(dir: string): Promise<Collection> {
  const documents: Document[] = [];
  const texts = new Map<string, string>();
  // As a build does, it leaves out files without text. A question about one of them fails below.
  for await (const document of readDocuments([join(dir, 'documents')], () => {})) {
    documents.push(document);
    const text = [texts.get(document.source) ?? '', ...document.blocks.map(({ text }) => text)].join('\n');
    texts.set(document.source, text);
  }
  const collapsedTexts = new Map([...texts].map(([source, text]) => [source, collapsed(text)]));
  const questions = await readItems(dir, 'questions.jsonl', (line) => {
    const question = questionOf(line);
    for (const { source, contains } of question.answers) {
      if (collapsedTexts.get(source)?.includes(collapsed(contains))) continue;
      throw new Error(
        `${line.place}: ${texts.has(source) ? `${source} does not contain ${describeValue(contains)}` : `no document is named ${describeValue(source)}`}. Copy both from a document.`,
      );
    }
    return question;
  });
  return { name: basename(resolve(dir)), documents, questions };
}

/**
 * The question in a line of `questions.jsonl`: `text` and `answers`, and if they matter `id`, `lang` and `split`.
 * @throws naming file and line if a field is missing or wrong
 */
export function questionOf(line: JsonLine): DocumentQuestion {
  const { record, place } = line;
  const { id = place, lang = 'und', split = 'dev', answers } = record;
  if (!isSplit(split))
    throw new Error(`${place}: "split" must be one of ${SPLITS.join(', ')} but is ${describeValue(split)}.`);
  if (!Array.isArray(answers) || !answers.every(isSnippet))
    throw new Error(
      `${place}: "answers" must be a list of {source, contains} but is ${describeValue(answers)}.`,
    );
  return { ...commonFields({ record: { ...record, id, lang }, place }), split, answers };
}

function isSplit(value: unknown): value is Split {
  return SPLITS.some((split) => split === value);
}

function isSnippet(value: unknown): value is Snippet {
  const { source, contains } = Object(value);
  return typeof source === 'string' && typeof contains === 'string' && contains.trim() !== '';
}

export const collapsed = (text: string) => text.replace(/\s+/g, ' ').trim();

interface Ranked extends Outcome {
  rightInFive: boolean;
  failure?: Omit<FailedQuestion, 'collection'>;
}

/**
 * Asks the questions of a split on an index of each collection.
 * @param withFailures also lists the questions that failed
 */
export async function evaluateDocuments(
  builder: Builder,
  collections: readonly Collection[],
  split: Split,
  withFailures = false,
): Promise<DocumentsReport> {
  const outcomes = new Map<string, Ranked[]>();
  const failures: FailedQuestion[] = [];
  for (const collection of collections) {
    const some = await documentOutcomes(builder, collection, [split], withFailures);
    outcomes.set(collection.name, some);
    for (const { failure } of some) if (failure) failures.push({ collection: collection.name, ...failure });
  }
  return {
    split,
    collections: Object.fromEntries([...outcomes].map(([name, some]) => [name, scoresOf(some)])),
    all: scoresOf([...outcomes.values()].flat()),
    ...(withFailures && { failures }),
  };
}

/** Asks the questions of some splits on an index of a collection. Throws if they have none. */
export function documentOutcomes(
  builder: Builder,
  { name, documents, questions }: Collection,
  splits: readonly Split[],
  withFailures = false,
): Promise<Ranked[]> {
  const asked = questions.filter(({ split }) => splits.includes(split));
  if (asked.length === 0)
    throw new Error(`${name} has no questions for the split ${splits.join(' or ')}. Leave it out.`);
  return withDocuments(builder, documents, async (search) => {
    await embedQuestions(builder, asked);
    return askAll(search, asked, builder.mode, withFailures);
  });
}

function scoresOf(outcomes: readonly Ranked[]): DocumentScores {
  return {
    ...confidenceScores(outcomes),
    rightInFive: outcomes.filter(({ rightInFive }) => rightInFive).length,
  };
}

/** Asks questions, and compares each first result with the answers. */
export async function askAll(
  search: Search,
  questions: readonly DocumentQuestion[],
  mode: Mode,
  withFailures = false,
): Promise<Ranked[]> {
  const outcomes: Ranked[] = [];
  for (const question of questions) {
    const { text, answers } = question;
    const answer = await search.search({ q: text, k: K, mode, explain: true });
    const rank = await rankOf(search, answer, answers);
    const truth = { answerable: answers.length > 0, correct: rank === 1 };
    const outcome: Ranked = { ...outcomeOf(question, answer, truth), rightInFive: rank !== undefined };
    if (withFailures && hasFailed(outcome)) {
      const deep = async () => rankOf(search, await search.search({ q: text, k: DEEP_K, mode }), answers);
      outcome.failure = failureOf(question, answer, rank ?? (truth.answerable ? await deep() : undefined));
    }
    outcomes.push(outcome);
  }
  return outcomes;
}

const hasFailed = ({ answerable, correct, verdict }: Outcome): boolean =>
  answerable ? !correct : verdict === 'answered';

function failureOf(
  { id, lang, text, answers }: DocumentQuestion,
  { verdict, results }: Answer,
  rank: number | undefined,
): Omit<FailedQuestion, 'collection'> {
  const [first] = results;
  return {
    id,
    lang,
    text,
    expected: answers,
    rank: rank ?? null,
    verdict,
    first: first ? { source: first.source, title: first.title } : null,
  };
}

/** The rank of the best result that is an answer, from 1. */
async function rankOf(
  search: Search,
  { results }: Answer,
  answers: readonly Snippet[],
): Promise<number | undefined> {
  for (const [i, result] of results.entries()) if (await isRight(search, result, answers)) return i + 1;
  return undefined;
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

/** Formats the scores as text, a column per collection, and then the failures, if they were asked for. */
export function documentsTable({ split, collections, all, failures }: DocumentsReport): string {
  const columns: [string, DocumentScores][] = [...Object.entries(collections), ['all', all]];
  // The line below the share of right first results.
  const table = `documents, split ${split}\n${confidenceTable(columns, [...METRICS.slice(0, 2), IN_FIVE, ...METRICS.slice(2)])}`;
  if (!failures) return table;
  return [table, `failed questions: ${failures.length}`, ...failures.map(failureText)].join('\n\n');
}

function failureText({ collection, id, text, expected, rank, verdict, first }: FailedQuestion): string {
  const places = expected.map(({ source, contains }) => `  expected  ${source}: ${shortened(contains)}`);
  return [
    `${collection} ${id}: ${text}`,
    ...(places.length > 0 ? [...places, `  rank      ${rank ?? 'not found'}`] : ['  expected  no answer']),
    `  first     ${first ? `${first.source}: ${first.title}` : 'no result'}`,
    `  verdict   ${verdict}`,
  ].join('\n');
}

function shortened(snippet: string): string {
  const text = collapsed(snippet);
  return text.length > SNIPPET ? `${text.slice(0, SNIPPET)}…` : text;
}
