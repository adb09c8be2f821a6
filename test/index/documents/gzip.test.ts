import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Inflation } from '../../../index/documents/archive/inflation.ts';
import type { Document } from '../../../index/documents/document.ts';
import type { Notice } from '../../../index/documents/file.ts';
import { readFile } from '../../../index/documents/formats.ts';
import { outline, readBytes } from '../../fixtures/read.ts';
import { zipArchive } from '../../fixtures/zip-archive.ts';

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
  expect(notices).toEqual([{ kind: 'skipped', place: 'photo.jpg.gz', reason: 'unknown format' }]);
});

test('keeps the records before the place where a file is cut', async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `{"id":"${i}","text":"Text ${i}."}\n`).join('');
  const whole = gzipSync(lines);
  const { documents, notices } = await readBytes('a.jsonl.gz', whole.subarray(0, whole.length / 2));
  expect(documents.length).toBeGreaterThan(5000);
  expect(notices).toMatchObject([{ kind: 'failed', place: 'a.jsonl.gz', reason: 'damaged' }]);
});

test('reports files that are not compressed, empty, or bombs', async () => {
  const reasonOf = async (bytes: Buffer) => (await readBytes('a.html.gz', bytes)).notices[0]?.reason;
  expect(await reasonOf(Buffer.from('Some text.'))).toBe('damaged');
  expect(await reasonOf(Buffer.alloc(0))).toBe('damaged');
  expect(await reasonOf(gzipSync(Buffer.alloc(40 * 2 ** 20)))).toBe('too large');
});

test('limits the bytes of all archives in an archive together', async () => {
  const text = 'Some text. '.repeat(100);
  const parts = [0, 1, 2, 3].map((i) => ({ name: `${i}.txt.gz`, content: gzipSync(`${text}${i}`) }));
  const documents: Document[] = [];
  const notices: Notice[] = [];
  const open = async function* () {
    yield zipArchive(parts);
  };
  const context = {
    options: {},
    depth: 0,
    inflation: new Inflation(3000),
    report: (notice: Notice) => notices.push(notice),
    readNested: readFile,
  };
  for await (const document of readFile({ source: 'a.zip', path: 'a.zip', open }, context))
    documents.push(document);
  expect(documents.map(({ source }) => source)).toEqual(['a.zip/0.txt.gz', 'a.zip/1.txt.gz']);
  expect(notices.map(({ place, reason }) => `${place}: ${reason}`)).toEqual([
    'a.zip/2.txt.gz: too large',
    'a.zip: too large',
  ]);
});
