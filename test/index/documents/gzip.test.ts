import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { outline, readBytes } from '../../fixtures/read.ts';

test('reads a compressed file under its own name', async () => {
  const lines = ['{"id":"a","text":"One."}', '{"id":"b","text":"Two."}'].join('\n');
  const { documents, notices } = await readBytes('records.jsonl.gz', gzipSync(lines));
  expect(documents.map(({ source, id }) => [source, id])).toEqual([
    ['records.jsonl.gz', 'a'],
    ['records.jsonl.gz', 'b'],
  ]);
  expect(notices).toEqual([]);
});

test('reads all members of a file', async () => {
  const members = Buffer.concat([gzipSync('First line.\n\n'), gzipSync('Second line.')]);
  const { documents } = await readBytes('notes.txt.gz', members);
  expect(outline(documents)).toBe('First line.\nSecond line.');
});

test('reports the format inside if it is unknown', async () => {
  const { notices } = await readBytes('photo.jpg.gz', gzipSync('x'));
  expect(notices).toEqual([{ kind: 'skipped', place: 'photo.jpg.gz', reason: 'unknown format .jpg' }]);
});

test('keeps the records before the place where a file is cut', async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `{"id":"${i}","text":"Text ${i}."}\n`).join('');
  const whole = gzipSync(lines);
  const { documents, notices } = await readBytes('a.jsonl.gz', whole.subarray(0, whole.length / 2));
  expect(documents.length).toBeGreaterThan(5000);
  expect(notices).toMatchObject([{ kind: 'failed', place: 'a.jsonl.gz', reason: 'damaged' }]);
});

test('reports files that are not compressed, or empty', async () => {
  const reasonOf = async (bytes: Buffer) => (await readBytes('a.html.gz', bytes)).notices[0]?.reason;
  expect(await reasonOf(Buffer.from('Some text.'))).toBe('damaged');
  expect(await reasonOf(Buffer.alloc(0))).toBe('damaged');
});
