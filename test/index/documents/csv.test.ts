import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { parseCsv } from '../../../index/documents/records/csv.ts';
import { outline, readBytes } from '../../fixtures/read.ts';
import { runs } from '../../fixtures/runs.ts';

const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

async function* pieces(text: string, size: number) {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

async function cellsOf(text: string, size = text.length || 1): Promise<string[][]> {
  const rows: string[][] = [];
  for await (const row of parseCsv(pieces(text, size), ',')) if ('cells' in row) rows.push(row.cells);
  return rows;
}

describe('CSV', () => {
  it('is a document a row', async () => {
    const { documents, notices } = await readBytes(
      'a.csv',
      '\uFEFFid,Title,Text,Year\r\n1,Harbour,"It rained.\r\n\r\nThe ""Nord"" sank, twice.",2018\r\n\r\n2,Hill,Sun.,\r\n',
    );
    expect(notices).toEqual([]);
    expect(documents).toEqual([
      {
        source: 'a.csv',
        id: '1',
        title: 'Harbour',
        metadata: { Year: '2018' },
        blocks: [
          { kind: 'paragraph', text: 'It rained.' },
          { kind: 'paragraph', text: 'The "Nord" sank, twice.' },
        ],
      },
      { source: 'a.csv', id: '2', title: 'Hill', blocks: [{ kind: 'paragraph', text: 'Sun.' }] },
    ]);
  });

  it.each([
    ['a.csv', ';'],
    ['a.csv', '\t'],
    ['a.csv', '|'],
    ['a.tsv', '\t'],
    ['a.tsv', ','],
  ])('%s may have %j between cells', async (name, delimiter) => {
    const rows = [
      ['name', 'text'],
      ['A', 'One, two; three.'],
      ['B', 'Four.'],
    ];
    const content = rows
      .map((cells) => cells.map((cell) => (cell.includes(delimiter) ? quoted(cell) : cell)).join(delimiter))
      .join('\n');
    const { documents } = await readBytes(name, content);
    expect(documents.map(({ title }) => title)).toEqual(['A', 'B']);
    expect(outline(documents)).toBe('One, two; three.\nFour.');
  });

  it('may declare what is between cells', async () => {
    expect(outline((await readBytes('a.csv', 'sep=;\ntitle;text\nA;"B, c."\n')).documents)).toBe('B, c.');
  });

  it('has lines of all columns if none is a text', async () => {
    const { documents } = await readBytes(
      'a.csv',
      'City,Country,People\nOslo,Norway,"700,000"\nRiga,Latvia,\n',
    );
    expect(documents.map(({ title, metadata }) => [title, metadata])).toEqual([
      ['Oslo', { City: 'Oslo', Country: 'Norway', People: '700,000' }],
      ['Riga', { City: 'Riga', Country: 'Latvia' }],
    ]);
    expect(outline(documents)).toBe('Country: Norway\nPeople: 700,000\nCountry: Latvia');
  });

  it('may lack names of columns', async () => {
    const { documents } = await readBytes('a.csv', '1,Oslo,It rained.\n2,Riga,The sun shone.\n');
    expect(outline(documents)).toBe('1\nOslo\nIt rained.\n2\nRiga\nThe sun shone.');
    const mapped = await readBytes('a.csv', '1,Oslo,It rained.\n', {
      fields: { title: 'column 2', text: 'column 3' },
    });
    expect(mapped.documents).toMatchObject([{ title: 'Oslo', blocks: [{ text: 'It rained.' }] }]);
  });

  it('may have rows that are too short or too long', async () => {
    const { documents } = await readBytes('a.csv', 'title,text\nA\nB,One, two,, three,,\n');
    expect(outline(documents)).toBe('A\nOne,  two, ,  three');
  });

  it('may have columns without a name, or with the same', async () => {
    const { documents } = await readBytes('a.csv', 'text,note,,note\nA.,b,c,d\n');
    expect(documents[0]?.metadata).toEqual({ note: 'b', 'column 3': 'c', 'note 4': 'd' });
  });

  it('is read in any encoding', async () => {
    const content = 'Название;Описание\nГавань;Шёл сильный дождь, и гавань была закрыта весь день.\n';
    const { documents, notices } = await readBytes('a.csv', iconv.encode(content, 'windows-1251'));
    expect(documents).toMatchObject([{ title: 'Гавань' }]);
    expect(notices).toMatchObject([{ kind: 'guessed', reason: 'encoding guessed: windows-1251' }]);
  });

  it.each(['', '\n\n', ' ,\n'])('without text is reported: %j', async (content) => {
    expect((await readBytes('a.csv', content)).notices).toMatchObject([
      { kind: 'failed', place: 'a.csv', reason: 'no text' },
    ]);
  });

  it('must have the columns of a mapping', async () => {
    const { documents, notices } = await readBytes('a.csv', 'a,b\nA,B\n', { fields: { text: 'c' } });
    expect(documents).toEqual([]);
    expect(notices).toMatchObject([
      {
        kind: 'failed',
        reason: 'no such field',
        fix: '`fields` names "c", but the file has "a", "b". Correct the names.',
      },
    ]);
  });

  it.each([
    ['at the end', 'title,text\nA,a\nB,"b\n', ['a'], 3],
    ['before other quotes', 'title,text\nA,"a\nB,"b"\nC,c\n', ['b', 'c'], 2],
    ['before a long rest', `title,text\nA,"a\n${`${'B'.repeat(10_000)},b\n`.repeat(110)}`, ['b', 'b'], 2],
  ])('with a quote that nobody closed %s loses that row', async (_, content, texts, line) => {
    const { documents, notices } = await readBytes('a.csv', content);
    expect(documents.slice(0, texts.length).map(({ blocks }) => blocks[0]?.text)).toEqual(texts);
    expect(notices).toMatchObject([{ kind: 'failed', place: `a.csv:${line}`, reason: 'unclosed quote' }]);
  });

  it('is parsed as csv-parse does, in pieces of any size', async () => {
    const cell = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[a",\n\r ]{0,6}$/),
      fc.string({ unit: 'grapheme' }),
    );
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 3 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 20 }),
        async (table, lineEnd, size) => {
          const text = table.map((cells) => cells.map(quoted).join(',')).join(lineEnd);
          const expected = (parse(text, { relax_column_count: true }) as string[][]).filter((cells) =>
            cells.some((cell) => cell.trim() !== ''),
          );
          expect(await cellsOf(text, size)).toEqual(expected);
        },
      ),
      { numRuns: runs(300) },
    );
  });

  it('gives the same rows in pieces of any size, whatever it contains', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[ab",\n\r]{0,60}$/),
        fc.integer({ min: 1, max: 9 }),
        async (text, size) => {
          expect(await cellsOf(text, size)).toEqual(await cellsOf(text));
        },
      ),
      { numRuns: runs(300) },
    );
  });
});
