import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ConfidenceScores,
  confidenceScores,
  confidenceTable,
  evaluateConfidence,
  expectedCalibrationError,
  METRICS,
  reliabilityBins,
  reliabilityDiagrams,
  scoresByTitle,
  share,
} from '../../../index/evaluate/confidence-report.ts';
import type { Outcome } from '../../../index/evaluate/outcomes.ts';
import type { Verdict } from '../../../index/search/answer.ts';
import { NO_EVIDENCE } from '../../../index/search/confidence.ts';
import { articleSet, lexicalBuilder } from '../../fixtures/evaluation.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const builder = lexicalBuilder();

describe('evaluateConfidence', () => {
  test('asks each question of a set, and across sets every third question', async () => {
    const sets = [await articleSet(folder, 'de'), await articleSet(folder, 'en')];
    const { articlesOut, nearTopic } = await evaluateConfidence(builder(), sets, true);
    const counts = ({ answerable, unanswerable }: ConfidenceScores) => [
      answerable.questions,
      answerable.right,
      unanswerable.questions,
    ];
    // 15 questions of 2 sets: 10 answerable without the second article. All sets have the same words.
    expect(counts(articlesOut.within)).toEqual([20, 20, 10]);
    // 5 questions on 2 pairs of sets: q0, q3, q12 and of the article left out q6, q9.
    expect(counts(articlesOut.across!)).toEqual([6, 6, 4]);
    expect(counts(nearTopic.within)).toEqual([30, 30, 30]);
    expect(counts(nearTopic.across!)).toEqual([10, 10, 10]);
    // Words that the index does not contain have confidence near 0, and other questions find two words.
    expect(articlesOut.within.auroc).toBe(1);
    expect(articlesOut.across!.unanswerable.possible).toBe(0);
    expect(scoresByTitle({ articlesOut, nearTopic }).map(([title]) => title)).toEqual([
      'within, articles out',
      'across, articles out',
      'within, near topic',
      'across, near topic',
    ]);
  });

  test('asks nothing across sets unless requested', async () => {
    const sets = [await articleSet(folder, 'en'), await articleSet(folder, 'es')];
    const report = await evaluateConfidence(builder(), sets, false);
    expect(scoresByTitle(report).map(([title]) => title)).toEqual([
      'within, articles out',
      'within, near topic',
    ]);
  });
});

test('the table has a column per title and names the denominator of each share', () => {
  const scores: ConfidenceScores = {
    answerable: {
      questions: 8,
      right: 4,
      rightAnswered: 2,
      rightPossible: 3,
      wrongAnswered: 1,
      wrongPossible: 2,
    },
    unanswerable: { questions: 5, answered: 1, possible: 2 },
    auroc: 0.75,
    ece: 0.0625,
    bins: [],
  };
  const { auroc: _, ...others } = scores;
  const none = { ...others, unanswerable: { questions: 0, answered: 0, possible: 0 } };
  const table = confidenceTable<ConfidenceScores>(
    [
      ['a, b', scores],
      ['c', none],
    ],
    METRICS,
  );
  expect(table.split('\n').map((line) => line.replace(/ {2,}/g, '|'))).toEqual([
    '|a|c',
    '|b|',
    'answerable questions|8|8',
    'right first, of answerable|0.500|0.500',
    'right and answered, of right first|0.500|0.500',
    'right and answered or possible, of right first|0.750|0.750',
    'right and answered, of answerable|0.250|0.250',
    'wrong and answered, of answerable|0.125|0.125',
    'wrong and answered or possible, of answerable|0.250|0.250',
    'unanswerable questions|5|0',
    'answered, of unanswerable|0.200|-',
    'answered or possible, of unanswerable|0.400|-',
    'AUROC|0.750|-',
    'ECE|0.063|0.063',
  ]);
  expect(new Set(table.split('\n').map(({ length }) => length)).size).toBe(1);
});

test('a share of nothing is a dash', () => {
  expect([share(1, 3), share(0, 4), share(0, 0)]).toEqual(['0.333', '0.000', '-']);
});

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

