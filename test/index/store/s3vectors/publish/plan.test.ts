import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PublishedSegment, planPublication } from '../../../../../index/store/s3vectors/publish/plan.ts';

const hashesOf = (names: readonly string[]): Uint8Array =>
  Buffer.concat(names.map((name) => createHash('sha256').update(name).digest().subarray(0, 16)));

const segment = (id: string, names: readonly string[], gone: readonly number[] = []): PublishedSegment => ({
  id,
  rows: names.length,
  gone: Uint32Array.from(gone),
  hashes: hashesOf(names),
  files: {},
});

const range = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, i) => `row ${start + i}`);

test('writes all rows of a first publication', () => {
  const plan = planPublication(hashesOf(range(0, 5)), []);
  expect(plan).toEqual({
    kept: [],
    written: Uint32Array.of(0, 1, 2, 3, 4),
    order: Uint32Array.of(0, 1, 2, 3, 4),
    moved: 0,
  });
});

test('keeps rows that are the same, whatever their order, and writes the others', () => {
  const names = range(0, 10);
  const local = [...names.slice(5), 'new', ...names.slice(0, 4)];
  const { kept, written, order, moved } = planPublication(hashesOf(local), [segment('a', names, [9])]);
  // Row 4 is gone now, and row 9 was gone before: it is written again.
  expect(kept).toEqual([{ id: 'a', rows: 10, gone: Uint32Array.of(4, 9), files: {} }]);
  expect([...written].map((ordinal) => local[ordinal])).toEqual(['row 9', 'new']);
  expect([...order]).toEqual([5, 6, 7, 8, 10, 11, 0, 1, 2, 3]);
  expect(moved).toBe(0);
});

test.each([
  ['keeps a segment of which 30 % of the rows are gone', 7, 1, 0],
  ['writes the rows of a segment again of which more are gone', 6, 0, 6],
])('%s', (_, left, segments, moved) => {
  const plan = planPublication(hashesOf(range(0, left)), [segment('a', range(0, 10))]);
  expect(plan.kept).toHaveLength(segments);
  expect(plan.moved).toBe(moved);
  expect(plan.written).toHaveLength(moved);
});

test('keeps the eight largest segments in their order, and writes the rows of the others again', () => {
  const sizes = [5, 9, 1, 8, 7, 6, 2, 10, 4, 3];
  let first = 0;
  const segments = sizes.map((size, i) => {
    first += size;
    return segment(`s${i}`, range(first - size, first));
  });
  const plan = planPublication(hashesOf(range(0, first)), segments);
  expect(plan.kept.map(({ id }) => id)).toEqual(['s0', 's1', 's3', 's4', 's5', 's7', 's8', 's9']);
  expect(plan.moved).toBe(3);
  expect(plan.written).toHaveLength(3);
});

test('gives each local row the place of a row with the same content, for any local index and any segments', () => {
  const name = fc.nat(40).map((number) => `row ${number}`);
  const segments = fc.array(
    fc.uniqueArray(name, { minLength: 1 }).chain((names) =>
      fc.record({
        names: fc.constant(names),
        gone: fc.subarray(Array.from(names.keys())).map((gone) => gone.sort((a, b) => a - b)),
      }),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(fc.uniqueArray(name), segments, (local, published) => {
      const plan = planPublication(
        hashesOf(local),
        published.map(({ names, gone }, i) => segment(`s${i}`, names, gone)),
      );
      const namesOf = (id: string) => published[Number(id.slice(1))]!.names;
      const all = plan.kept.flatMap(({ id }) => namesOf(id));
      const rows = [...all, ...Array.from(plan.written, (ordinal) => local[ordinal]!)];
      // The new generation has the rows of the local index, each once.
      expect(Array.from(plan.order, (ordinal) => rows[ordinal])).toEqual(local);
      expect(new Set(plan.order).size).toBe(local.length);
      let start = 0;
      for (const { id, rows: count, gone } of plan.kept) {
        const there = [...plan.order].filter((ordinal) => ordinal >= start && ordinal < start + count);
        const missing = Array.from({ length: count }, (_, row) => row).filter(
          (row) => !there.includes(start + row),
        );
        expect([...gone]).toEqual(missing);
        expect(gone.length).toBeLessThanOrEqual(0.3 * count);
        start += count;
        // A row that was gone stays gone, because its vector may be deleted.
        for (const row of published[Number(id.slice(1))]!.gone) expect(gone).toContain(row);
      }
      expect(plan.kept.length).toBeLessThanOrEqual(8);
    }),
  );
});
