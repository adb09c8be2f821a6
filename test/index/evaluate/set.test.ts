import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  articleHalf,
  type EvaluationSet,
  FOLDS,
  passagesInFold,
  questionKey,
  readSet,
  withoutEverySecondArticle,
} from '../../../index/evaluate/set.ts';
import { runs } from '../../fixtures/runs.ts';

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
      { numRuns: runs(50) },
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

/** A set with passages `p0`, `p1` … and a question for each list of relevant passages. */
function setOf(passages: number, relevant: number[][]): EvaluationSet {
  return {
    name: 'en',
    dir: 'en',
    passages: Array.from({ length: passages }, (_, i) => ({ id: `p${i}`, lang: 'en', text: 'x' })),
    queries: relevant.map((positions, i) => ({
      id: `en-q${i}`,
      lang: 'en',
      text: 'x',
      relevant: positions.map((position) => `p${position}`),
    })),
  };
}

const ids = (items: readonly { id: string }[]) => items.map(({ id }) => id);

/** Sets of up to 30 passages, with questions that have up to three relevant passages. */
const sets = fc
  .integer({ min: 1, max: 30 })
  .chain((passages) =>
    fc
      .array(fc.uniqueArray(fc.nat({ max: passages - 1 }), { maxLength: 3 }), { maxLength: 20 })
      .map((relevant) => setOf(passages, relevant)),
  );

test('halves have alternate articles of five passages, and the questions that only they answer', () => {
  const set = setOf(12, [[0], [5], [4, 10], [4, 5], [], [], [], [11]]);
  const fit = articleHalf(set, 'fit');
  expect(ids(fit.passages)).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p10', 'p11']);
  expect(ids(fit.queries)).toEqual(['en-q0', 'en-q2', 'en-q4', 'en-q6', 'en-q7']);
  const half = articleHalf(set, 'test');
  expect(ids(half.passages)).toEqual(['p5', 'p6', 'p7', 'p8', 'p9']);
  expect(ids(half.queries)).toEqual(['en-q1', 'en-q5']);
});

test('halves share no passage and no question, and have all passages together', () => {
  fc.assert(
    fc.property(sets, (set) => {
      const [fit, other] = [articleHalf(set, 'fit'), articleHalf(set, 'test')];
      expect(ids([...fit.passages, ...other.passages]).sort()).toEqual(ids(set.passages).sort());
      const queries = ids([...fit.queries, ...other.queries]);
      expect(new Set(queries).size).toBe(queries.length);
      for (const half of [fit, other])
        for (const { relevant } of half.queries)
          for (const id of relevant) expect(ids(half.passages)).toContain(id);
    }),
  );
});

test('every second article of five passages is left out', () => {
  const kept = withoutEverySecondArticle(setOf(17, []));
  expect([...kept]).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p10', 'p11', 'p12', 'p13', 'p14']);
});

test('folds contain each passage once, and one passage of each whole article', () => {
  fc.assert(
    fc.property(sets, (set) => {
      const folds = Array.from({ length: FOLDS }, (_, fold) => [...passagesInFold(set, fold)]);
      expect(folds.flat().sort()).toEqual(ids(set.passages).sort());
      const articles = Math.floor(set.passages.length / 5);
      for (const fold of folds) {
        const whole = fold.map((id) => Math.floor(Number(id.slice(1)) / 5)).filter((i) => i < articles);
        expect(whole).toEqual(Array.from({ length: articles }, (_, i) => i));
      }
    }),
  );
});