/** Prints the root's name, its texts and its numbers of bars, read by an independent XML parser. */
const PARSE = `
import sys, json, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
svg = "{http://www.w3.org/2000/svg}"
print(json.dumps([root.tag, [text.text for text in root.iter(svg + "text")], [float(bar.get("height")) for bar in root.iter(svg + "rect") if bar.get("class") == "bar"]]))`;

function parsed(svg: string): { root: string; texts: string[]; bars: number[] } {
  const printed = execFileSync('python3', ['-c', PARSE], { input: svg, encoding: 'utf8' });
  const [root, texts, bars] = JSON.parse(printed) as [string, string[], number[]];
  return { root, texts, bars };
}

const scores: ConfidenceScores = {
  answerable: {
    questions: 60,
    right: 3,
    rightAnswered: 1,
    rightPossible: 1,
    wrongAnswered: 0,
    wrongPossible: 0,
  },
  unanswerable: { questions: 40, answered: 0, possible: 0 },
  ece: 0.1234,
  bins: reliabilityBins([0.05, 0.5, 0.5, 0.5, 0.5, 1], [false, true, true, true, false, true]),
};

test('a diagram is XML with a panel per title: axes, the share right of each bin, and its count', () => {
  const { root, texts, bars } = parsed(
    reliabilityDiagrams([
      ['within, <articles> & "more"', scores],
      ['across', { ...scores, bins: [] }],
    ]),
  );
  expect(root).toBe('{http://www.w3.org/2000/svg}svg');
  expect(texts).toEqual(
    expect.arrayContaining(['within, <articles> & "more"', 'across', '100 questions, ECE 0.123']),
  );
  for (const label of ['confidence', 'share right', '0', '0.2', '1'])
    expect(texts.filter((text) => text === label).length, label).toBeGreaterThanOrEqual(2);
  expect(texts.filter((text) => text === '4')).toHaveLength(1);
  // The bins have shares of 0, 3/4 and 1.
  expect(bars).toHaveLength(3);
  expect(bars[0]).toBe(0);
  expect(bars[1]! / bars[2]!).toBeCloseTo(0.75, 3);
});

test('perfect confidence puts each dot on the diagonal', () => {
  const bins = [0, 0.25, 0.8, 1].map((share) => ({
    from: share,
    to: share,
    count: 1,
    confidence: share,
    right: share,
  }));
  const svg = reliabilityDiagrams([['perfect', { ...scores, bins }]]);
  const [x1, y1, x2, y2] = /class="ideal" x1="(.+?)" y1="(.+?)" x2="(.+?)" y2="(.+?)"/
    .exec(svg)!
    .slice(1)
    .map(Number) as [number, number, number, number];
  const dots = [...svg.matchAll(/class="dot" cx="(.+?)" cy="(.+?)"/g)];
  expect(dots).toHaveLength(4);
  for (const [i, [, cx, cy]] of dots.entries()) {
    expect(Number(cx)).toBeCloseTo(x1 + (x2 - x1) * bins[i]!.right, 1);
    expect(Number(cy)).toBeCloseTo(y1 + (y2 - y1) * bins[i]!.right, 1);
  }
});

test('panels do not overlap, and are inside the picture', () => {
  for (const count of [1, 2, 3, 4]) {
    const svg = reliabilityDiagrams(Array.from({ length: count }, (_, i) => [`panel ${i}`, scores]));
    const [width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.slice(1).map(Number) as [number, number];
    const places = Array.from(svg.matchAll(/<g transform="translate\((\d+) (\d+)\)">/g), ([, x, y]) => ({
      x: Number(x),
      y: Number(y),
    }));
    expect(new Set(places.map(({ x, y }) => `${x} ${y}`)).size).toBe(count);
    for (const { x, y } of places) {
      expect(x + 340).toBeLessThanOrEqual(width);
      expect(y + 400).toBeLessThanOrEqual(height);
    }
  }
});
