import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Document } from '../../../index/documents/document.ts';
import { readDocuments } from '../../../index/sources/read.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jsonl-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function read(content: string | Buffer, name = 'a.jsonl'): Promise<Document[]> {
  const path = join(folder, name);
  writeFileSync(path, content);
  const documents: Document[] = [];
  for await (const document of readDocuments([path])) documents.push(document);
  return documents;
}

describe('readRecords', () => {
  it('reads the fields of a record, and other values as metadata', async () => {
    const record = {
      id: 7,
      title: 'Harbour',
      text: 'It rained.\n\nIt stopped.',
      url: 'https://example.org/7',
      lang: 'en',
      year: 2018,
      open: false,
      place: 'Northport',
      tags: ['sea', 'boats'],
      none: null,
    };
    expect(await read(JSON.stringify(record))).toEqual([
      {
        source: 'a.jsonl',
        id: '7',
        title: 'Harbour',
        url: 'https://example.org/7',
        lang: 'en',
        metadata: { year: 2018, open: false, place: 'Northport', tags: ['sea', 'boats'] },
        blocks: [
          { kind: 'paragraph', text: 'It rained.' },
          { kind: 'paragraph', text: 'It stopped.' },
        ],
      },
    ]);
  });

  it('skips blank lines, and accepts any line end, a byte order mark and a missing last line end', async () => {
    const documents = await read('\uFEFF{"text":"A."}\r\n\r\n  \n{"text":"B."}');
    expect(documents.map((document) => document.blocks[0]?.text)).toEqual(['A.', 'B.']);
  });

  it('reads the source of a record', async () => {
    expect((await read('{"text":"A.","source":"b.pdf"}'))[0]?.source).toBe('b.pdf');
  });

  it('uses the first headline of a text as the title of a record without one', async () => {
    expect((await read('{"text":"Harbour\\n\\nIt rained."}'))[0]?.title).toBe('Harbour');
  });

  it('derives missing ids from the text, and keeps repeated texts distinct', async () => {
    const [a, b, c] = (await read('{"text":"A."}\n{"text":"B."}\n{"text":"A."}')).map(
      (document) => document.id,
    );
    expect(a).toMatch(/^[\da-f]{12}$/);
    expect(new Set([a, b, c]).size).toBe(3);
    expect((await read('{"text":"B."}\n{"text":"A."}')).map((document) => document.id)).toEqual([b, a]);
  });

  it('replaces lone surrogates', async () => {
    const [document] = await read('{"text":"a \\ud83d b \\ud83d\\ude00.","key":"\\udc00"}');
    expect(document?.blocks[0]?.text).toBe('a \uFFFD b 😀.');
    expect(document?.metadata).toEqual({ key: '\uFFFD' });
  });

  it('keeps metadata fields of any name separate', async () => {
    const [document] = await read('{"text":"A.","__proto__":"x","constructor":"y"}');
    expect(Object.entries(document?.metadata ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  it.each([
    ['{"title":"A"}', '"text" must be a string but is missing.'],
    ['{"text":null}', '"text" must be a string but is null.'],
    ['{"text":"A.","id":true}', '"id" must be a string or a number but is true.'],
    ['{"text":"A.","title":1}', '"title" must be a string but is 1.'],
    [
      '{"text":"A.","by":{"name":"B"}}',
      '"by" must be a string, a number, a boolean or a list of strings but is {"name":"B"}.',
    ],
    ['{"text":"A.","tags":["a",1]}', '"tags" must be a string, a number, a boolean or a list of strings but'],
  ])('rejects %s with the file and line', async (line, message) => {
    await expect(read(`{"text":"A."}\n\n${line}\n`)).rejects.toThrow(
      `${join(folder, 'a.jsonl')}:3: ${message}`,
    );
  });

  it('reads the output of JSON.stringify in lines of any length', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('ä'.repeat(70_000)));
    // A record without text is no document.
    const some = text.map((content) => `${content}.`);
    const records = fc.array(
      fc.record({ id: fc.string({ unit: 'binary', minLength: 1 }), text: some, note: text }),
      { maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(records, async (records) => {
        const documents = await read(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
        expect(documents.map(({ id, metadata }) => [id, metadata?.note])).toEqual(
          records.map(({ id, note }) => [id, note]),
        );
      }),
      { numRuns: 50 },
    );
  });
});
