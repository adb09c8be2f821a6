import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { Inflation } from '../../../index/documents/archive/inflation.ts';
import { docx, openDocument, paragraph, xlsx } from '../../fixtures/office.ts';
import { readBytes } from '../../fixtures/read.ts';
import { zip, zipOf } from '../../fixtures/zip.ts';

/** What a file of any size may contain in these tests, in bytes. */
const FREE = 50_000;

/** About 300 times its compressed size. */
const BOMB = 'Some text of a page. '.repeat(20_000);
/** About 10 times its compressed size. */
const REPETITIVE = Array.from(
  { length: 8_000 },
  (_, i) => `Row ${i % 97}: the value is ${(i * i) % 1009}.\n`,
).join('');

const zipped = (name: string, content: string | Uint8Array) => zip([{ name, content }]);

async function tarred(name: string, content: string): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function mail(name: string, content: Uint8Array): Buffer {
  return Buffer.from(
    [
      'From: a@example.org',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: application/octet-stream',
      `Content-Disposition: attachment; filename="${name}"`,
      'Content-Transfer-Encoding: base64',
      '',
      content.length === 0 ? '' : Buffer.from(content).toString('base64').replace(/.{76}/g, '$&\r\n'),
      '--b--',
      '',
    ].join('\r\n'),
  );
}

const epub = (text: string) =>
  zipOf({
    'META-INF/container.xml':
      '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
    'a.opf':
      '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>',
    'a.xhtml': `<html xmlns="http://www.w3.org/1999/xhtml"><body><p>${text}</p></body></html>`,
  });

const FORMATS: Record<string, (text: string) => Buffer | Promise<Buffer>> = {
  'a.txt.gz': (text) => gzipSync(text),
  'a.zip': (text) => zipped('a.txt', text),
  'several.zip': (text) =>
    zip(
      [0, 1, 2, 3].map((i) => ({
        name: `${i}.txt`,
        content: text.slice((i * text.length) / 4, ((i + 1) * text.length) / 4),
      })),
    ),
  'zip-in.zip': (text) => zipped('b.zip', zipped('c.zip', zipped('a.txt', text))),
  'gzip-in.zip': (text) => zipped('a.txt.gz', gzipSync(text)),
  'docx-in.zip': (text) => zipped('a.docx', docx(paragraph(text))),
  'a.tar.gz': async (text) => gzipSync(await tarred('a.txt', text)),
  'zip.eml': (text) => mail('a.zip', zipped('a.txt', text)),
  'eml-in.eml': (text) => mail('b.eml', mail('c.eml', mail('a.txt.gz', gzipSync(text)))),
  'a.mbox': (text) =>
    Buffer.concat([
      Buffer.from('From a@example.org Mon Jan  5 10:00:00 2026\r\n'),
      mail('a.zip', zipped('a.txt', text)),
    ]),
  'a.docx': (text) =>
    docx(
      text
        .split('\n')
        .map((line) => paragraph(line))
        .join(''),
    ),
  'a.xlsx': (text) =>
    xlsx([
      [
        'A',
        text
          .split('\n')
          .map((line) => `<row><c t="inlineStr"><is><t>${line}</t></is></c></row>`)
          .join(''),
      ],
    ]),
  'a.odt': (text) =>
    openDocument(
      'text',
      text
        .split('\n')
        .map((line) => `<text:p>${line}</text:p>`)
        .join(''),
    ),
  'a.epub': epub,
};

describe.each(Object.entries(FORMATS))('the content of %s is counted', (name, make) => {
  test('and refused if it exceeds 100 times its size', async () => {
    const bytes = await make(BOMB);
    const { documents, notices } = await readBytes(name, bytes, {}, new Inflation(FREE));
    expect(notices.map(({ reason }) => reason)).toContain('too large');
    const text = documents.flatMap(({ blocks }) => blocks).reduce((sum, block) => sum + block.text.length, 0);
    expect(text).toBeLessThanOrEqual(Math.max(FREE, 100 * bytes.length));
  });

  test('but read below that', async () => {
    const { documents, notices } = await readBytes(name, await make(REPETITIVE), {}, new Inflation(FREE));
    expect(documents.length).toBeGreaterThan(0);
    expect(notices.filter(({ reason }) => reason === 'too large')).toEqual([]);
  });
});

describe('text that a format repeats is counted', () => {
  const long = 'Words of a description. '.repeat(400);
  const cells = '<row><c t="s"><v>0</v></c></row>'.repeat(2_000);
  const paths = Array.from({ length: 2_000 }, (_, i) => [`/${i}`, { $ref: '#/shared' }]);
  test.each([
    ['a.xlsx', xlsx([['A', cells]], { strings: `<si><t>${long}</t></si>` })],
    [
      'a.json',
      JSON.stringify({
        openapi: '3.0.0',
        paths: Object.fromEntries(paths),
        shared: { get: { description: long } },
      }),
    ],
  ])('%s', async (name, bytes) => {
    const { documents, notices } = await readBytes(name, bytes, {}, new Inflation(FREE));
    expect(notices.map(({ reason }) => reason)).toEqual(['too large']);
    expect(documents.length * long.length).toBeLessThanOrEqual(100 * bytes.length);
  });
});

test('substitutions of reStructuredText do not grow in each other', async () => {
  const chain = Array.from({ length: 9 }, (_, i) => `.. |${i + 1}| replace:: ${`|${i}| `.repeat(10)}`);
  const text = ['Title', '=====', '', '.. |0| replace:: words here', ...chain, '', 'Text |9| end.'].join(
    '\n',
  );
  const { documents, notices } = await readBytes('a.rst', text);
  expect([documents[0]!.blocks.at(-1)!.text.length < 1_000, notices]).toEqual([true, []]);
});

async function* streamOf(length: number): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(length);
}

async function drain(stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of stream);
}

test('100 MiB are free, and more depends on the size of the outermost file', async () => {
  const inflation = new Inflation();
  inflation.add(100 * 2 ** 20, 'a.zip');
  expect(() => inflation.add(1, 'a.zip')).toThrow(
    'a.zip: too large. It contains more than 100 times its size. Extract what you need.',
  );
  await drain(inflation.outermost(streamOf(2 * 2 ** 20)));
  // Reading it again does not make it larger.
  await drain(inflation.outermost(streamOf(2 * 2 ** 20)));
  inflation.add(100 * 2 ** 20 - 1, 'a.zip');
  expect(() => inflation.add(1, 'a.zip')).toThrow('too large');
});

test('a part that is read several times counts once', async () => {
  const count = new Inflation(1_000).counter('a.zip/a.xml');
  for (let i = 0; i < 5; i++) await drain(count(streamOf(900)));
  await expect(drain(count(streamOf(1_001)))).rejects.toThrow('a.zip/a.xml: too large.');
});

test('the parts after the limit are reported', async () => {
  const parts = [0, 1, 2, 3].map((i) => ({ name: `${i}.txt`, content: `${BOMB}${i}` }));
  const { documents, notices } = await readBytes('a.zip', zip(parts), {}, new Inflation(FREE));
  expect(documents.map(({ source }) => source)).toEqual(['a.zip/0.txt']);
  expect(notices.map(({ place, reason }) => `${place}: ${reason}`)).toEqual([
    'a.zip/1.txt: too large',
    'a.zip: too large',
  ]);
});
