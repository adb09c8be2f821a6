import { expect, test } from 'vitest';
import { noticesText } from '../../cli/kit/notices-text.ts';
import type { NoticeGroup } from '../../index/ingest/reading/notices.ts';

const MORE = '--json lists up to 1,000 files per reason.';

function group(kind: NoticeGroup['kind'], reason: string, count: number): NoticeGroup {
  const places = Array.from({ length: count }, (_, i) => ({ place: `${reason}/${i}` }));
  return { kind, reason, count, places };
}

test('a short report has all names, and each fix once if it is the same', () => {
  const fix = 'Remove the password.';
  const places = [
    { place: 'a.pdf', fix },
    { place: 'b.pdf', fix },
  ];
  const failed: NoticeGroup = { kind: 'failed', reason: 'encrypted', count: 2, places };
  const lines = ['Failed, encrypted: 2. Remove the password.', '  a.pdf', '  b.pdf', 'Skipped, hidden: 1'];
  expect(noticesText([failed, group('skipped', 'hidden', 1)]).split('\n')).toEqual([...lines, '  hidden/0']);
  const other: NoticeGroup = { ...failed, places: [places[0]!, { place: 'b.pdf', fix: 'Repair it.' }] };
  expect(noticesText([other])).toBe(
    'Failed, encrypted: 2\n  a.pdf: Remove the password.\n  b.pdf: Repair it.',
  );
});

test.each([
  [[group('failed', 'x', 500)], 10, `… and more. ${MORE}`],
  [
    [group('failed', 'x', 500), group('failed', 'y', 500), group('skipped', 'z', 9)],
    17,
    `… and more. ${MORE}`,
  ],
  [
    Array.from({ length: 40 }, (_, i) => group('skipped', `suffix ${i}`, 40 - i)),
    10,
    `… and 30 more reasons. ${MORE}`,
  ],
])('a long report has 20 lines, and one that says how to see more', (groups, names, last) => {
  const lines = noticesText(groups).split('\n');
  expect(lines.length).toBeLessThanOrEqual(21);
  expect(lines.filter((line) => line.startsWith('  '))).toHaveLength(names);
  expect(lines.at(-1)).toBe(last);
  for (const { reason, count } of groups.slice(0, 10))
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`, ${reason}: ${count}$`)));
});
