import { describe, expect, test } from 'vitest';
import type { ConfidenceScores } from '../../../index/evaluate/calibration.ts';
import {
  confidenceTable,
  evaluateConfidence,
  METRICS,
  scoresByTitle,
  share,
} from '../../../index/evaluate/confidence-report.ts';
import { articleSet, lexicalBuilder } from '../../fixtures/evaluation.ts';
import { temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const builder = lexicalBuilder();

describe('evaluateConfidence', () => {
  test('asks each question of a set, and across sets every third question', async () => {
    const sets = [
      await articleSet(folder, 'de'),
      await articleSet(folder, 'en'),
      await articleSet(folder, 'fr'),
    ];
    const { articlesOut, nearTopic } = await evaluateConfidence(builder(), sets, true);
    const counts = ({ answerable, unanswerable }: ConfidenceScores) => [
      answerable.questions,
      answerable.right,
      unanswerable.questions,
    ];
    // 15 questions of 3 sets: 10 answerable without the second article. All sets have the same words.
    expect(counts(articlesOut.within)).toEqual([30, 30, 15]);
    // 5 questions on 6 pairs of sets: q0, q3, q12 and of the article left out q6, q9.
    expect(counts(articlesOut.across!)).toEqual([18, 18, 12]);
    expect(counts(nearTopic.within)).toEqual([45, 45, 45]);
    expect(counts(nearTopic.across!)).toEqual([30, 30, 30]);
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
