import { describe, expect, it } from 'vitest';
import { openDocument } from '../../fixtures/office.ts';
import { outline, readBytes } from '../../fixtures/read.ts';

const outlineOf = async (name: string, content: Buffer) =>
  outline((await readBytes(name, content)).documents);

describe('OpenDocument texts', () => {
  it('finds the title by its style or the style it is based on', async () => {
    const styles = '<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Title"/>';
    const body =
      '<text:p text:style-name="P1">T</text:p><text:h text:outline-level="2">H</text:h><text:p>p</text:p>';
    expect(await outlineOf('a.odt', openDocument('text', body, styles))).toBe('# T\n### H\np');
  });

  it('collapses white space and keeps spaces, tabs and line breaks that are elements', async () => {
    const body =
      '<text:p>a\n  b<text:s text:c="3"/>c<text:tab/>d<text:line-break/>e<text:s text:c="1e99"/></text:p>';
    expect(await outlineOf('a.odt', openDocument('text', body))).toBe('a b c d\ne');
  });

  it('leaves out deleted text, comments and tables of contents', async () => {
    const body = `<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>
      <text:table-of-content><text:index-body><text:p>Chapter 1</text:p></text:index-body></text:table-of-content>
      <text:p>a<office:annotation><text:p>comment</text:p></office:annotation>b</text:p>`;
    expect(await outlineOf('a.odt', openDocument('text', body))).toBe('ab');
  });

  it('puts notes and text boxes after their paragraph', async () => {
    const note =
      '<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>note</text:p></text:note-body></text:note>';
    const box = '<draw:frame><draw:text-box><text:p>box</text:p></draw:text-box></draw:frame>';
    expect(await outlineOf('a.odt', openDocument('text', `<text:p>a${note}b${box}c</text:p>`))).toBe(
      'abc\nnote\nbox',
    );
  });

  it.each([
    ['a.odt', openDocument('text', '<text:p/>'), 'no text'],
    ['a.odt', openDocument('text', '<text:span>'.repeat(300)), 'nested too deep'],
    ['a.odp', openDocument('presentation', '<draw:page>'), 'damaged'],
    ['a.ods', openDocument('spreadsheet', ''), 'no text'],
    ['a.odt', Buffer.from('PK'), 'damaged'],
  ])('names the reason why %s is not read', async (name, content, reason) => {
    const { notices } = await readBytes(name, content);
    expect(notices).toMatchObject([{ kind: 'failed', place: name, reason }]);
  });
});

describe('OpenDocument presentations', () => {
  it('reads titles, text, tables and notes of slides', async () => {
    const frame = (role: string, content: string) =>
      `<draw:frame presentation:class="${role}"><draw:text-box>${content}</draw:text-box></draw:frame>`;
    const cell = (text: string) => `<table:table-cell><text:p>${text}</text:p></table:table-cell>`;
    const table = `<table:table><table:table-row>${cell('a')}${cell('b')}</table:table-row></table:table>`;
    const body = `<draw:page>${frame('outline', '<text:list><text:list-item><text:p>point</text:p></text:list-item></text:list>')}
      ${frame('title', '<text:p>Title</text:p>')}<draw:frame>${table}</draw:frame>${frame('footer', '<text:p>footer</text:p>')}
      <presentation:notes>${frame('notes', '<text:p>notes</text:p>')}</presentation:notes></draw:page><draw:page/>
      <draw:page><draw:custom-shape><text:p>free</text:p></draw:custom-shape></draw:page>`;
    const { documents } = await readBytes('a.odp', openDocument('presentation', body));
    expect(outline(documents)).toBe('## 1. Title\npoint\na | b\nnotes\n## Slide 3\nfree');
    expect(documents).toMatchObject([{ title: 'Title' }]);
  });
});

describe('OpenDocument spreadsheets', () => {
  const cell = (text: string, attributes = '') =>
    `<table:table-cell ${attributes}>${text && `<text:p>${text}</text:p>`}</table:table-cell>`;
  const table = (name: string, ...rows: string[]) =>
    `<table:table table:name="${name}" table:style-name="${name}">${rows.map((row) => `<table:table-row>${row}</table:table-row>`).join('')}</table:table>`;

  it('reads cells by their place, dates as ISO dates, and repeated cells within bounds', async () => {
    const date = cell('29.02.24', 'office:date-value="2024-02-29T00:00:00"');
    const body = table(
      'S',
      cell('a') + cell('', 'table:number-columns-repeated="2"') + cell('d'),
      cell('x', 'table:number-columns-repeated="2"') +
        date +
        cell('', 'table:number-columns-repeated="16384"'),
      cell('', 'table:number-columns-repeated="99999999999"') + cell('far'),
    );
    const { documents, notices } = await readBytes('a.ods', openDocument('spreadsheet', body));
    expect(documents.map(({ blocks }) => blocks[0]!.text)).toEqual(['a |  |  | d\nx | x | 2024-02-29']);
    expect(notices).toMatchObject([{ reason: 'too many columns' }]);
  });

  it('reads tables as rows, and reports hidden sheets', async () => {
    const styles =
      '<style:style style:name="Secret" style:family="table"><style:table-properties table:display="false"/></style:style>';
    const body =
      table('Flüsse', cell('Name') + cell('km'), cell('Рейн') + cell('1230')) + table('Secret', cell('x'));
    const { documents, notices } = await readBytes('a.ods', openDocument('spreadsheet', body, styles));
    expect(documents).toMatchObject([{ title: 'Flüsse › Рейн', blocks: [{ text: 'km: 1230' }] }]);
    expect(notices).toEqual([{ kind: 'skipped', place: 'a.ods (Secret)', reason: 'hidden sheet' }]);
  });
});
