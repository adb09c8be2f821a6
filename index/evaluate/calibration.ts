import { auroc, mean } from './metrics.ts';
import type { Outcome } from './outcomes.ts';

/** Bins of equal width for the expected calibration error, as in Guo et al. 2017. */
const BINS = 15;

/** The results with a confidence from `from` to below `to` (the last bin includes 1). */
export interface Bin {
  from: number;
  to: number;
  /** Number of results, at least 1. */
  count: number;
  /** Their mean confidence. */
  confidence: number;
  /** The share of right results. */
  right: number;
}

/** Counts of questions, by the verdict on their first result. `possible` counts the verdicts `possible` and `answered`. */
export interface ConfidenceScores {
  answerable: {
    questions: number;
    /** Questions whose first result is right. */
    right: number;
    rightAnswered: number;
    rightPossible: number;
    wrongAnswered: number;
    wrongPossible: number;
  };
  unanswerable: { questions: number; answered: number; possible: number };
  /** How well confidence separates answerable from unanswerable questions. Undefined if one kind is missing. */
  auroc?: number;
  /** Expected calibration error: how far the confidence of first results is from the share that is right. */
  ece: number;
  /** The bins that are not empty. */
  bins: Bin[];
}

/**
 * Divides results into bins of equal width by their confidence, 0 to 1. `right[i]` belongs to `confidences[i]`. Omits empty bins.
 * A reliability diagram shows the share of right results in each bin against their mean confidence (DeGroot and Fienberg 1983, The
 * Comparison and Evaluation of Forecasters).
 */
export function reliabilityBins(
  confidences: readonly number[],
  right: readonly boolean[],
  bins = BINS,
): Bin[] {
  return Array.from({ length: bins }, (_, bin) => {
    const inside = [...confidences.keys()].filter((i) => binOf(confidences[i]!, bins) === bin);
    if (inside.length === 0) return [];
    return {
      from: bin / bins,
      to: (bin + 1) / bins,
      count: inside.length,
      confidence: mean(inside.map((i) => confidences[i]!)),
      right: mean(inside.map((i) => Number(right[i]))),
    };
  }).flat();
}

const binOf = (confidence: number, bins: number) => Math.min(bins - 1, Math.floor(confidence * bins));

/**
 * The expected calibration error, 0 to 1: the mean distance between confidence and share of right results, over bins weighted by their
 * number of results (Guo et al. 2017, On Calibration of Modern Neural Networks).
 */
export function expectedCalibrationError(bins: readonly Bin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  return bins.reduce(
    (sum, { count, confidence, right }) => sum + (count / total) * Math.abs(right - confidence),
    0,
  );
}

/** Scores the confidence of at least one outcome. */
export function confidenceScores(outcomes: readonly Outcome[]): ConfidenceScores {
  const [answerable, others] = [true, false].map((kind) =>
    outcomes.filter((one) => one.answerable === kind),
  ) as [Outcome[], Outcome[]];
  const [right, wrong] = [true, false].map((kind) => answerable.filter((one) => one.correct === kind)) as [
    Outcome[],
    Outcome[],
  ];
  const confidences = (some: readonly Outcome[]) => some.map(({ confidence }) => confidence);
  const bins = reliabilityBins(
    confidences(outcomes),
    outcomes.map(({ correct }) => correct),
  );
  return {
    answerable: {
      questions: answerable.length,
      right: right.length,
      rightAnswered: answered(right),
      rightPossible: possible(right),
      wrongAnswered: answered(wrong),
      wrongPossible: possible(wrong),
    },
    unanswerable: { questions: others.length, answered: answered(others), possible: possible(others) },
    ...(answerable.length > 0 &&
      others.length > 0 && { auroc: auroc(confidences(answerable), confidences(others)) }),
    ece: expectedCalibrationError(bins),
    bins,
  };
}

const answered = (outcomes: readonly Outcome[]) =>
  outcomes.filter(({ verdict }) => verdict === 'answered').length;
const possible = (outcomes: readonly Outcome[]) =>
  outcomes.filter(({ verdict }) => verdict !== 'none').length;
