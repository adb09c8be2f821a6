import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outline, readBytes } from '../../fixtures/read.ts';
import { runs } from '../../fixtures/runs.ts';

const lines = (...records: object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');

describe('JSON Lines', () => {
  it('have names of fields that do not grow with each level', async () => {
    const key = 'k'.repeat(400);
    const { documents } = await readBytes(
      'a.jsonl',
      lines({ text: 'It rained.', [key]: { a: { [key]: { b: 1 } }, c: 2 } }),
    );
    expect(documents[0]!.metadata).toEqual({ [`${key}.a.${key}`.slice(0, 500)]: 1, [`${key}.c`]: 2 });
  });

  it('are restricted to the groups in their field, however many fields they have', async () => {
    const many = Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`f${i}`, i]));
    const records = ['hr', ['hr'], [], { any: ['hr'] }, null, ''].map((access) => ({
      text: 'A',
      ...many,
      access,
    }));
    const { documents } = await readBytes('a.jsonl', lines(...records));
    expect(documents.map(({ metadata }) => metadata?.access)).toEqual([
      'hr',
      ['hr'],
      [],
      [],
      undefined,
      undefined,
    ]);
    const { documents: only } = await readBytes('a.json', '{"name": "A", "access": ["hr"]}');
    expect(only).toMatchObject([{ metadata: { access: ['hr'] } }]);
  });

  it('are documents with their fields, and other values as metadata', async () => {
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
    expect(await readBytes('a.jsonl', lines(record))).toEqual({
      documents: [
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
      ],
      notices: [],
    });
  });

  it('may have blank lines, any line end, a byte order mark and no last line end', async () => {
    const { documents } = await readBytes('a.jsonl', '\uFEFF{"text":"A."}\r\n\r\n  \n{"text":"B."}');
    expect(outline(documents)).toBe('A.\nB.');
  });

  it('may name their source', async () => {
    const { documents } = await readBytes('a.jsonl', '{"text":"A.","source":"b.pdf"}');
    expect(documents).toMatchObject([{ source: 'b.pdf' }]);
    expect(documents[0]?.metadata).toBeUndefined();
  });

  it('keep their text as it is, but for paragraphs at blank lines', async () => {
    const text = 'Harbour\n\n- a\n  b\n \nIt rained and\nrained.\n';
    const [document] = (await readBytes('a.jsonl', lines({ text }))).documents;
    expect(document?.title).toBeUndefined();
    expect(document?.blocks).toEqual(
      ['Harbour', '- a\n  b', 'It rained and\nrained.'].map((text) => ({ kind: 'paragraph', text })),
    );
  });

  it.each(['', null, undefined])('may have %j in any field', async (empty) => {
    const record = { text: 'A.', title: empty, id: empty, url: empty, lang: empty, source: empty };
    const { documents, notices } = await readBytes('a.jsonl', lines(record));
    const [plain] = (await readBytes('a.jsonl', lines({ text: 'A.' }))).documents;
    expect({ documents, notices }).toEqual({ documents: [{ ...plain, metadata: undefined }], notices: [] });
  });

  it('get an id from their text, and repeated texts stay distinct', async () => {
    const ids = async (content: string) =>
      (await readBytes('a.jsonl', content)).documents.map(({ id }) => id);
    const [a, b, c] = await ids('{"text":"A."}\n{"text":"B."}\n{"text":"A."}');
    expect(a).toMatch(/^[\da-f]{12}$/);
    expect(new Set([a, b, c]).size).toBe(3);
    expect(await ids('{"text":"B."}\n{"text":"A."}')).toEqual([b, a]);
  });

  it('have lone surrogates replaced', async () => {
    const [document] = (await readBytes('a.jsonl', '{"text":"a \\ud83d b \\ud83d\\ude00.","key":"\\udc00"}'))
      .documents;
    expect(document?.blocks[0]?.text).toBe('a \uFFFD b 😀.');
    expect(document?.metadata).toEqual({ key: '\uFFFD' });
  });

  it('have metadata of any name', async () => {
    const [document] = (await readBytes('a.jsonl', '{"text":"A.","__proto__":"x","constructor":"y"}'))
      .documents;
    expect(Object.entries(document?.metadata ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  it('have nested fields with dots', async () => {
    const record = {
      text: 'A.',
      by: { name: 'B', age: 3 },
      tags: ['a', 1],
      parts: [{ n: 1 }, { n: 2, m: [[true]] }],
    };
    expect((await readBytes('a.jsonl', lines(record))).documents[0]?.metadata).toEqual({
      'by.name': 'B',
      'by.age': 3,
      tags: ['a', '1'],
      'parts.n': ['1', '2'],
      'parts.m': ['true'],
    });
  });

  it.each([
    ['{"text":"A."', 'failed', 'not valid JSON'],
    ['["A."]', 'failed', 'not a JSON object'],
    ['7', 'failed', 'not a JSON object'],
    [`{"text":${'['.repeat(100)}${']'.repeat(100)}}`, 'failed', 'nested too deep'],
    ['['.repeat(100_000) + ']'.repeat(100_000), 'failed', 'not a JSON object'],
    ['{"text":""}', 'skipped', 'no text'],
    ['{"id":"1"}', 'skipped', 'no text'],
  ])('that are bad cost only themselves: %.20s', async (line, kind, reason) => {
    const { documents, notices } = await readBytes('a.jsonl', `{"text":"A."}\n\n${line}\n{"text":"B."}\n`);
    expect(outline(documents)).toBe('A.\nB.');
    expect(notices).toMatchObject([{ kind, place: 'a.jsonl:3', reason }]);
  });

  it('that are bad are reported one by one at first, and then counted', async () => {
    const { documents, notices } = await readBytes('a.jsonl', `${'{\n'.repeat(150)}{"text":"A."}\n`);
    expect(documents).toHaveLength(1);
    expect(notices).toHaveLength(101);
    expect(notices.at(-1)).toEqual({
      kind: 'failed',
      place: 'a.jsonl',
      reason: 'not valid JSON',
      fix: '50 more records have this problem.',
    });
  });

  it('too long cost only themselves', async () => {
    const long = `{"text":"${'a'.repeat(33 * 2 ** 20)}"}`;
    const { documents, notices } = await readBytes('a.jsonl', `{"text":"A."}\n${long}\n{"text":"B."}\n`);
    expect(outline(documents)).toBe('A.\nB.');
    expect(notices).toMatchObject([{ kind: 'failed', place: 'a.jsonl:2', reason: 'line too long' }]);
  });

  it('are read as JSON.stringify writes them', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('ä'.repeat(16_000)));
    const words = fc.string({ unit: 'grapheme', minLength: 1 }).filter((word) => word.trim() === word);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ id: words, text: words, note: text }), { maxLength: 5 }),
        async (records) => {
          const { documents } = await readBytes('a.jsonl', lines(...records));
          expect(documents.map(({ id, metadata }) => [id, metadata?.note])).toEqual(
            records.map(({ id, note }) => [id, note || undefined]),
          );
        },
      ),
      { numRuns: runs(50) },
    );
  });
});

