import type { Logistic } from '../format/compiled-model.ts';
import type { Mode } from '../format/mode.ts';
import type { Verdict } from './answer.ts';

/** The confidence from which a question counts as answered, unless the request sets another. */
export const ANSWERED = 0.5;
/** The confidence from which a result may be the answer. */
const POSSIBLE = 0.2;

/** Curves of the default model, from `npm run learn`. Models without curves use them as a rough estimate. */
const DEFAULTS: Record<Mode, Logistic> = {
  hybrid: { slope: 32.4, intercept: -40.6 },
  semantic: { slope: 44.3, intercept: -54.4 },
  lexical: { slope: 22.9, intercept: -4.3 },
};

/** Returns the probability that a passage with this score answers the question, 0 to 1 (Platt scaling). */
export function confidenceOf(score: number, mode: Mode, curves: Partial<Record<Mode, Logistic>>): number {
  const { slope, intercept } = curves[mode] ?? DEFAULTS[mode];
  return 1 / (1 + Math.exp(-(slope * score + intercept)));
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
