import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { WARCRecord, WARCSerializer } from 'warcio';
import { readBytes } from '../../fixtures/read.ts';

interface Page {
  url: string;
  body: Uint8Array | string;
  type?: 'response' | 'resource' | 'request' | 'revisit';
  statusline?: string;
  headers?: Record<string, string>;
}

/** A web archive by warcio, which crawlers use. */
async function warcOf(pages: Page[], gzip = true): Promise<Buffer> {
  const records: Uint8Array[] = [];
  for (const { url, body, type = 'response', statusline = 'HTTP/1.1 200 OK', headers } of pages) {
    const httpHeaders = headers ?? { 'Content-Type': 'text/html' };
    const content = async function* () {
      yield Buffer.from(body);
    };
    const options = { url, type, statusline, httpHeaders, date: '2026-01-01T00:00:00Z' } as const;
    records.push(await WARCSerializer.serialize(WARCRecord.create(options, content()), { gzip }));
  }
  return Buffer.concat(records);
}

const html = (text: string) => `<title>${text}</title><p>About ${text}.`;

test.each([true, false])('reads the pages of an archive (compressed: %s)', async (gzip) => {
  const bytes = await warcOf(
    [
      { url: 'https://docs.example/', body: html('start') },
      { url: 'https://docs.example/guide/a%20b%2Fc?page=2', body: html('guide') },
      { url: 'https://docs.example/notes', body: 'Notes.', headers: { 'Content-Type': 'text/plain' } },
      {
        url: 'https://docs.example/manual.md',
        body: '# Manual',
        headers: { 'Content-Type': 'text/plain' },
      },
      { url: 'https://docs.example/style.css', body: 'a {}', headers: { 'Content-Type': 'text/css' } },
      { url: 'https://docs.example/photo.png', body: 'x', headers: { 'Content-Type': 'image/png' } },
      { url: 'https://docs.example/gone', body: html('gone'), statusline: 'HTTP/1.1 404 Not Found' },
      { url: 'https://docs.example/', body: '', type: 'revisit' },
      { url: 'https://docs.example/post', body: 'a=b', type: 'request', statusline: 'POST /post HTTP/1.1' },
    ],
    gzip,
  );
  const { documents, notices } = await readBytes('crawl.warc.gz', bytes);
  expect(documents.map(({ source, url, title }) => [source, url, title])).toEqual([
    ['crawl.warc.gz/docs.example/index.html', 'https://docs.example/', 'start'],
    [
      'crawl.warc.gz/docs.example/guide/a b%2Fc?page=2',
      'https://docs.example/guide/a%20b%2Fc?page=2',
      'guide',
    ],
    ['crawl.warc.gz/docs.example/notes', 'https://docs.example/notes', undefined],
    ['crawl.warc.gz/docs.example/manual.md', 'https://docs.example/manual.md', 'Manual'],
  ]);
  expect(notices).toEqual([]);
});

test('decodes transfer and content encodings', async () => {
  const headers = (name: string, value: string) => ({ 'Content-Type': 'text/html', [name]: value });
  const bytes = await warcOf([
    { url: 'http://a/1', body: gzipSync(html('gzip')), headers: headers('Content-Encoding', 'gzip') },
    {
      url: 'http://a/2',
      body: deflateSync(html('deflate')),
      headers: headers('Content-Encoding', 'deflate'),
    },
    { url: 'http://a/3', body: brotliCompressSync(html('br')), headers: headers('Content-Encoding', 'br') },
    {
      url: 'http://a/4',
      body: '7;x=y\r\n<title>\r\n15\r\nchunked</title>Text.\r\n0\r\n\r\n',
      headers: headers('Transfer-Encoding', 'chunked'),
    },
    { url: 'http://a/5', body: html('plain'), headers: headers('Transfer-Encoding', 'chunked') },
    { url: 'http://a/6', body: html('not gzip'), headers: headers('Content-Encoding', 'gzip') },
  ]);
  const { documents, notices } = await readBytes('a.warc', bytes);
  expect(documents.map(({ title }) => title)).toEqual([
    'gzip',
    'deflate',
    'br',
    'chunked',
    'plain',
    'not gzip',
  ]);
  expect(notices).toEqual([]);
});

test('reads the pages before the place where an archive is damaged', async () => {
  const good = await warcOf([{ url: 'http://a/1', body: html('good') }], false);
  const next = await warcOf([{ url: 'http://a/2', body: html('next') }], false);
  const headers = next.subarray(0, next.indexOf('HTTP/1.1'));
  for (const rest of [next.subarray(0, -10), headers, headers.subarray(0, -20), Buffer.from('no record')]) {
    const { documents, notices } = await readBytes('a.warc', Buffer.concat([good, rest]));
    expect(documents[0]!.title).toBe('good');
    expect(notices.at(-1)).toMatchObject({ kind: 'failed', place: 'a.warc', reason: 'damaged' });
  }
});

test('reports files that are not archives, or contain no pages', async () => {
  const reasons = async (bytes: Buffer) =>
    (await readBytes('a.warc', bytes)).notices.map(({ reason }) => reason);
  expect(await reasons(Buffer.from('Some text.'))).toEqual(['damaged']);
  expect(await reasons(Buffer.alloc(0))).toEqual(['no text']);
});
