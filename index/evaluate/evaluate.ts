import type { Search } from '../search/answer.ts';
import { unanswerable } from './outcomes.ts';
import { auroc, mean, ndcg, precisionAt1, recall, reciprocalRank } from './retrieval-metrics.ts';
import {
  type EvaluationQuery,
  type EvaluationSet,
  questionKey,
  rankedRecords,
  relevantByKey,
} from './set.ts';
import { type Builder, embedQuestions, withIndex } from './temporary-index.ts';

/** Results per question: more than the largest cutoff, since several passages may belong to one document. */
const K = 40;
const POOLED_CUTOFF = 20;

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

/** Scores a set's questions on its own passages. */
export async function evaluateSet(builder: Builder, set: EvaluationSet): Promise<SetScores> {
  const scores = await withIndex(builder, [set], (search) =>
    score(builder, search, set.queries, relevantIn(set)),
  );
  const outcomes = await unanswerable(builder, set);
  const confidences = (answerable: boolean) =>
    outcomes.filter((one) => one.answerable === answerable).map(({ confidence }) => confidence);
  return { ...scores, auroc: auroc(confidences(true), confidences(false)) };
}

/** Asks the questions of each set on the passages of every other set. Skips questions that only one of them has. */
export async function evaluateCross(
  builder: Builder,
  sets: EvaluationSet[],
): Promise<Record<string, Scores>> {
  const pairs: Record<string, Scores> = {};
  for (const target of sets) {
    const relevant = relevantByKey([target]);
    await withIndex(builder, [target], async (search) => {
      for (const from of sets) {
        if (from === target) continue;
        pairs[`${from.name}-${target.name}`] = await score(builder, search, from.queries, ({ id }) =>
          relevant.get(questionKey(id)),
        );
      }
    });
  }
  return pairs;
}

/** Asks the questions of all sets on one index of all sets. A passage is relevant if it is in any set. */
export function evaluatePooled(builder: Builder, sets: EvaluationSet[]): Promise<PooledScores> {
  const relevant = relevantByKey(sets);
  const queries = sets.flatMap((set) => set.queries);
  return withIndex(builder, sets, async (search) => {
    const rankings = await rank(builder, search, queries, ({ id }) => relevant.get(questionKey(id)));
    return {
      ...summary(rankings),
      recall20: mean(rankings.map(({ ranked, right }) => recall(ranked, right, POOLED_CUTOFF))),
      p1: mean(rankings.map(({ ranked, right }) => precisionAt1(ranked, right))),
    };
  });
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
  builder: Builder,
  search: Search,
  queries: readonly EvaluationQuery[],
  relevant: Relevant,
): Promise<Ranking[]> {
  const asked = queries.flatMap((query) => {
    const right = relevant(query);
    return right && right.size > 0 ? [{ text: query.text, right }] : [];
  });
  await embedQuestions(builder, asked);
  const rankings: Ranking[] = [];
  for (const { text, right } of asked) {
    const { results } = await search.search({ q: text, k: K, mode: builder.mode });
    rankings.push({ ranked: rankedRecords(results, right), right });
  }
  return rankings;
}
