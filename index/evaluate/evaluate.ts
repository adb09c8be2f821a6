import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIndex } from '../build.ts';
import type { Document } from '../documents/document.ts';
import { readDocuments } from '../documents/read.ts';
import type { QuestionEmbedder } from '../embedding/embedder.ts';
import type { Mode } from '../format/mode.ts';
import type { Search, SearchResult } from '../search/answer.ts';
import { openSearch } from '../search/open.ts';
import { auroc, mean, ndcg, precisionAt1, recall, reciprocalRank } from './metrics.ts';
import { type EvaluationQuery, type EvaluationSet, questionKey, setFile } from './set.ts';

/** Results per question: more than the largest cutoff, since several passages may belong to one document. */
const K = 40;
const POOLED_CUTOFF = 20;
/** Passages per article, in the sets. Leaving out every second article makes its questions unanswerable. */
const ARTICLE = 5;

/** Retrieval metrics: means over the questions that have relevant passages. */
export interface Scores {
  questions: number;
  r1: number;
  r5: number;
  r10: number;
  mrr10: number;
  ndcg10: number;
}

/** Metrics of a set on its own passages. `auroc` measures how well confidence separates answerable questions from others. */
export interface SetScores extends Scores {
  auroc: number;
}

export interface PooledScores extends Scores {
  recall20: number;
  p1: number;
}

/** The settings for building and searching an index. */
export interface Builder {
  embedder: QuestionEmbedder;
  countTokens: (text: string) => number;
  mode: Mode;
}

/** The best score of a question, and whether that result is relevant. Confidence curves are fitted to these. */
export interface Outcome {
  score: number;
  confidence: number;
  answerable: boolean;
  correct: boolean;
}

/** Scores a set's questions on its own passages. */
export async function evaluateSet(builder: Builder, set: EvaluationSet): Promise<SetScores> {
  const scores = await withIndex(
    builder,
    [set],
    () => true,
    (search) => score(builder, search, set.queries, relevantIn(set)),
  );
  const outcomes = await unanswerable(builder, set);
  const confidences = (answerable: boolean) =>
    outcomes.filter((one) => one.answerable === answerable).map(({ confidence }) => confidence);
  return { ...scores, auroc: auroc(confidences(true), confidences(false)) };
}

/**
 * Asks questions on a set without every second article, which makes about half of them unanswerable.
 * @param queries the set's own questions, or the same ones from a set in another language
 */
export function unanswerable(
  builder: Builder,
  set: EvaluationSet,
  queries: readonly EvaluationQuery[] = set.queries,
): Promise<Outcome[]> {
  const kept = new Set(set.passages.filter((_, i) => Math.floor(i / ARTICLE) % 2 === 0).map(({ id }) => id));
  const relevant = relevantByKey([set]);
  return withIndex(
    builder,
    [set],
    (id) => kept.has(id),
    async (search) => {
      await Promise.all(queries.map(({ text }) => builder.embedder.embed(text, 'query')));
      const outcomes: Outcome[] = [];
      for (const { id, text } of queries) {
        const { results } = await search.search({ q: text, k: 1, mode: builder.mode });
        const right = [...(relevant.get(questionKey(id)) ?? [])].filter((one) => kept.has(one));
        outcomes.push({
          score: results[0]?.score ?? 0,
          confidence: results[0]?.confidence ?? 0,
          answerable: right.length > 0,
          correct: results
            .slice(0, 1)
            .some((result) => recordsOf(result, kept).some((one) => right.includes(one))),
        });
      }
      return outcomes;
    },
  );
}

/** Asks the questions of each set on the passages of every other set. Skips questions that only one of them has. */
export async function evaluateCross(
  builder: Builder,
  sets: EvaluationSet[],
): Promise<Record<string, Scores>> {
  const pairs: Record<string, Scores> = {};
  for (const target of sets) {
    const relevant = relevantByKey([target]);
    await withIndex(
      builder,
      [target],
      () => true,
      async (search) => {
        for (const from of sets) {
          if (from === target) continue;
          pairs[`${from.name}-${target.name}`] = await score(builder, search, from.queries, ({ id }) =>
            relevant.get(questionKey(id)),
          );
        }
      },
    );
  }
  return pairs;
}

