import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { expect, test } from 'vitest';
import { spool } from '../../../index/documents/archive/spool.ts';
import { Zip } from '../../../index/documents/archive/zip.ts';
import { Input } from '../../../index/documents/input.ts';
import { readFile } from '../../../index/documents/read-file.ts';
import { outline, readBytes } from '../../fixtures/read.ts';
import { TRAILERS } from '../../fixtures/zip.ts';
import { type ZipEntry, zipArchive } from '../../fixtures/zip-archive.ts';

const page = '<title>Page</title><p>Text of the page.';
const CONTEXT = { options: {}, depth: 0, report: () => {}, readNested: readFile };

async function sources(parts: ZipEntry[]) {
  const { documents, notices } = await readBytes('a.zip', zipArchive(parts));
  return {
    sources: documents.map(({ source }) => source),
    notices: notices.map(({ kind, place, reason }) => `${kind} ${place}: ${reason}`),
  };
}

test('reads the files of an archive that Python made, by name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zip-'));
  try {
    mkdirSync(join(folder, 'docs/guide'), { recursive: true });
    writeFileSync(join(folder, 'docs/notes.txt'), 'Some notes.');
    writeFileSync(join(folder, 'docs/guide/page.html'), page);
    writeFileSync(join(folder, 'docs/photo.jpg'), 'not a document');
    execFileSync('python3', ['-m', 'zipfile', '-c', 'all.zip', 'docs'], { cwd: folder });
    const { documents, notices } = await readBytes('all.zip', readFileSync(join(folder, 'all.zip')));
    expect(documents.map(({ source, title }) => [source, title])).toEqual([
      ['all.zip/docs/guide/page.html', 'Page'],
      ['all.zip/docs/notes.txt', undefined],
    ]);
    expect(outline(documents)).toBe('Text of the page.\nSome notes.');
    expect(notices).toEqual([
      { kind: 'skipped', place: 'all.zip/docs/photo.jpg', reason: 'unknown format .jpg' },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('reads archives in archives, but only so deep', async () => {
  const nest = (levels: number): Buffer =>
    levels === 0
      ? Buffer.from('Text.')
      : zipArchive([{ name: nameAt(levels - 1), content: nest(levels - 1) }]);
  const nameAt = (level: number) => (level === 0 ? 'a.txt' : `${level}.zip`);
  const four = await readBytes('4.zip', nest(4));
  expect(four.documents.map(({ source }) => source)).toEqual(['4.zip/3.zip/2.zip/1.zip/a.txt']);
  const five = await readBytes('5.zip', nest(5));
  expect(five.documents).toEqual([]);
  expect(five.notices).toMatchObject([
    { kind: 'failed', place: '5.zip/4.zip/3.zip/2.zip/1.zip', reason: 'nested too deep' },
  ]);
});

test('reports each bad entry and reads the rest', async () => {
  const content = 'Text.';
  const found = await sources([
    { name: 'good.txt', content },
    { name: 'encrypted.txt', content, flags: 1 },
    { name: 'lzma.txt', content, method: 14 },
    { name: 'stored.txt', content, method: 0 },
    { name: 'sum.txt', content, crc: 1 },
    { name: 'z.txt', content },
  ]);
  expect(found.sources).toContain('a.zip/good.txt');
  expect(found.sources).toContain('a.zip/z.txt');
  expect(found.notices).toEqual([
    'failed a.zip/encrypted.txt: encrypted',
    'failed a.zip/lzma.txt: unknown compression',
    'failed a.zip/stored.txt: damaged',
    'failed a.zip/sum.txt: damaged',
  ]);
});

test('cleans names, and skips those that are unsafe, duplicate or hidden', async () => {
  const content = 'Text.';
  const named = (name: string): ZipEntry => ({ name, content });
  const found = await sources([
    named('/absolute.txt'),
    named('C:\\folder\\windows.txt'),
    named('./dot/./b.txt'),
    named('dot/b.txt'),
    named('../up.txt'),
    named('a/../../up.txt'),
    named('line\nbreak.txt'),
    named(`${'long'.repeat(300)}.txt`),
    named('.hidden/c.txt'),
    named('__MACOSX/._a.txt'),
    named('node_modules/pkg/README.md'),
    named('folder/'),
    { name: 'link.txt', content: 'z.txt', mode: 0o120777 },
  ]);
  expect(found.sources).toEqual(['a.zip/dot/b.txt', 'a.zip/absolute.txt', 'a.zip/folder/windows.txt']);
  expect(found.notices).toEqual([
    'skipped a.zip/"../up.txt": unsafe name',
    'skipped a.zip/"a/../../up.txt": unsafe name',
    'skipped a.zip/dot/b.txt: duplicate name',
    'skipped a.zip/"line\\nbreak.txt": unsafe name',
    `skipped a.zip/"${'long'.repeat(25)}": unsafe name`,
  ]);
});

test.each([
  ['utf8', 'Übersicht.txt'],
  ['cp437', 'Übersicht für Gäste.txt'],
  ['shift_jis', '日本語のファイル名と説明書.txt'],
  ['gb18030', '中文文件名称说明文档使用手册.txt'],
])('decodes names in %s that are not marked as UTF-8', async (encoding, name) => {
  const parts = [{ name: iconv.encode(name, encoding), content: 'Text.', flags: 0 }];
  expect(await sources(parts)).toEqual({ sources: [`a.zip/${name}`], notices: [] });
});

test.each(TRAILERS)('reads an archive before %s', async (_, trailer) => {
  const bytes = Buffer.concat([zipArchive([{ name: 'a.txt', content: 'Text.' }]), trailer]);
  const { documents, notices } = await readBytes('a.zip', bytes);
  expect([documents.map(({ source }) => source), notices]).toEqual([['a.zip/a.txt'], []]);
});

test('reads an archive in a temporary file before bytes that look like its end', async () => {
  const bytes = Buffer.concat([
    zipArchive([{ name: 'a.txt', content: 'Text.' }]),
    ...TRAILERS.map(([, b]) => b),
  ]);
  const file = async function* () {
    yield bytes;
  };
  const archive = await spool(file(), 10);
  const input = new Input({ source: 'a.zip', path: 'a.zip', open: file }, CONTEXT);
  const zip = await Zip.open(archive.content, input);
  expect(zip.files().map(({ name }) => name)).toEqual(['a.txt']);
  await archive.close();
});

test('reads data that several entries share once', async () => {
  const content = 'Text.';
  expect(await sources([0, 1, 2].map((i) => ({ name: `${i}.txt`, content, offset: 0 })))).toEqual({
    sources: ['a.zip/0.txt'],
    notices: ['failed a.zip/1.txt: damaged', 'failed a.zip/2.txt: damaged'],
  });
});

test('reports files that are not archives, are cut, or contain nothing', async () => {
  const whole = zipArchive([{ name: 'a.txt', content: 'Text.' }]);
  const reasonOf = async (bytes: Buffer) => (await readBytes('a.zip', bytes)).notices[0]?.reason;
  expect(await reasonOf(Buffer.alloc(0))).toBe('damaged');
  expect(await reasonOf(Buffer.from('Some text.'))).toBe('damaged');
  expect(await reasonOf(whole.subarray(0, -10))).toBe('damaged');
  expect(await reasonOf(zipArchive([]))).toBe('no text');
  expect(await reasonOf(zipArchive([{ name: '.hidden.txt', content: 'Text.' }]))).toBe('no text');
});

test('reads what is left of damaged archives, or reports them', async () => {
  const whole = zipArchive([
    { name: 'a.txt', content: 'Some text. '.repeat(20) },
    { name: 'b/c.html', content: page },
  ]);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, value) => {
      const bytes = Buffer.from(whole);
      bytes[at] = value;
      const { documents, notices } = await readBytes('a.zip', bytes);
      expect(documents.length + notices.length).toBeGreaterThan(0);
      for (const { reason } of notices)
        expect(reason).toMatch(
          /^(damaged|encrypted|unknown compression|unknown format(?: \..+)?|unsafe name|no text)$/,
        );
    }),
  );
});
