import type {
  AsksModel,
  Calibration,
  CompiledModel,
  EvidenceModel,
  Logistic,
} from '../format/compiled-model.ts';
import type { Evidence, Mode, Verdict } from './answer.ts';
import { ANSWERED } from './limits.ts';

/** The confidence from which a result may be the answer. */
export const POSSIBLE = 0.1;

/** Curves of the score for models that `npx polyseek learn` has not calibrated: a rough estimate. */
const DEFAULTS: Record<Mode, { slope: number; intercept: number }> = {
  hybrid: { slope: 32.4, intercept: -40.6 },
  semantic: { slope: 44.3, intercept: -54.4 },
  lexical: { slope: 22.9, intercept: -4.3 },
};

/** What a confidence is computed from. */
export interface Judged {
  score: number;
  parts: { tokens: number };
  evidence: Evidence;
}

/**
 * Returns the probability that a result answers the question, 0 to 1, if the question asks something.
 * @param byTokens whether the index has token states
 * @param tuning of the index, for the mode `hybrid`
 */
export function confidenceOf(
  { score, parts, evidence }: Judged,
  mode: Mode,
  byTokens: boolean,
  calibration: Calibration,
  tuning?: Logistic,
): number {
  if (mode !== 'lexical') {
    const model = calibration[mode]?.[byTokens ? 'tokens' : 'vectors'];
    if (model) {
      const confidence = probability(model, evidence);
      return tuning && mode === 'hybrid' ? tuned(confidence, tuning) : confidence;
    }
  }
  const { slope, intercept } = (mode === 'lexical' && calibration.lexical) || DEFAULTS[mode];
  // The default curves were fitted to scores without tokens.
  return logistic(slope * (score - parts.tokens) + intercept);
}

/**
 * Checks that a model was calibrated for the features of this version.
 * @throws if it was not
 */
export function checkCalibration({ name, dimensions, calibration }: CompiledModel): void {
  const { hybrid, semantic, asks } = calibration;
  const models = [hybrid?.tokens, hybrid?.vectors, semantic?.tokens, semantic?.vectors].filter(Boolean);
  const fits =
    models.every((model) => model!.means.length === FEATURES.length) &&
    (asks === undefined || asks.weights.length === dimensions);
  if (!fits)
    throw new Error(
      `The model ${name} was calibrated by another version of polyseek. Run npx polyseek learn SET… --model FOLDER again.`,
    );
}

/**
 * Returns a confidence on an index that was tuned to questions about it. Scaling the logit keeps the order of the results (Platt 1999,
 * Probabilistic Outputs for Support Vector Machines).
 */
export function tuned(confidence: number, { slope, intercept }: Logistic): number {
  return logistic(slope * logitOf(confidence) + intercept);
}

/** The logarithm of a probability's odds. Neither 0 nor 1 is certain. */
export function logitOf(probability: number): number {
  const p = Math.min(Math.max(probability, 1e-6), 1 - 1e-6);
  return Math.log(p / (1 - p));
}

/** Logistic regression on the standardized features, their squares and their products. */
function probability({ means, deviations, weights }: EvidenceModel, evidence: Evidence): number {
  return logistic(
    quadratic(FEATURES.map((name, i) => (evidence[name] - means[i]!) / deviations[i]!)).reduce(
      (sum, term, i) => sum + weights[i]! * term,
      0,
    ),
  );
}

/** The terms of a quadratic function: 1, the values, then the products of each two values, in order. */
export function quadratic(values: readonly number[]): number[] {
  return [1, ...values, ...values.flatMap((value, i) => values.slice(i).map((other) => value * other))];
}

/**
 * Returns the probability that a text asks something of the documents, 0 to 1. Greetings, thanks and symbols ask nothing.
 * @param vector of the text, as a question
 */
export function asksOf(vector: Float32Array, model: AsksModel | undefined): number {
  if (!model) return 1;
  return logistic(vector.reduce((sum, value, i) => sum + value * model.weights[i]!, model.intercept));
}

/**
 * Returns the verdict on the best result.
 * @param confidence of the best result; undefined without results
 * @param answered the confidence from which it counts as the answer
 */
export function verdictOf(confidence: number | undefined, answered: number = ANSWERED): Verdict {
  if (confidence === undefined) return 'none';
  if (confidence >= answered) return 'answered';
  return confidence >= POSSIBLE ? 'possible' : 'none';
}

function logistic(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** The order of the evidence in a model. */
export const FEATURES = [
  'standing',
  'passageMargin',
  'sentenceMargin',
  'tokenMargin',
  'lacking',
  'sentence',
  'words',
  'typical',
] as const satisfies (keyof Evidence)[];

/** The evidence in lexical mode, whose confidence depends on the score alone. */
export const NO_EVIDENCE: Evidence = {
  standing: 0,
  passageMargin: 0,
  sentenceMargin: 0,
  tokenMargin: 0,
  lacking: 0,
  sentence: 0,
  words: 0,
  typical: 0,
};

/** Candidates that are compared. An index with fewer passages is filled up with passages that any index has. */
const CANDIDATES = 20;
/**
 * How much each cosine of such a passage exceeds the index mean, the part of its score for tokens, and the standard deviation of such
 * scores. Measured on XQuAD-R.
 */
export const COMMON = { cosine: 0.045, tokens: 0.248, deviation: 0.05 };

/** The evidence that the results of a question share. */
interface Shared extends Pick<Evidence, 'words' | 'typical'> {
  /** The score of a passage that any index has. */
  common: number;
}

/** A candidate, or a result. */
interface Scored {
  score: number;
  parts: { passage: number; sentence: number; tokens: number };
  /** For each question token: the similarity, and the number of the most similar token. */
  nearestTokens?: Float32Array;
}

/**
 * Returns a function from a result to its evidence.
 * @param candidates in the language of the best result, best first
 * @param weights of the question's tokens; none for an index without token states
 */
export function evidence(
  candidates: readonly Scored[],
  weights: Float32Array,
  { typical, words, common }: Shared,
): (result: Scored) => Evidence {
  const peers = candidates.slice(0, CANDIDATES);
  const missing = CANDIDATES - peers.length;
  const meanOf = (value: (peer: Scored) => number, ofCommon: number) =>
    (peers.reduce((sum, peer) => sum + value(peer), 0) + missing * ofCommon) / CANDIDATES;
  const mean = meanOf(({ score }) => score, common);
  const variance = meanOf(({ score }) => (score - mean) ** 2, (common - mean) ** 2 + COMMON.deviation ** 2);
  const deviation = Math.sqrt(variance) + 1e-6;
  const means = {
    passage: meanOf(({ parts }) => parts.passage, typical / 2 + COMMON.cosine),
    sentence: meanOf(({ parts }) => parts.sentence, typical / 2 + COMMON.cosine),
    tokens: meanOf(({ parts }) => parts.tokens, weights.length > 0 ? COMMON.tokens : 0),
  };
  // Each token's similarity in the candidate that matches it best.
  const highest = Array.from(weights, (_, t) =>
    peers.reduce((most, { nearestTokens }) => Math.max(most, nearestTokens?.[2 * t] ?? 0), 0),
  );
  return (result) => ({
    standing: (result.score - mean) / deviation,
    passageMargin: result.parts.passage - means.passage,
    sentenceMargin: result.parts.sentence - means.sentence,
    tokenMargin: result.parts.tokens - means.tokens,
    lacking: highest.reduce(
      (sum, most, t) => sum + weights[t]! * Math.max(0, most - (result.nearestTokens?.[2 * t] ?? most)),
      0,
    ),
    sentence: result.parts.sentence,
    words,
    typical,
  });
}
