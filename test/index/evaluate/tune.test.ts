import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../index/evaluate/outcomes.ts';
import { fitTuning, tuneReport } from '../../../index/evaluate/tune.ts';
import { NO_EVIDENCE, tuned, verdictOf } from '../../../index/search/confidence.ts';

/** Questions whose first result is right with the probability that `truth` gives for its confidence. */
function outcomes(count: number, truth: (confidence: number) => number): Outcome[] {
  // Low-discrepancy numbers instead of random ones.
  const spread = (i: number, step: number) => (i * step) % 1;
  return Array.from({ length: count }, (_, i) => {
    const confidence = 0.02 + 0.96 * spread(i + 1, 0.618034);
    const correct = spread(i + 1, 0.754878) < truth(confidence);
    return {
      question: { id: String(i), lang: 'en', text: '' },
      score: 0,
      confidence,
      evidence: NO_EVIDENCE,
      verdict: verdictOf(confidence),
      answerable: true,
      correct,
    };
  });
}

describe('a tuning', () => {
  it('changes nothing without questions', () => {
    expect(fitTuning([])).toEqual({ slope: 1, intercept: 0 });
  });

  it('changes little if confidence is right', () => {
    const { slope, intercept } = fitTuning(outcomes(2000, (confidence) => confidence));
    expect(Math.abs(slope - 1)).toBeLessThan(0.1);
    expect(Math.abs(intercept)).toBeLessThan(0.1);
  });

  it('finds the scale of an index', () => {
    const truth = { slope: 0.7, intercept: 1.2 };
    const found = fitTuning(outcomes(4000, (confidence) => tuned(confidence, truth)));
    expect(Math.abs(found.slope - truth.slope)).toBeLessThan(0.1);
    expect(Math.abs(found.intercept - truth.intercept)).toBeLessThan(0.15);
  });

  it('of 30 questions lies between no tuning and the scale of the index', () => {
    const { intercept } = fitTuning(
      outcomes(30, (confidence) => tuned(confidence, { slope: 1, intercept: 1.5 })),
    );
    expect(intercept).toBeGreaterThan(0.3);
    expect(intercept).toBeLessThan(1.5);
  });

  it('keeps the order of the results, and ends between 0 and 1, for any outcomes', () => {
    const outcome = fc.record({
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
      correct: fc.boolean(),
      answerable: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 60 }), (some) => {
        const tuning = fitTuning(some);
        const [low, middle, high] = [0, 0.5, 1].map((confidence) => tuned(confidence, tuning)) as [
          number,
          number,
          number,
        ];
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThan(middle);
        expect(middle).toBeLessThan(high);
        expect(high).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the report of a tuning', () => {
  it('judges each question by a fit to the others, and brings confidence closer to the truth', () => {
    const { now, tuned: after } = tuneReport(
      outcomes(200, (confidence) => tuned(confidence, { slope: 1, intercept: 2 })),
      undefined,
    );
    expect(after.ece).toBeLessThan(now.ece);
    expect(after.answerable.rightAnswered).toBeGreaterThan(now.answerable.rightAnswered);
  });

  it('starts from the index without its tuning', () => {
    const plain = outcomes(100, (confidence) => confidence ** 2);
    const current = { slope: 0.5, intercept: -1 };
    const scaled = plain.map((outcome) => ({ ...outcome, confidence: tuned(outcome.confidence, current) }));
    expect(tuneReport(scaled, current).tuning).toEqual(tuneReport(plain, undefined).tuning);
  });
});