/** Asks the questions of all sets on one index of all sets. A passage is relevant if it is in any set. */
export function evaluatePooled(builder: Builder, sets: EvaluationSet[]): Promise<PooledScores> {
  const relevant = relevantByKey(sets);
  const queries = sets.flatMap((set) => set.queries);
  return withIndex(
    builder,
    sets,
    () => true,
    async (search) => {
      const rankings = await rank(builder, search, queries, ({ id }) => relevant.get(questionKey(id)));
      return {
        ...summary(rankings),
        recall20: mean(rankings.map(({ ranked, right }) => recall(ranked, right, POOLED_CUTOFF))),
        p1: mean(rankings.map(({ ranked, right }) => precisionAt1(ranked, right))),
      };
    },
  );
}

/** The mean of each metric over sets or pairs, unweighted. `questions` is the sum. */
export function meanScores<T extends Scores>(all: T[]): T {
  const keys = Object.keys(all[0]!) as (keyof T & string)[];
  const means = keys.map((key) => {
    const values = all.map((one) => Number(one[key]));
    return [key, key === 'questions' ? values.reduce((sum, value) => sum + value, 0) : mean(values)];
  });
  return Object.fromEntries(means) as T;
}

type Relevant = (query: EvaluationQuery) => ReadonlySet<string> | undefined;

interface Ranking {
  ranked: string[];
  right: ReadonlySet<string>;
}

function relevantIn(set: EvaluationSet): Relevant {
  const sets = new Map(set.queries.map(({ id, relevant }) => [id, new Set(relevant)]));
  return ({ id }) => sets.get(id);
}

function relevantByKey(sets: EvaluationSet[]): Map<string, Set<string>> {
  const relevant = new Map<string, Set<string>>();
  for (const query of sets.flatMap(({ queries }) => queries)) {
    const key = questionKey(query.id);
    relevant.set(key, new Set([...(relevant.get(key) ?? []), ...query.relevant]));
  }
  return relevant;
}

async function score(
  builder: Builder,
  search: Search,
  queries: readonly EvaluationQuery[],
  relevant: Relevant,
): Promise<Scores> {
  return summary(await rank(builder, search, queries, relevant));
}

function summary(rankings: Ranking[]): Scores {
  const over = (metric: (ranked: string[], right: ReadonlySet<string>) => number) =>
    mean(rankings.map(({ ranked, right }) => metric(ranked, right)));
  return {
    questions: rankings.length,
    r1: over((ranked, right) => recall(ranked, right, 1)),
    r5: over((ranked, right) => recall(ranked, right, 5)),
    r10: over((ranked, right) => recall(ranked, right, 10)),
    mrr10: over(reciprocalRank),
    ndcg10: over(ndcg),
  };
}

/** The ids of the records that each question finds, best first. Skips questions without relevant passages. */
async function rank(
  { embedder, mode }: Builder,
  search: Search,
  queries: readonly EvaluationQuery[],
  relevant: Relevant,
): Promise<Ranking[]> {
  const asked = queries.flatMap((query) => {
    const right = relevant(query);
    return right && right.size > 0 ? [{ text: query.text, right }] : [];
  });
  // Embedding all at once uses every core. The embedder caches the results for the searches below.
  await Promise.all(asked.map(({ text }) => embedder.embed(text, 'query')));
  const rankings: Ranking[] = [];
  for (const { text, right } of asked) {
    const { results } = await search.search({ q: text, k: K, mode });
    rankings.push({ ranked: rankedRecords(results, right), right });
  }
  return rankings;
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

/** The ids of a result's record, and of the records that have the same text. */
function recordsOf({ id, alsoIn = [] }: SearchResult, records: ReadonlySet<string>): string[] {
  return [id, ...alsoIn.map((place) => place.id)].map((one) => recordOf(one, records));
}

/** The id of a passage's record: a long record has several passages, `id#1`, `id#2` … */
function recordOf(id: string, records: ReadonlySet<string>): string {
  return records.has(id) ? id : id.replace(/#\d+$/, '');
}

/** Builds an index of the sets' passages in a temporary folder, and opens it. */
export async function withIndex<T>(
  builder: Builder,
  sets: EvaluationSet[],
  keep: (id: string) => boolean,
  use: (search: Search) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'polyseek-eval-'));
  try {
    const index = join(folder, 'index');
    await buildIndex(documentsOf(sets, keep), index, builder.embedder, builder.countTokens);
    return await use(await openSearch({ index, model: builder.embedder, verify: false }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function* documentsOf(sets: EvaluationSet[], keep: (id: string) => boolean): AsyncGenerator<Document> {
  for (const { dir } of sets) {
    for await (const document of readDocuments([setFile(dir, 'passages.jsonl')])) {
      if (keep(document.id ?? '')) yield document;
    }
  }
}
