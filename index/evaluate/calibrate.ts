import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Matrix, solve } from 'ml-matrix';
import type { QuestionEmbedder } from '../embedding/embedder.ts';
import type { AsksModel, Calibration, EvidenceModel } from '../format/compiled-model.ts';
import type { Mode } from '../search/answer.ts';
import { FEATURES, quadratic } from '../search/confidence.ts';
import { fitLogistic, mean } from './metrics.ts';
import { nearTopic, type Outcome, unanswerable } from './outcomes.ts';
import { type Collection, documentOutcomes } from './real-documents.ts';
import { articleHalf, type EvaluationSet } from './set.ts';
import type { Builder } from './temporary-index.ts';

/** Of the questions in other languages, every third is asked. */
const STRIDE = 3;
/** Penalties of the weights, found by cross-validation over languages. */
const RIDGE = { evidence: 20, asks: 2 };

/** Reports a finished part. */
type Report = (line: string) => void;

/**
 * Fits everything that turns a search into a confidence to the fitting half of the sets' articles.
 * @param sets parallel sets in several languages
 * @param collections real documents, whose development questions are a fifth group
 */
export async function calibrate(
  builder: Omit<Builder, 'mode' | 'tokens'>,
  sets: readonly EvaluationSet[],
  collections: readonly Collection[],
  report: Report,
): Promise<Calibration> {
  const halves = sets.map((set) => articleHalf(set, 'fit'));
  const fit = async (mode: Mode, tokens: 'on' | 'off'): Promise<EvidenceModel> => {
    const groups = await outcomesOf({ ...builder, mode, tokens }, halves);
    const real: Outcome[] = [];
    for (const collection of collections)
      real.push(...(await documentOutcomes({ ...builder, mode, tokens }, collection, 'dev')));
    const model = fitEvidence(groups, real);
    const count = groups.reduce((sum, group) => sum + group.length, real.length);
    report(`${mode}, token states ${tokens}: from ${count} questions.`);
    return model;
  };
  const both = async (mode: Mode) => ({
    ...(builder.embedder.byToken && { tokens: await fit(mode, 'on') }),
    vectors: await fit(mode, 'off'),
  });
  const asks = await fitAsks(builder.embedder, halves);
  report(`Small talk: from ${asks.examples} texts.`);
  const hybrid = await both('hybrid');
  const semantic = await both('semantic');
  const groups = await outcomesOf({ ...builder, mode: 'lexical', tokens: 'off' }, halves);
  const lexical = groups.flat();
  const { slope, intercept } = fitLogistic(
    lexical.map(({ score }) => score),
    lexical.map(({ correct }) => correct),
  );
  report(`lexical: slope ${round(slope)}, intercept ${round(intercept)}, from ${lexical.length} questions.`);
  return {
    hybrid,
    semantic,
    lexical: { slope: round(slope), intercept: round(intercept) },
    asks: asks.model,
  };
}

/**
 * Asks the sets' questions without every second article, and without only the passages that answer them, in the language of the
 * passages and in other languages.
 * @returns a group for each of the four cases
 */
async function outcomesOf(builder: Builder, sets: readonly EvaluationSet[]): Promise<Outcome[][]> {
  const groups: Outcome[][] = [[], [], [], []];
  for (const set of sets) {
    const foreign = sets
      .filter((other) => other !== set)
      .flatMap(({ queries }) => queries.filter((_, i) => i % STRIDE === 0));
    const cases = [
      await unanswerable(builder, set),
      await nearTopic(builder, set),
      await unanswerable(builder, set, foreign),
      await nearTopic(builder, set, foreign),
    ];
    cases.forEach((outcomes, i) => {
      groups[i]!.push(...outcomes);
    });
  }
  return groups;
}

/** Fits the evidence model. Each group counts the same, and real documents as much as three. */
function fitEvidence(groups: readonly Outcome[][], real: readonly Outcome[]): EvidenceModel {
  const outcomes = [...groups.flat(), ...real];
  const columns = FEATURES.map((name) => outcomes.map(({ evidence }) => evidence[name]));
  const means = columns.map((values) => round(mean(values)));
  const deviations = columns.map((values, i) =>
    // A constant feature, such as the words in semantic mode, is left as it is.
    Math.max(1e-3, round(Math.sqrt(mean(values.map((value) => (value - means[i]!) ** 2))))),
  );
  const rows = outcomes.map(({ evidence }) =>
    quadratic(FEATURES.map((name, i) => (evidence[name] - means[i]!) / deviations[i]!)),
  );
  const importance = [
    ...groups.flatMap((group) => group.map(() => 1000 / group.length)),
    ...real.map(() => 3000 / real.length),
  ];
  const weights = fitLogisticRegression(
    rows,
    outcomes.map(({ correct }) => correct),
    importance,
    RIDGE.evidence,
  );
  return { means, deviations, weights: weights.map(round) };
}

