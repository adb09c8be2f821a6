import { basename, dirname } from 'node:path';
import { describeValue } from '../documents/records/json-lines.ts';
import type { Logistic } from '../format/compiled-model.ts';
import type { Search } from '../search/answer.ts';
import { logitOf, tuned, verdictOf } from '../search/confidence.ts';
import { LIMITS } from '../search/limits.ts';
import { type ConfidenceScores, confidenceScores } from './confidence-report.ts';
import { fitLogisticRegression } from './logistic-regression.ts';
import type { Outcome } from './outcomes.ts';
import { askAll, collapsed, type DocumentQuestion, questionOf } from './real-documents.ts';
import { readItems } from './set.ts';

/** With fewer questions of either kind, a fit would follow chance. */
const FEWEST = { right: 5, other: 5 };

/** An imaginary question at each of these confidences confirms it, so that few questions move it little. */
const PRIOR = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);
/** A smaller slope would make all results alike, and a negative one would reverse them. */
const LEAST_SLOPE = 0.2;
/** Characters of an answer that are searched for: fewer than the most tokens of a question, in any language. */
const SEARCHED = 120;

export interface TuneReport {
  questions: number;
  /** With the index as it is. */
  now: ConfidenceScores;
  /** With a fit to the other questions, for each question, so that it shows what new questions would get. */
  tuned: ConfidenceScores;
  tuning: Logistic;
}

/**
 * Fits the confidence of an index to questions about it.
 * @param current the tuning that the index has
 * @param file JSON Lines with `text` and `answers`, as of a collection
 * @throws naming file and line if a question is malformed, or no passage contains its answer; or if there are too few questions
 */
export async function tune(search: Search, current: Logistic | undefined, file: string): Promise<TuneReport> {
  const places = new Map<DocumentQuestion, string>();
  const questions = await readItems(dirname(file), basename(file), (line) => {
    const question = questionOf(line);
    places.set(question, line.place);
    return question;
  });
  for (const question of questions) await checkAnswers(search, question, places.get(question)!);
  const outcomes = await askAll(search, questions, 'hybrid');
  const right = outcomes.filter(({ correct }) => correct).length;
  if (right < FEWEST.right || outcomes.length - right < FEWEST.other)
    throw new Error(
      `${file}: ${right} of ${outcomes.length} questions have a right first result, but tuning needs at least ${FEWEST.right} that have one and ${FEWEST.other} that have none. Add questions, also some that the documents do not answer.`,
    );
  return tuneReport(outcomes, current);
}

/** @param current the tuning that the outcomes' confidence has */
export function tuneReport(outcomes: readonly Outcome[], current: Logistic | undefined): TuneReport {
  const plain = outcomes.map((outcome) => ({
    ...outcome,
    confidence: current ? tuned(outcome.confidence, inverse(current)) : outcome.confidence,
  }));
  return {
    questions: outcomes.length,
    now: confidenceScores(outcomes),
    tuned: confidenceScores(
      plain.map((outcome, i) => {
        const confidence = tuned(outcome.confidence, fitTuning(plain.toSpliced(i, 1)));
        return { ...outcome, confidence, verdict: verdictOf(confidence) };
      }),
    ),
    tuning: fitTuning(plain),
  };
}

/**
 * Fits slope and intercept to outcomes without a tuning: logistic regression on the logit of their confidence.
 * The prior is a set of imaginary questions (Bedrick, Christensen and Johnson 1996, A New Perspective on Priors for Generalized Linear
 * Models).
 */
export function fitTuning(outcomes: readonly Pick<Outcome, 'confidence' | 'correct'>[]): Logistic {
  const examples = [
    ...outcomes.map(({ confidence, correct }) => ({ confidence, label: Number(correct) })),
    ...PRIOR.map((confidence) => ({ confidence, label: confidence })),
  ];
  const [intercept = 0, slope = 1] = fitLogisticRegression(
    examples.map(({ confidence }) => [1, logitOf(confidence)]),
    examples.map(({ label }) => label),
    examples.map(() => 1),
    0,
  );
  return { slope: Math.max(LEAST_SLOPE, rounded(slope)), intercept: rounded(intercept) };
}

/** The tuning that undoes another. */
const inverse = ({ slope, intercept }: Logistic): Logistic => ({
  slope: 1 / slope,
  intercept: -intercept / slope,
});

const rounded = (value: number) => Number(value.toFixed(3));

/** Throws if no passage contains an answer: a copying error would count against the index. */
async function checkAnswers(search: Search, { answers }: DocumentQuestion, place: string): Promise<void> {
  for (const { source, contains } of answers) {
    const { results } = await search.search({
      q: contains.slice(0, SEARCHED),
      k: LIMITS.k.max,
      mode: 'hybrid',
      filter: { source: [source] },
    });
    if (results.some(({ text }) => collapsed(text).includes(collapsed(contains)))) continue;
    throw new Error(
      results.length === 0
        ? `${place}: no document is named ${describeValue(source)}. npx polyseek inspect lists them.`
        : `${place}: no passage of ${source} contains ${describeValue(contains)}. Copy a shorter piece of one passage, as npx polyseek inspect ${source} prints it.`,
    );
  }
}
