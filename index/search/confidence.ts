import type { Calibration, CompiledModel, LinearModel, Logistic } from '../format/compiled-model.ts';
import type { Evidence, Explanation, Mode, Verdict } from './answer.ts';
import { ANSWERED } from './limits.ts';

/** The confidence from which a result may be the answer. */
export const POSSIBLE = 0.15;

/** Curves of the score for models that `npx polyseek learn` has not calibrated: a rough estimate. */
const DEFAULTS: Record<Mode, { slope: number; intercept: number }> = {
  hybrid: { slope: 32.4, intercept: -40.6 },
  semantic: { slope: 44.3, intercept: -54.4 },
  lexical: { slope: 22.9, intercept: -4.3 },
};

/** What a confidence is computed from. */
interface Judged {
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
      const confidence = logistic(logitBy(model, evidence));
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
    models.every((model) => model!.weights.length === FEATURES.length) &&
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

/**
 * Returns the probability that a text asks something of the documents, 0 to 1. Greetings, thanks and symbols ask nothing.
 * @param vector of the text, as a question
 */
export function asksOf(vector: Float32Array, model: LinearModel | undefined): number {
  return model ? logistic(linear(vector, model)) : 1;
}

/** The logit of the confidence that a model gives evidence. */
export function logitBy(model: LinearModel, evidence: Evidence): number {
  return linear(
    FEATURES.map((name) => evidence[name]),
    model,
  );
}

function linear(values: ArrayLike<number>, { weights, intercept }: LinearModel): number {
  return weights.reduce((sum, weight, i) => sum + weight * values[i]!, intercept);
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

export function logistic(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** The order of the evidence in a model. */
export const FEATURES = [
  'passageMargin',
  'tokenMargin',
  'sentence',
  'lexical',
  'words',
  'unmatched',
  'matchable',
  'length',
] as const satisfies (keyof Evidence)[];

/** The evidence in lexical mode, whose confidence depends on the score alone. */
export const NO_EVIDENCE: Evidence = {
  passageMargin: 0,
  tokenMargin: 0,
  sentence: 0,
  lexical: 0,
  words: 0,
  unmatched: 0,
  matchable: 0,
  length: 0,
};

/** Candidates that are compared. */
const CANDIDATES = 20;
/**
 * A passage that any index has: how much its cosine exceeds half of the question's similarity to the index mean, and the part of its
 * score for tokens. Measured on XQuAD-R.
 */
const COMMON = { cosine: 0.045, tokens: 0.248 };
/** Tokens that are less similar have nothing in common. */
const SIMILAR = 0.45;

/** A candidate, or a result. */
interface Scored {
  parts: Pick<Explanation, 'passage' | 'sentence' | 'lexical' | 'tokens'>;
  /** For each question token: the similarity, and the number of the most similar token. */
  nearestTokens?: Float32Array;
}

/**
 * Returns a function from a result to its evidence.
 * @param candidates in the language of the best result, best first
 * @param weights of the question's tokens; none for an index without token states
 * @param question its similarity to a typical passage, and the highest BM25 share of any passage
 */
export function evidence(
  candidates: readonly Scored[],
  weights: Float32Array,
  { typical, words }: { typical: number; words: number },
): (result: Scored) => Evidence {
  const peers = candidates.slice(0, CANDIDATES);
  // A passage that any index has is one of them, so that the only passage of an index can exceed something.
  const meanOf = (value: (peer: Scored) => number, ofCommon: number) =>
    peers.reduce((sum, peer) => sum + value(peer), ofCommon) / (peers.length + 1);
  const passage = meanOf(({ parts }) => parts.passage, typical / 2 + COMMON.cosine);
  const tokens = meanOf(({ parts }) => parts.tokens, weights.length > 0 ? COMMON.tokens : 0);
  const similarity = ({ nearestTokens }: Scored, t: number) => nearestTokens?.[2 * t] ?? 0;
  const weighted = (value: (t: number) => number) =>
    weights.reduce((sum, weight, t) => sum + weight * value(t), 0);
  const matchable = weighted((t) => peers.reduce((most, peer) => Math.max(most, similarity(peer, t)), 0));
  // The inverse of the sum of squares is the number of tokens if all have the same weight.
  const length = weights.length > 0 ? -Math.log(weighted((t) => weights[t]!)) : 0;
  return (result) => ({
    passageMargin: result.parts.passage - passage,
    tokenMargin: result.parts.tokens - tokens,
    sentence: result.parts.sentence,
    lexical: result.parts.lexical,
    words,
    // Weights add up to 1, except for rounding.
    unmatched: Math.min(
      1,
      weighted((t) => Number(similarity(result, t) < SIMILAR)),
    ),
    matchable,
    length,
  });
}
