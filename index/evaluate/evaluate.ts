import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIndex } from '../build.ts';
import type { Document } from '../documents/document.ts';
import { readDocuments } from '../documents/read.ts';
import type { QuestionEmbedder } from '../embedding/embedder.ts';
import type { Mode } from '../format/mode.ts';
import type { Answer, Search } from '../search/answer.ts';
import { openSearch } from '../search/open.ts';
import { auroc, mean, ndcg, precisionAt1, recall, reciprocalRank } from './metrics.ts';
import { type EvaluationQuery, type EvaluationSet, questionKey } from './set.ts';

/** Results asked for: more than the deepest cut-off, as several passages may be of one document. */
const K = 40;
const POOLED_CUTOFF = 20;
/** In the sets, paragraphs of one article stand in a row; every second such group is left out to make unanswerable questions. */
const ARTICLE = 5;

/** How well questions find what is relevant; means over the questions that have something relevant. */
export interface Scores {
  questions: number;
  r1: number;
  r5: number;
  r10: number;
  mrr10: number;
  ndcg10: number;
}

/** Scores of a set on its own passages, and how well confidence tells answerable questions from others. */
export interface SetScores extends Scores {
  auroc: number;
}

export interface PooledScores extends Scores {
  recall20: number;
  p1: number;
}

/** What evaluation needs to build an index as the product does. */
export interface Builder {
  embedder: QuestionEmbedder;
  countTokens: (text: string) => number;
  mode: Mode;
}

/** A question's best score and whether the result that has it is relevant: what a confidence curve is fitted to. */
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
 * Asks questions of a set while every second article is left out, which makes about half of them unanswerable.
 * @param queries its own questions, or the same ones in another set's language
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
        const { results } = await ask(search, text, builder.mode, 1);
        const right = [...(relevant.get(questionKey(id)) ?? [])].filter((one) => kept.has(one));
        outcomes.push({
          score: results[0]?.score ?? 0,
          confidence: results[0]?.confidence ?? 0,
          answerable: right.length > 0,
          correct: right.includes(recordOf(results[0]?.id ?? '', kept)),
        });
      }
      return outcomes;
    },
  );
}

/** Asks the questions of each set on the passages of every other, for the questions that both have. */
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

/** Asks the questions of all sets on one index of all: what is relevant in any set is right. */
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

/** The mean of each figure over sets or pairs, each counting the same; `questions` is their sum. */
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

/** The records that each question finds, best first; questions with nothing relevant are left out. */
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
  // All at once, so that every core embeds; the searches below then find the vectors made.
  await Promise.all(asked.map(({ text }) => embedder.embed(text, 'query')));
  const rankings: Ranking[] = [];
  for (const { text, right } of asked) {
    const { results } = await ask(search, text, mode, K);
    rankings.push({ ranked: [...new Set(results.map(({ id }) => recordOf(id, right)))], right });
  }
  return rankings;
}

function ask(search: Search, q: string, mode: Mode, k: number): Promise<Answer> {
  return search.search({ q, k, mode });
}

/** The id of the record that a passage is of: a long record makes several passages, `id#1`, `id#2` … */
function recordOf(id: string, records: ReadonlySet<string>): string {
  return records.has(id) ? id : id.replace(/#\d+$/, '');
}

/** Builds an index of the sets' passages in a folder of its own, by the product's own build, and opens it. */
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
    const plain = join(dir, 'passages.jsonl');
    for await (const document of readDocuments([existsSync(plain) ? plain : `${plain}.gz`])) {
      if (keep(document.id ?? '')) yield document;
    }
  }
}