/** Fits the model of texts that ask something to phrases of small talk, to short questions, and to the sets' questions. */
async function fitAsks(
  embedder: QuestionEmbedder,
  sets: readonly EvaluationSet[],
): Promise<{ model: AsksModel; examples: number }> {
  const asking = [
    ...readTexts('questions.jsonl'),
    ...sets.flatMap(({ queries }) => queries.filter((_, i) => i % 5 === 0).map(({ text }) => text)),
  ];
  const other = readTexts('small-talk.jsonl');
  const texts = [...asking, ...other];
  const vectors = await Promise.all(texts.map((text) => embedder.embed(text, 'query')));
  const weights = fitLogisticRegression(
    vectors.map((vector) => [1, ...vector]),
    texts.map((_, i) => i < asking.length),
    texts.map((_, i) => 1000 / (i < asking.length ? asking.length : other.length)),
    RIDGE.asks,
  );
  const [intercept = 0, ...rest] = weights.map(round);
  return { model: { weights: rest, intercept }, examples: texts.length };
}

/** The texts of a file of examples in this folder. */
function readTexts(name: string): string[] {
  const lines = readFileSync(fileURLToPath(new URL(`./${name}`, import.meta.url)), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => (JSON.parse(line) as { text: string }).text);
}

function round(value: number): number {
  return Number(value.toFixed(5));
}

/** Newton steps. The loss is convex, and ten steps reach its minimum to double precision. */
const STEPS = 25;

/**
 * Fits logistic regression with a ridge penalty: the weights w that maximize the weighted log-likelihood of P(label) = 1 / (1 + e^-(w x))
 * minus ridge / 2 |w|², by Newton's method (iteratively reweighted least squares; Hastie, Tibshirani and Friedman 2009, The Elements of
 * Statistical Learning, 4.4.1). The first term of each row is the constant 1, whose weight is not penalized.
 * @param rows the terms of each example, all with the same number
 * @param importance the weight of each example
 * @returns a weight for each term
 * @throws if the lists are empty or differ in length
 */
export function fitLogisticRegression(
  rows: readonly (readonly number[])[],
  labels: readonly boolean[],
  importance: readonly number[],
  ridge: number,
): number[] {
  const terms = rows[0]?.length;
  if (terms === undefined || labels.length !== rows.length || importance.length !== rows.length)
    throw new Error(
      `Logistic regression needs one label and one weight for each example, but has ${rows.length} examples, ${labels.length} labels and ${importance.length} weights.`,
    );
  const weights = new Float64Array(terms);
  for (let step = 0; step < STEPS; step++) {
    const gradient = new Float64Array(terms);
    const hessian = Matrix.zeros(terms, terms);
    rows.forEach((row, n) => {
      const logit = row.reduce((sum, value, i) => sum + value * weights[i]!, 0);
      const chance = 1 / (1 + Math.exp(-logit));
      const error = importance[n]! * (Number(labels[n]) - chance);
      const curvature = importance[n]! * Math.max(1e-9, chance * (1 - chance));
      for (let i = 0; i < terms; i++) {
        gradient[i]! += error * row[i]!;
        const scaled = curvature * row[i]!;
        for (let j = 0; j <= i; j++) hessian.set(i, j, hessian.get(i, j) + scaled * row[j]!);
      }
    });
    for (let i = 0; i < terms; i++) {
      for (let j = 0; j < i; j++) hessian.set(j, i, hessian.get(i, j));
      const penalty = i === 0 ? 1e-9 : ridge;
      gradient[i]! -= penalty * weights[i]!;
      hessian.set(i, i, hessian.get(i, i) + penalty);
    }
    const change = solve(hessian, Matrix.columnVector(Array.from(gradient)));
    const size = change.norm();
    // A long step could overshoot where the probabilities are near 0 or 1.
    const scale = Math.min(1, 5 / size);
    for (let i = 0; i < terms; i++) weights[i]! += scale * change.get(i, 0);
    if (size < 1e-8) break;
  }
  return Array.from(weights);
}
