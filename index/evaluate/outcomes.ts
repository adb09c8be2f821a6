import type { Answer, Evidence, Search, Verdict } from '../search/answer.ts';
import { NO_EVIDENCE } from '../search/confidence.ts';
import {
  type EvaluationQuery,
  type EvaluationSet,
  FOLDS,
  passagesInFold,
  type Question,
  questionKey,
  recordsOf,
  relevantByKey,
  withoutEverySecondArticle,
} from './set.ts';
import { type Builder, embedQuestions, withIndex } from './temporary-index.ts';

/** The best result of a question, and whether it is relevant. Confidence is fitted to and measured on outcomes. */
export interface Outcome {
  question: Question;
  score: number;
  confidence: number;
  evidence: Evidence;
  verdict: Verdict;
  /** Whether the index contains a passage that answers the question. */
  answerable: boolean;
  /** Whether the best result is such a passage. */
  correct: boolean;
}

/** A question and the ids of the passages of an index that answer it. */
interface Asked {
  question: Question;
  right: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

/** The outcome of a question. A question without results has score and confidence 0. */
export function outcomeOf(
  question: Question,
  { results, verdict }: Answer,
  truth: Pick<Outcome, 'answerable' | 'correct'>,
): Outcome {
  const { score = 0, confidence = 0, evidence = NO_EVIDENCE } = results[0] ?? {};
  return { question, score, confidence, evidence, verdict, ...truth };
}

/**
 * Asks questions on a set without every second article, which makes about half of them unanswerable.
 * @param queries the set's own questions, or the same ones from sets in other languages. Skips those that the set does not have
 */
export function unanswerable(
  builder: Builder,
  set: EvaluationSet,
  queries: readonly EvaluationQuery[] = set.queries,
): Promise<Outcome[]> {
  const kept = withoutEverySecondArticle(set);
  const asked = askedOf(set, queries).map(({ question, right }) => ({
    question,
    right: new Set([...right].filter((id) => kept.has(id))),
  }));
  return withIndex(
    builder,
    [set],
    (search) => ask(builder, search, set, asked),
    (id) => kept.has(id),
  );
}

/**
 * Asks each question twice: on all passages of a set, where it is answerable, and on an index without the passages that answer it,
 * where the other passages of their article remain. Each of five indexes leaves out one passage of every article. A question whose
 * relevant passages are in several of these folds is asked only on all passages. So are the questions without an answer in the set.
 * @param queries as for `unanswerable`
 */
export async function nearTopic(
  builder: Builder,
  set: EvaluationSet,
  queries: readonly EvaluationQuery[] = set.queries,
): Promise<Outcome[]> {
  const asked = askedOf(set, queries);
  const outcomes = await withIndex(builder, [set], (search) => ask(builder, search, set, asked));
  for (let fold = 0; fold < FOLDS; fold++) {
    const out = passagesInFold(set, fold);
    const without = asked
      .filter(({ right }) => right.size > 0 && [...right].every((id) => out.has(id)))
      .map(({ question }) => ({ question, right: NONE }));
    if (without.length === 0) continue;
    const found = await withIndex(
      builder,
      [set],
      (search) => ask(builder, search, set, without),
      (id) => !out.has(id),
    );
    outcomes.push(...found);
  }
  return outcomes;
}

function askedOf(set: EvaluationSet, queries: readonly EvaluationQuery[]): Asked[] {
  const relevant = relevantByKey([set]);
  return queries.flatMap((question) => {
    const right = relevant.get(questionKey(question.id));
    return right ? [{ question, right }] : [];
  });
}

async function ask(
  builder: Builder,
  search: Search,
  { passages }: EvaluationSet,
  asked: readonly Asked[],
): Promise<Outcome[]> {
  const records = new Set(passages.map(({ id }) => id));
  await embedQuestions(
    builder,
    asked.map(({ question }) => question),
  );
  const outcomes: Outcome[] = [];
  for (const { question, right } of asked) {
    const answer = await search.search({ q: question.text, k: 1, mode: builder.mode, explain: true });
    const correct = answer.results.some((result) => recordsOf(result, records).some((id) => right.has(id)));
    outcomes.push(outcomeOf(question, answer, { answerable: right.size > 0, correct }));
  }
  return outcomes;
}
