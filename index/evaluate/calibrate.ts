import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { QuestionEmbedder } from '../embedding/embedder.ts';
import type { Calibration, LinearModel } from '../format/compiled-model.ts';
import type { Mode } from '../search/answer.ts';
import { asksOf, FEATURES, logistic, logitBy } from '../search/confidence.ts';
import { fitLogistic, fitLogisticRegression } from './logistic-regression.ts';
import { nearTopic, type Outcome, unanswerable } from './outcomes.ts';
import { type Collection, documentOutcomes, type Split } from './real-documents.ts';
import { mean } from './retrieval-metrics.ts';
import { articleHalf, type EvaluationSet } from './set.ts';
import type { Builder } from './temporary-index.ts';

/** Of the questions in other languages, every third is asked. */
const STRIDE = 3;
/** Penalties of the weights, chosen on the bank's part `choose`. */
const RIDGE = { evidence: 10, asks: 0.1 };

/** The parts of collections that weights may be fitted to. */
const LEARNED: readonly Split[] = ['dev', 'learn'];

/** Reports a finished part. */
type Report = (line: string) => void;

/**
 * Fits everything that turns a search into a confidence to the fitting half of the sets' articles.
 * @param sets parallel sets in several languages
 * @param collections real documents, whose questions for learning are used
 */
export async function calibrate(
  builder: Omit<Builder, 'mode' | 'tokens'>,
  sets: readonly EvaluationSet[],
  collections: readonly Collection[],
  report: Report,
): Promise<Calibration> {
  const halves = sets.map((set) => articleHalf(set, 'fit'));
  const asks = await fitAsks(builder.embedder, halves, collections);
  report(`Small talk: from ${asks.examples} texts.`);
  const fit = async (mode: Mode, tokens: 'on' | 'off'): Promise<LinearModel> => {
    const groups = await outcomesOf({ ...builder, mode, tokens }, halves);
    const real: Outcome[][] = [];
    for (const collection of collections)
      real.push(await documentOutcomes({ ...builder, mode, tokens }, collection, LEARNED));
    const model = fitEvidence(groups, real);
    const asked = await Promise.all(
      real.flatMap(inProportion).map(async (one) => ({
        ...one,
        asks: asksOf(await builder.embedder.embed(one.outcome.question.text, 'query'), asks.model),
      })),
    );
    report(`${mode}, token states ${tokens}: from ${[...groups, ...real].flat().length} questions.`);
    return rounded(asked.length > 0 ? centred(model, asked) : model);
  };
  const both = async (mode: Mode) => ({
    ...(builder.embedder.byToken && { tokens: await fit(mode, 'on') }),
    vectors: await fit(mode, 'off'),
  });
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

/**
 * Fits the evidence model. Each group of the sets counts the same, and real documents as much as eight. Of those, a question without an
 * answer counts as much as two: to answer it does more harm than to answer none. That makes all confidences too low, which `centred`
 * corrects.
 */
function fitEvidence(groups: readonly Outcome[][], real: readonly Outcome[][]): LinearModel {
  const all = real.flatMap(inProportion);
  const sum = all.reduce((sum, { outcome, weight }) => sum + (outcome.answerable ? 1 : 2) * weight, 0);
  const weighted = [
    ...groups.flatMap((group) => group.map((outcome) => ({ outcome, weight: 1 / group.length }))),
    ...all.map(({ outcome, weight }) => ({
      outcome,
      weight: (8 * (outcome.answerable ? 1 : 2) * weight) / sum,
    })),
  ];
  const outcomes = weighted.map(({ outcome }) => outcome);
  const columns = FEATURES.map((name) => outcomes.map(({ evidence }) => evidence[name]));
  const means = columns.map(mean);
  const deviations = columns.map((values, i) =>
    // A constant feature, such as the words in semantic mode, is left as it is.
    Math.max(1e-3, Math.sqrt(mean(values.map((value) => (value - means[i]!) ** 2)))),
  );
  // The penalty needs features of one scale.
  const [constant = 0, ...scaled] = fitLogisticRegression(
    outcomes.map(({ evidence }) => [
      1,
      ...FEATURES.map((name, i) => (evidence[name] - means[i]!) / deviations[i]!),
    ]),
    outcomes.map(({ correct }) => Number(correct)),
    weighted.map(({ weight }) => 1000 * weight),
    RIDGE.evidence,
  );
  const weights = scaled.map((weight, i) => weight / deviations[i]!);
  const intercept = weights.reduce((sum, weight, i) => sum - weight * means[i]!, constant);
  return { weights, intercept };
}

/** An outcome, and how much it counts. */
interface Weighted {
  outcome: Outcome;
  weight: number;
}

/** Each collection counts by the square root of its questions. */
function inProportion(collection: readonly Outcome[]): Weighted[] {
  return collection.map((outcome) => ({ outcome, weight: 1 / Math.sqrt(collection.length) }));
}

/**
 * Moves the intercept of a model until the mean confidence of outcomes is the share of those that are right (calibration in the large).
 * @param outcomes with the probability that their question asks something
 */
export function centred(
  { weights, intercept }: LinearModel,
  outcomes: readonly (Weighted & { asks: number })[],
): LinearModel {
  /** How much the confidences exceed the share, in all. */
  const excess = (change: number) =>
    outcomes.reduce((sum, { outcome, weight, asks }) => {
      const logit = logitBy({ weights, intercept: intercept + change }, outcome.evidence);
      return sum + weight * (asks * logistic(logit) - Number(outcome.correct));
    }, 0);
  let [low, high] = [-10, 10];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (excess(middle) < 0) low = middle;
    else high = middle;
  }
  return { weights, intercept: intercept + low };
}

function rounded({ weights, intercept }: LinearModel): LinearModel {
  return { weights: weights.map(round), intercept: round(intercept) };
}

/** Fits the model of texts that ask something to phrases of small talk, and to questions: short ones, the sets' and the collections'. */
async function fitAsks(
  embedder: QuestionEmbedder,
  sets: readonly EvaluationSet[],
  collections: readonly Collection[],
): Promise<{ model: LinearModel; examples: number }> {
  const asking = [
    ...readTexts('questions.jsonl'),
    ...sets.flatMap(({ queries }) => queries.filter((_, i) => i % 5 === 0).map(({ text }) => text)),
    ...collections.flatMap(({ questions }) =>
      questions.filter(({ split }) => LEARNED.includes(split)).map(({ text }) => text),
    ),
  ];
  const other = readTexts('small-talk.jsonl');
  const texts = [...asking, ...other];
  const vectors = await Promise.all(texts.map((text) => embedder.embed(text, 'query')));
  const weights = fitLogisticRegression(
    vectors.map((vector) => [1, ...vector]),
    texts.map((_, i) => Number(i < asking.length)),
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
