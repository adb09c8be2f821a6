import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonValues } from '../../../index/documents/records/json-values.ts';
import { outline, readBytes } from '../../fixtures/read.ts';
import { runs } from '../../fixtures/runs.ts';

const read = (value: unknown, fields = {}) => readBytes('a.json', JSON.stringify(value, null, 2), { fields });

async function* pieces(text: string, size: number) {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

describe('JSON', () => {
  const items = [
    { id: 1, title: 'Harbour', text: 'It rained.', place: { name: 'Northport' } },
    { id: 2, title: 'Hill', text: 'The sun shone [all] {day}, "long".' },
  ];

  it.each([
    ['a list', items],
    ['a list in an object', { count: 2, items }],
    ['a list in objects', { data: { page: { items } } }],
    ['JSON-LD', { '@context': 'https://schema.org', '@graph': items }],
  ])('is a document an object of %s', async (_, value) => {
    const { documents, notices } = await read(value);
    expect(notices).toEqual([]);
    expect(documents).toEqual([
      {
        source: 'a.json',
        id: '1',
        title: 'Harbour',
        metadata: { 'place.name': 'Northport' },
        blocks: [{ kind: 'paragraph', text: 'It rained.' }],
      },
      {
        source: 'a.json',
        id: '2',
        title: 'Hill',
        blocks: [{ kind: 'paragraph', text: 'The sun shone [all] {day}, "long".' }],
      },
    ]);
  });

  it('may contain JSON Lines, or objects on several lines', async () => {
    for (const indent of [0, 2]) {
      const content = items.map((item) => JSON.stringify(item, null, indent)).join('\n');
      expect((await readBytes('a.json', content)).documents.map(({ id }) => id)).toEqual(['1', '2']);
    }
  });

  it('may be a list of texts', async () => {
    expect(outline((await read(['One.', 'Two.'])).documents)).toBe('One.\nTwo.');
  });

  it('may be one record', async () => {
    expect(
      (await read({ title: 'A', body: 'B.', tags: ['c'], author: { name: 'D' } })).documents,
    ).toMatchObject([
      { title: 'A', metadata: { tags: ['c'], 'author.name': 'D' }, blocks: [{ text: 'B.' }] },
    ]);
  });

  it('of another kind is one document with a line a value', async () => {
    const { documents } = await read({
      greeting: { hello: 'Hello!', bye: 'Goodbye!' },
      retries: 3,
      hosts: ['a', 'b'],
    });
    expect(outline(documents)).toBe(
      'greeting.hello: Hello!\ngreeting.bye: Goodbye!\nretries: 3\nhosts: a, b',
    );
    expect(documents[0]?.metadata).toBeUndefined();
  });

  it('has fields that a mapping names', async () => {
    const value = [{ head: 'A', content: { rendered: 'B.' } }];
    expect((await read(value, { title: 'head', text: 'content.rendered' })).documents).toMatchObject([
      { title: 'A', blocks: [{ text: 'B.' }] },
    ]);
    expect((await read(value, { text: 'body' })).notices).toMatchObject([
      { kind: 'failed', reason: 'no such field' },
    ]);
  });

  it.each([
    ['[{"text":"A."},\n{"text":B.},\n{"text":"C."}]', 'A.\nC.', 'a.json:2', 'not valid JSON'],
    ['[{"text":"A."},\n{"text":"B.},\n{"text":"C."}]', 'A.', 'a.json:2', 'not valid JSON'],
    ['[{"text":"A."},\n7]', 'A.', 'a.json:2', 'not a JSON object'],
    ['[{"text":"A."},\n{"text":"B', 'A.', 'a.json:2', 'not valid JSON'],
    ['{"text":"A."}\n{"text":', 'A.', 'a.json:2', 'not valid JSON'],
    ['{"text":"A."', '', 'a.json', 'not valid JSON'],
    ['"A."', '', 'a.json', 'no records'],
    ['', '', 'a.json', 'no text'],
    [' [ ] ', '', 'a.json', 'no text'],
    [`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, '', 'a.json', 'nested too deep'],
  ])('that is damaged is reported: %.30j', async (content, text, place, reason) => {
    const { documents, notices } = await readBytes('a.json', content);
    expect(outline(documents)).toBe(text);
    expect(notices).toMatchObject([{ kind: 'failed', place, reason }]);
  });

  it('is split into its values in pieces of any size', async () => {
    const list = fc.array(
      fc.oneof(fc.object(), fc.string(), fc.array(fc.jsonValue()), fc.double({ noNaN: true })),
      { maxLength: 5 },
    );
    const layout = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1, max: 20 }));
    await fc.assert(
      fc.asyncProperty(list, layout, async (list, [isList, indent, size]) => {
        const values = JSON.parse(JSON.stringify(list)) as unknown[];
        // A list among several values is its elements.
        fc.pre(isList || !values.some(Array.isArray));
        const text = isList
          ? JSON.stringify(values, null, indent)
          : values.map((value) => JSON.stringify(value, null, indent)).join('\n');
        const found: unknown[] = [];
        for await (const { json } of jsonValues(pieces(text, size))) found.push(JSON.parse(json ?? ''));
        expect(found).toEqual(values);
      }),
      { numRuns: runs(200) },
    );
  });
});
