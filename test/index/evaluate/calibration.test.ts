import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  confidenceScores,
  expectedCalibrationError,
  reliabilityBins,
} from '../../../index/evaluate/calibration.ts';
import type { Outcome } from '../../../index/evaluate/outcomes.ts';
import type { Verdict } from '../../../index/search/answer.ts';
import { NO_EVIDENCE } from '../../../index/search/confidence.ts';

const observations = fc.array(
  fc.record({ confidence: fc.double({ min: 0, max: 1, noNaN: true }), right: fc.boolean() }),
  { minLength: 1, maxLength: 60 },
);

describe('reliabilityBins', () => {
  test('have equal width, and the last one includes 1', () => {
    const bins = reliabilityBins([0, 0.1, 0.25, 0.5, 0.75, 1], [false, true, true, false, true, true], 4);
    expect(bins).toEqual([
      { from: 0, to: 0.25, count: 2, confidence: 0.05, right: 0.5 },
      { from: 0.25, to: 0.5, count: 1, confidence: 0.25, right: 1 },
      { from: 0.5, to: 0.75, count: 1, confidence: 0.5, right: 0 },
      { from: 0.75, to: 1, count: 2, confidence: 0.875, right: 1 },
    ]);
  });

  test('are 15 unless given, without the empty ones', () => {
    expect(reliabilityBins([0.07, 0.99], [true, false])).toEqual([
      { from: 1 / 15, to: 2 / 15, count: 1, confidence: 0.07, right: 1 },
      { from: 14 / 15, to: 1, count: 1, confidence: 0.99, right: 0 },
    ]);
  });

  test('contain every result once', () => {
    fc.assert(
      fc.property(observations, fc.integer({ min: 1, max: 20 }), (some, number) => {
        const bins = reliabilityBins(
          some.map(({ confidence }) => confidence),
          some.map(({ right }) => right),
          number,
        );
        expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(some.length);
        const right = bins.reduce((sum, bin) => sum + bin.count * bin.right, 0);
        expect(right).toBeCloseTo(some.filter((one) => one.right).length, 9);
        for (const { from, to, confidence } of bins) {
          expect(confidence).toBeGreaterThanOrEqual(from - 1e-9);
          expect(confidence).toBeLessThanOrEqual(to + 1e-9);
        }
      }),
    );
  });
});

describe('expectedCalibrationError', () => {
  const ece = (confidences: number[], right: boolean[]) =>
    expectedCalibrationError(reliabilityBins(confidences, right));

  test('of small examples', () => {
    expect(ece([1, 1, 0], [true, true, false])).toBe(0);
    expect(ece([1, 1, 0], [false, false, true])).toBe(1);
    // Three of four right at .75: the bin is perfect although no single result is.
    expect(ece([0.75, 0.75, 0.75, 0.75], [true, true, true, false])).toBe(0);
    // Bins of one and three results: (1 x |1 - .9| + 3 x |1/3 - .5|) / 4.
    expect(ece([0.9, 0.5, 0.5, 0.5], [true, true, false, false])).toBeCloseTo(0.15, 12);
  });

  test('with one bin is the distance of the means, and never more than with several bins', () => {
    fc.assert(
      fc.property(observations, (some) => {
        const confidences = some.map(({ confidence }) => confidence);
        const right = some.map((one) => one.right);
        const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
        const one = expectedCalibrationError(reliabilityBins(confidences, right, 1));
        expect(one).toBeCloseTo(Math.abs(mean(confidences) - mean(right.map(Number))), 9);
        expect(ece(confidences, right)).toBeGreaterThanOrEqual(one - 1e-9);
        expect(ece(confidences, right)).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });
});

describe('confidenceScores', () => {
  const outcome = (confidence: number, verdict: Verdict, answerable: boolean, correct = false): Outcome => ({
    question: { id: 'q', lang: 'en', text: 'x' },
    score: 0,
    confidence,
    evidence: NO_EVIDENCE,
    verdict,
    answerable,
    correct,
  });

  test('count outcomes by verdict, and right results apart from wrong ones', () => {
    const outcomes = [
      outcome(0.9, 'answered', true, true),
      outcome(0.8, 'answered', true, true),
      outcome(0.4, 'possible', true, true),
      outcome(0.1, 'none', true, true),
      outcome(0.7, 'answered', true),
      outcome(0.3, 'possible', true),
      outcome(0.3, 'possible', true),
      outcome(0.2, 'none', true),
      outcome(0.6, 'answered', false),
      outcome(0.3, 'possible', false),
      outcome(0, 'none', false),
    ];
    const { bins, ece, auroc, ...counts } = confidenceScores(outcomes);
    expect(counts).toEqual({
      answerable: {
        questions: 8,
        right: 4,
        rightAnswered: 2,
        rightPossible: 3,
        wrongAnswered: 1,
        wrongPossible: 3,
      },
      unanswerable: { questions: 3, answered: 1, possible: 2 },
    });
    // Of 24 pairs, 15 are in order and 2 are ties.
    expect(auroc).toBeCloseTo(16 / 24, 12);
    expect(ece).toBe(expectedCalibrationError(bins));
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(11);
  });

  test('have no AUROC without both kinds of questions', () => {
    expect(confidenceScores([outcome(1, 'answered', true, true)])).not.toHaveProperty('auroc');
    expect(confidenceScores([outcome(1, 'answered', false)])).toMatchObject({
      answerable: { questions: 0 },
      unanswerable: { questions: 1, answered: 1 },
      ece: 1,
    });
  });
});
