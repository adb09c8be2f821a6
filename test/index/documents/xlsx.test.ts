import { describe, expect, it } from 'vitest';
import { xlsx } from '../../fixtures/office.ts';
import { readBytes } from '../../fixtures/read.ts';

const read = (content: Buffer) => readBytes('a.xlsx', content);
const texts = async (content: Buffer) =>
  (await read(content)).documents.map(({ blocks }) => blocks.map(({ text }) => text).join('\n'));
/** A row of cells with text. */
const row = (...cells: string[]) =>
  `<row>${cells.map((cell) => `<c t="inlineStr"><is><t>${cell}</t></is></c>`).join('')}</row>`;

describe('Excel workbooks', () => {
  const RIVERS = row('Name', 'Länge') + row('Рейн', '1230') + row('黄河', '') + row('النيل', '6650');
  it('reads each row of a table as a record, with the sheet in its title', async () => {
    const { documents } = await read(xlsx([['Flüsse', RIVERS + row('Ob', '3650')]]));
    expect(documents.map(({ title, blocks }) => `${title}: ${blocks[0]!.text}`)).toEqual([
      'Flüsse › Рейн: Länge: 1230',
      'Flüsse › 黄河: 黄河',
      'Flüsse › النيل: Länge: 6650',
      'Flüsse › Ob: Länge: 3650',
    ]);
  });

  it('takes the fields that a mapping names', async () => {
    const file = xlsx([
      ['Flüsse', RIVERS],
      ['Seen', row('Name', 'Tiefe') + row('Baikal', '1642') + row('Ladoga', '230')],
      ['Notes', row('a note')],
    ]);
    const fields = { title: 'Name', text: 'Länge' };
    const { documents, notices } = await readBytes('a.xlsx', file, { fields });
    expect(documents.map(({ title, blocks }) => `${title}: ${blocks[0]!.text}`)).toEqual([
      'Рейн: 1230',
      '黄河: 黄河',
      'النيل: 6650',
      'Notes: a note',
    ]);
    expect(notices).toMatchObject([
      {
        kind: 'failed',
        place: 'a.xlsx (Seen)',
        reason: 'no such field',
        fix: 'Correct "Länge" in `fields`.',
      },
    ]);
  });

  it('names the row of a record without text', async () => {
    const rows = RIVERS.replace('<row>', '<row r="7">');
    const { notices } = await readBytes('a.xlsx', xlsx([['S', rows]]), {
      fields: { id: 'Name', text: 'Länge' },
    });
    expect(notices).toMatchObject([{ kind: 'skipped', place: 'a.xlsx (S):9', reason: 'no text' }]);
  });

  it('gives equal rows different ids, and ignores names of sheets that say nothing', async () => {
    const rows = row('A', 'B') + row('x', 'y') + row('x', 'y');
    const { documents } = await read(
      xlsx([
        ['Tabelle1', rows],
        ['シート 2', rows],
      ]),
    );
    expect(new Set(documents.map(({ id }) => id)).size).toBe(4);
    expect(documents.map(({ title }) => title)).toEqual(Array(4).fill('x'));
    const numbered = row('id', 'name') + row('1', 'y') + row('2', 'z');
    const { documents: records } = await read(
      xlsx([
        ['One', numbered],
        ['Two', numbered],
      ]),
    );
    expect(records.slice(0, 2).map(({ id }) => id)).toEqual(['1', '2']);
    expect(new Set(records.map(({ id }) => id)).size).toBe(4);
  });

  it('keeps what is above a table', async () => {
    const rows = row('Report') + row('A', 'B') + row('x', 'y') + row('z', 'w');
    expect(await texts(xlsx([['S', rows]]))).toEqual(['Report', 'B: y', 'B: w']);
  });

  it.each([
    ['one column', [['a'], ['b'], ['c']], 'a\nb\nc'],
    [
      'numbers as header',
      [
        ['1', '2'],
        ['3', '4'],
      ],
      '1 | 2\n3 | 4',
    ],
    [
      'equal headers',
      [
        ['a', 'a'],
        ['3', '4'],
      ],
      'a | a\n3 | 4',
    ],
    [
      'rows of other lengths',
      [
        ['a', 'b'],
        ['1', '2', '3'],
        ['4', '5', '6'],
      ],
      'a | b\n1 | 2 | 3\n4 | 5 | 6',
    ],
    ['mostly single cells', [['a', 'b'], ['note'], ['another'], ['1', '2']], 'a | b\nnote\nanother\n1 | 2'],
    ['only a header', [['a', 'b']], 'a | b'],
  ])('reads a sheet with %s as one document', async (_, cells, expected) => {
    expect(await texts(xlsx([['S', cells.map((line) => row(...line)).join('')]]))).toEqual([expected]);
  });

  it('shows cells as Excel does', async () => {
    const formats = ['yyyy\\-mm\\-dd', '#,##0.00" €"', '0.0%', '[$-409]d/m/yy h:mm', 'General', '"day "0'];
    const styles = `<numFmts>${formats.map((code, i) => `<numFmt numFmtId="${200 + i}" formatCode="${code.replaceAll('"', '&quot;')}"/>`).join('')}</numFmts>
      <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
      <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>${formats.map((_, i) => `<xf numFmtId="${200 + i}"/>`).join('')}<xf numFmtId="20"/></cellXfs>`;
    const strings =
      '<si><t>shared</t></si><si><r><t>rich </t></r><r><t>text</t></r><rPh><t>kana</t></rPh></si>';
    const cells: [string, string][] = [
      ['<c t="s"><v>0</v></c>', 'shared'],
      ['<c t="s"><v>1</v></c>', 'rich text'],
      ['<c t="s"><v>99</v></c><c t="str"><f>1+1</f><v>result</v></c>', 'result'],
      ['<c t="b"><v>1</v></c>', 'TRUE'],
      ['<c t="e"><v>#N/A</v></c><c><v>0.30000000000000004</v></c>', '0.3'],
      ['<c s="1"><v>45351</v></c>', '2024-02-29'],
      ['<c s="1"><v>1</v></c>', '1900-01-01'],
      ['<c s="2"><v>45351.75</v></c>', '2024-02-29 18:00'],
      ['<c s="3"><v>1234.5</v></c>', '1234.50'],
      ['<c s="4"><v>0.125</v></c>', '12.5%'],
      ['<c s="5"><v>45351.5</v></c>', '2024-02-29 12:00'],
      ['<c s="6"><v>1e3</v></c>', '1000'],
      ['<c s="7"><v>3</v></c>', '3'],
      ['<c s="8"><v>0.5</v></c>', '12:00'],
      ['<c s="1"><v>9e9</v></c>', '9000000000'],
      ['<c t="d"><v>2024-02-29</v></c>', '2024-02-29'],
    ];
    const rows = cells.map(([cell]) => `<row>${cell}</row>`).join('');
    expect(await texts(xlsx([['S', rows]], { strings, styles }))).toEqual([
      cells.map(([, expected]) => expected).join('\n'),
    ]);
    const properties = '<workbookPr date1904="1"/>';
    const old = xlsx([['S', '<row><c s="1"><v>43889</v></c></row>']], { styles, properties });
    expect(await texts(old)).toEqual(['2024-02-29']);
  });

  it('places cells by their reference, and bounds columns', async () => {
    const cell = (reference: string, value: string) => `<c r="${reference}" t="str"><v>${value}</v></c>`;
    const rows = `<row>${cell('B1', 'b')}${cell('D1', 'd')}</row><row r="1048576">${cell('A1048576', 'a')}${cell('XFD1048576', 'far')}</row>`;
    const { documents, notices } = await read(xlsx([['S', rows]]));
    expect(documents.map(({ blocks }) => blocks[0]!.text)).toEqual([' | b |  | d\na']);
    expect(notices).toMatchObject([{ kind: 'failed', place: 'a.xlsx', reason: 'too many columns' }]);
  });

  it('reads sheets in the order of their tabs and reports hidden ones', async () => {
    const file = xlsx([
      ['First', row('one')],
      ['Secret', row('two'), 'veryHidden'],
      ['Third', row('three')],
    ]);
    const { documents, notices } = await read(file);
    expect(documents.map(({ title }) => title)).toEqual(['First', 'Third']);
    expect(notices).toEqual([{ kind: 'skipped', place: 'a.xlsx (Secret)', reason: 'hidden sheet' }]);
  });

  it('fails without text', async () => {
    const { notices } = await read(xlsx([['S', '<row><c r="A1"/></row>']]));
    expect(notices).toMatchObject([{ kind: 'failed', reason: 'no text' }]);
  });
});
