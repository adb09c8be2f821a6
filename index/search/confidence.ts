import type { Logistic } from '../format/compiled-model.ts';
import type { Mode } from '../format/mode.ts';

/** How certain a result must be for the question to count as answered, unless the request says otherwise. */
export const ANSWERED = 0.5;

/** What a model without curves of its own gets: those of the default model, which `npm run learn` found; rough for any other. */
const DEFAULTS: Record<Mode, Logistic> = {
  hybrid: { slope: 32.4, intercept: -40.6 },
  semantic: { slope: 44.3, intercept: -54.4 },
  lexical: { slope: 22.9, intercept: -4.3 },
};

/** 0 to 1: how likely it is that a passage with this score answers the question (Platt scaling). */
export function confidenceOf(score: number, mode: Mode, curves: Partial<Record<Mode, Logistic>>): number {
  const { slope, intercept } = curves[mode] ?? DEFAULTS[mode];
  return 1 / (1 + Math.exp(-(slope * score + intercept)));
}
