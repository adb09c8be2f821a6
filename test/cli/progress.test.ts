import { expect, test } from 'vitest';
import { progressText } from '../../cli/kit/progress.ts';

test('progress has what is done, the total, the time, and the time left at the pace since the first report', () => {
  let now = 5000;
  const textOf = progressText('passages embedded', () => now);
  expect(textOf(100, 1300)).toBe('100 of 1300 passages embedded in 0:00');
  now += 65_000;
  expect(textOf(200, 1300)).toBe('200 of 1300 passages embedded in 1:05, 11:55 left');
  now += 3_600_000;
  expect(textOf(700, 1300)).toBe('700 of 1300 passages embedded in 1:01:05, 1:01:05 left');
  expect(textOf(1300, 1300)).toBe('1300 of 1300 passages embedded in 1:01:05');
});
