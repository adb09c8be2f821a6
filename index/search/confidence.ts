import type { AsksModel, Calibration, CompiledModel, EvidenceModel } from '../format/compiled-model.ts';
import type { Mode } from '../format/mode.ts';
import type { Verdict } from './answer.ts';
import { type Evidence, FEATURES } from './evidence.ts';
import { ANSWERED } from './limits.ts';

/** The confidence from which a result may be the answer. */
export const POSSIBLE = 0.2;

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
 */
export function confidenceOf(
  { score, parts, evidence }: Judged,
  mode: Mode,
  byTokens: boolean,
  calibration: Calibration,
): number {
  if (mode !== 'lexical') {
    const model = calibration[mode]?.[byTokens ? 'tokens' : 'vectors'];
    if (model) return probability(model, evidence);
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
