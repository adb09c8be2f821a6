import { expect, test } from 'vitest';
import { compareFigures, type Figure, reachesGoal, shown, shownGoal } from './figures.ts';

const figure = (unit: Figure['unit'], value: number, goal?: number, name = 'a'): Figure => ({
  name,
  unit,
  value,
  goal,
});

test.each([
  ['ratio', 1 / 11.3, '1/11.3'],
  ['ratio', 1 / 14, '1/14'],
  ['ratio', 1.264, '1.26'],
  ['ratio', 0.75, '0.75'],
  ['times', 1.5, '1.5x'],
  ['bytes', 2134, '2.13 KB'],
  ['recall', 0.9987, '0.999'],
  ['ms', 0.4, '0.4 ms'],
  ['millions', 39.96, '40.0 million'],
  ['count', 3, '3'],
] as const)('shows %s %s as %s', (unit, value, text) => {
  expect(shown(value, unit)).toBe(text);
});

test('a goal is the maximum if lower is better, and the minimum if higher is better', () => {
  expect(reachesGoal(figure('ratio', 0.07, 1 / 14))).toBe(true);
  expect(reachesGoal(figure('ratio', 0.08, 1 / 14))).toBe(false);
  expect(reachesGoal(figure('times', 1.6, 1.5))).toBe(true);
  expect(reachesGoal(figure('recall', 0.98, 0.99))).toBe(false);
  expect(reachesGoal(figure('ratio', 3))).toBeUndefined();
  expect(shownGoal(figure('ratio', 0.07, 1 / 14))).toBe('<= 1/14');
  expect(shownGoal(figure('recall', 1, 0.99))).toBe('>= 0.990');
  expect(shownGoal(figure('ratio', 3))).toBe('');
});

test('compares machine-independent figures with an earlier run, and reports a change over 10 % as worse', () => {
  const before = [
    figure('ratio', 0.1, undefined, 'slower'),
    figure('ratio', 0.1, undefined, 'same'),
    figure('times', 2, undefined, 'fewer'),
    figure('recall', 0.99, undefined, 'misses more'),
    figure('ms', 1, undefined, 'milliseconds'),
    figure('ratio', 1, undefined, 'gone'),
    figure('ratio', 1, undefined, 'measured otherwise'),
  ];
  const now = [
    figure('ratio', 0.12, undefined, 'slower'),
    figure('ratio', 0.105, undefined, 'same'),
    figure('times', 1, undefined, 'fewer'),
    figure('recall', 0.98, undefined, 'misses more'),
    figure('ms', 9, undefined, 'milliseconds'),
    figure('times', 1, undefined, 'measured otherwise'),
    figure('bytes', 1, undefined, 'new'),
  ];
  const compared = compareFigures(before, now);
  expect(compared.map(({ name, isWorse }) => [name, isWorse])).toEqual([
    ['slower', true],
    ['same', false],
    ['fewer', true],
    ['misses more', true],
  ]);
  expect(compared[0]).toMatchObject({ before: '1/10', now: '1/8.3', change: expect.closeTo(1.2) });
  expect(compared[2]!.change).toBe(2);
  expect(compareFigures(now, now).every(({ change }) => change === 1)).toBe(true);
});
