import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { questionKey, readSet } from '../../../index/evaluate/set.ts';

const passages = [
  { id: 'en-1', lang: 'en', title: 'Tides', text: 'The tide turns twice a day.' },
  { id: 'en-2', lang: 'en', text: 'The moon has no air.' },
];
const queries = [
  { id: 'en-1a', lang: 'en', text: 'How often does the tide turn?', relevant: ['en-1'] },
  { id: 'en-none-01', lang: 'en', text: 'How deep is the sea?', relevant: [] },
];

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'evaluation-set-'));
});
afterEach(() => rm(dir, { recursive: true }));

const jsonl = (records: readonly unknown[]) =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

/** Writes the text of the two files, and reads the set. */
async function read(files: { passages?: string; queries?: string }) {
  await writeFile(join(dir, 'passages.jsonl'), files.passages ?? jsonl(passages));
  await writeFile(join(dir, 'queries.jsonl'), files.queries ?? jsonl(queries));
  return readSet(dir);
}

describe('readSet', () => {
  test('reads passages with and without a title, and questions with and without an answer', async () => {
    const name = 'tides';
    await mkdir(join(dir, name));
    await writeFile(join(dir, name, 'passages.jsonl'), jsonl(passages));
    await writeFile(join(dir, name, 'queries.jsonl'), jsonl(queries));
    expect(await readSet(join(dir, name))).toEqual({ name, dir: join(dir, name), passages, queries });
    expect((await readSet(`${join(dir, name)}/`)).name).toBe(name);
  });

  test.each(['', null])('reads a passage with the title %j as one without', async (title) => {
    const { passages: found } = await read({ passages: jsonl([{ ...passages[1], title }, passages[0]]) });
    expect(found).toEqual([passages[1], passages[0]]);
  });

  test('reads gzipped files if the plain files are missing', async () => {
    await writeFile(join(dir, 'passages.jsonl.gz'), gzipSync(jsonl(passages)));
    await writeFile(join(dir, 'queries.jsonl.gz'), gzipSync(jsonl(queries)));
    expect(await readSet(dir)).toMatchObject({ passages, queries });
    expect(await read({ queries: '' })).toMatchObject({ passages, queries: [] });
  });

  test('ignores other fields, blank lines, a byte order mark and carriage returns', async () => {
    const extra = jsonl(passages.map((passage) => ({ ...passage, source: 'x' }))).replaceAll(
      '\n',
      '\r\n\r\n',
    );
    expect((await read({ passages: `\uFEFF${extra}` })).passages).toEqual(passages);
  });

  test('reads back any text unchanged', async () => {
    const text = fc.string({ unit: 'binary', minLength: 1 });
    const set = fc.uniqueArray(fc.record({ id: text, lang: text, title: text, text }), {
      selector: (passage) => passage.id,
      minLength: 1,
    });
    await fc.assert(
      fc.asyncProperty(set, text, async (passages, id) => {
        const queries = [{ id, lang: 'en', text: id, relevant: passages.map((passage) => passage.id) }];
        expect(await read({ passages: jsonl(passages), queries: jsonl(queries) })).toMatchObject({
          passages,
          queries,
        });
      }),
      { numRuns: 50 },
    );
  });

  test('names a missing file', async () => {
    await expect(readSet(dir)).rejects.toThrow(`${dir} has neither passages.jsonl nor passages.jsonl.gz`);
    await writeFile(join(dir, 'passages.jsonl'), jsonl(passages));
    await expect(readSet(dir)).rejects.toThrow(`${dir} has neither queries.jsonl nor queries.jsonl.gz`);
  });

  test('reports the same error for a file instead of a folder', async () => {
    const file = join(dir, 'passages.jsonl');
    await writeFile(file, jsonl(passages));
    await expect(readSet(file)).rejects.toThrow(`${file} has neither passages.jsonl nor passages.jsonl.gz`);
  });

  test('names a file that is not gzip or not UTF-8', async () => {
    await writeFile(join(dir, 'passages.jsonl.gz'), jsonl(passages));
    await expect(readSet(dir)).rejects.toThrow('passages.jsonl.gz: cannot be decompressed');
    await writeFile(join(dir, 'passages.jsonl'), Uint8Array.of(0x22, 0xff, 0x22));
    await expect(readSet(dir)).rejects.toThrow('passages.jsonl:1: not UTF-8');
  });

  const firstPassage = jsonl(passages.slice(0, 1));
  const firstQuery = jsonl(queries.slice(0, 1));
  test.each([
    ['truncated JSON', { passages: `${firstPassage}{"id": "en-2", ` }, 'passages.jsonl:2: not valid JSON'],
    ['a list', { passages: '[1]' }, 'passages.jsonl:1: [1] is not a JSON object.'],
    ['null', { queries: '\n\nnull' }, 'queries.jsonl:3: null is not a JSON object.'],
    ['no id', { passages: '{}' }, 'passages.jsonl:1: "id" must be a non-empty string but is missing.'],
    [
      'empty text',
      { passages: jsonl([{ ...passages[0], text: '' }]) },
      '"text" must be a non-empty string but is "".',
    ],
    [
      'a number as a language',
      { queries: jsonl([{ ...queries[0], lang: 7 }]) },
      'queries.jsonl:1: "lang" must be',
    ],
    [
      'a number as a title',
      { passages: jsonl([{ ...passages[0], title: 7 }]) },
      '"title" must be a non-empty string',
    ],
    [
      'a repeated passage id',
      { passages: jsonl(passages) + firstPassage },
      'passages.jsonl:3: the id "en-1" is already used in ',
    ],
    [
      'a repeated query id',
      { queries: jsonl(queries) + firstQuery },
      'queries.jsonl:3: the id "en-1a" is already used',
    ],
    [
      'an unknown passage',
      { queries: jsonl([{ ...queries[0], relevant: ['en-1', 'en-9'] }]) },
      'queries.jsonl:1: "relevant" contains "en-9", but no passage of the set has that id.',
    ],
    [
      'a repeated relevant passage',
      { queries: jsonl([{ ...queries[0], relevant: ['en-1', 'en-1'] }]) },
      'a passage twice',
    ],
    [
      'no list',
      { queries: jsonl([{ ...queries[0], relevant: 'en-1' }]) },
      'must be a list of passage ids but is "en-1"',
    ],
    [
      'a list of numbers',
      { queries: jsonl([{ ...queries[0], relevant: [1] }]) },
      'a list of passage ids but is [1].',
    ],
    [
      'missing relevant passages',
      { queries: jsonl([{ ...queries[0], relevant: undefined }]) },
      'passage ids but is missing.',
    ],
  ])('rejects %s with the line', async (_what, files, message) => {
    const error = await read(files).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toContain(`${dir}/`);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain('\n');
  });
});

test('questionKey removes the language from an id', () => {
  expect(questionKey('en-56beb4343aeaaa14008c925b')).toBe('56beb4343aeaaa14008c925b');
  expect(questionKey('zh-none-01')).toBe('none-01');
  expect(questionKey('plain')).toBe('plain');
});