describe('fields of records', () => {
  const read = async (record: object, fields = {}) =>
    (await readBytes('a.jsonl', lines(record), { fields })).documents[0];

  it.each([
    [{ Name: 'A', Description: 'B.' }, 'A', 'B.'],
    [{ question: 'A?', answer: 'B.' }, 'A?', 'B.'],
    [{ title: 'A', question: 'B?', answer: 'C.' }, 'A', 'B?\nC.'],
    [{ Frage: 'A?', Antwort: 'B.' }, 'A?', 'B.'],
    [{ Название: 'A', Описание: 'B.' }, 'A', 'B.'],
    [{ 标题: 'A', 内容: 'B.' }, 'A', 'B.'],
    [{ タイトル: 'A', 本文: 'B.' }, 'A', 'B.'],
    [{ title: 'A', text: 'B.', summary: 'C.' }, 'A', 'B.'],
  ])('are known by usual names: %j', async (record, title, text) => {
    const document = await read(record);
    expect(document?.title).toBe(title);
    expect(outline([document!])).toBe(text);
  });

  it('are lines if none is a text, and the first short one is the title', async () => {
    const document = await read({
      id: 3,
      Product: 'Pump',
      price: 12.5,
      colours: ['red', 'blue'],
      used: false,
      link: '/3',
    });
    expect(document).toMatchObject({
      id: '3',
      title: 'Pump',
      url: '/3',
      metadata: { Product: 'Pump', price: 12.5, colours: ['red', 'blue'], used: false },
      blocks: [{ kind: 'paragraph', text: 'price: 12.5\ncolours: red, blue\nused: false' }],
    });
  });

  it('are named by a mapping', async () => {
    const fields = { id: 'nr', title: 'a', text: ['b', 'c'], url: 'd', lang: 'e' };
    expect(
      await read({ nr: 1, a: 'A', b: 'B.', c: 'C.', d: '/d', e: 'pt_BR', text: 'T' }, fields),
    ).toMatchObject({
      id: '1',
      title: 'A',
      url: '/d',
      lang: 'pt-BR',
      metadata: { text: 'T' },
      blocks: [{ text: 'B.' }, { text: 'C.' }],
    });
  });

  it('that a mapping names must exist', async () => {
    const { notices } = await readBytes('a.jsonl', lines({ a: 'A' }, { b: 'B' }), {
      fields: { text: ['b', 'c'] },
    });
    expect(notices.at(-1)).toEqual({
      kind: 'failed',
      place: 'a.jsonl',
      reason: 'no such field',
      fix: '`fields` names "c", but the file has "a", "b". Correct the names.',
    });
  });

  it('that name a language are tags only', async () => {
    expect(await read({ text: 'A.', language: 'German' })).toMatchObject({
      lang: undefined,
      metadata: { language: 'German' },
    });
  });
});
