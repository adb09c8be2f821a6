import { describe, expect, it } from 'vitest';
import { docx, paragraph, part, relations } from '../../fixtures/office.ts';
import { outline, readBytes } from '../../fixtures/read.ts';
import { zip, zipOf } from '../../fixtures/zip.ts';

const read = (content: Buffer) => readBytes('a.docx', content);
const outlineOf = async (content: Buffer) => outline((await read(content)).documents);
const style = (id: string, name: string, rest = '') =>
  `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${name}"/>${rest}</w:style>`;
const styled = (id: string, text: string) => paragraph(text, `<w:pStyle w:val="${id}"/>`);

describe('Word documents', () => {
  it('finds headings by the name of the style in any language, its base, or an outline level', async () => {
    const styles = [
      style('a', 'Überschrift 1'),
      style('b', 'Titre 2'),
      style('c', '見出し 3'),
      style('d', 'heading 1'),
      style('e', 'Chapter', '<w:basedOn w:val="d"/>'),
      style('f', 'Clause', '<w:pPr><w:outlineLvl w:val="1"/></w:pPr>'),
      style('g', 'Loop', '<w:basedOn w:val="g"/>'),
      style('t', 'Titel'),
    ].join('');
    const body = [
      styled('t', 'Title'),
      ...['a', 'b', 'c', 'd', 'e', 'f', 'g', 'Heading2'].map((id) => styled(id, id)),
      paragraph('direct', '<w:outlineLvl w:val="0"/>'),
      paragraph('body', '<w:pStyle w:val="d"/><w:outlineLvl w:val="9"/>'),
    ].join('');
    expect(await outlineOf(docx(body, { styles }))).toBe(
      '# Title\n## a\n### b\n#### c\n## d\n## e\n### f\ng\n### Heading2\n## direct\nbody',
    );
  });

  it('takes the first heading as the title if there is no other', async () => {
    const body = styled('Heading1', 'One') + paragraph('text') + styled('Heading1', 'Two');
    const { documents } = await read(docx(body));
    expect(documents).toMatchObject([{ title: 'One' }]);
    expect(outline(documents)).toBe('# One\ntext\n# Two');
  });

  it('puts a note after the paragraph that refers to it, once', async () => {
    const reference = '<w:r><w:footnoteReference w:id="2"/></w:r>';
    const footnotes = `<w:footnote w:id="0" w:type="separator">${paragraph('line')}</w:footnote>
      <w:footnote w:id="2">${paragraph('note')}</w:footnote>`;
    const body = `<w:p><w:r><w:t>a</w:t></w:r>${reference}<w:r><w:t>b</w:t></w:r></w:p>
      <w:p>${reference}<w:r><w:t>c</w:t></w:r></w:p>`;
    expect(await outlineOf(docx(body, { footnotes }))).toBe('ab\nnote\nc');
  });

  it('reads text boxes once, after their paragraph', async () => {
    const box = `<w:txbxContent>${paragraph('box')}</w:txbxContent>`;
    const run = `<w:r><mc:AlternateContent><mc:Choice>${box}</mc:Choice><mc:Fallback>${box}</mc:Fallback>
      </mc:AlternateContent><w:t> after</w:t></w:r>`;
    expect(await outlineOf(docx(`<w:p><w:r><w:t>before</w:t></w:r>${run}</w:p>`))).toBe('before after\nbox');
  });

  it('leaves out deleted and hidden text, field codes and contents', async () => {
    const styles = style('toc', 'toc 1', '<w:basedOn w:val="h"/>') + style('h', 'heading 1');
    const body = `<w:p><w:del><w:r><w:t>deleted</w:t></w:r></w:del><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins>
      <w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>!</w:t></w:r>
      <w:r><w:instrText>HYPERLINK "x"</w:instrText></w:r></w:p>${styled('toc', 'Chapter 1 ... 3')}
      <w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr>
      <w:sdtContent>${paragraph('Contents')}</w:sdtContent></w:sdt>${paragraph('end')}`;
    expect(await outlineOf(docx(body, { styles }))).toBe('inserted!\nend');
  });

  it('keeps line breaks, tabs and hyphens', async () => {
    const run =
      '<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r>';
    expect(
      await outlineOf(docx(`<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr>${run}</w:p>`)),
    ).toBe('a b\nc-d');
  });

  it('reads tables, and takes those with headings, tables or one cell for layout', async () => {
    const table = (...rows: string[][]) =>
      `<w:tbl>${rows.map((row) => `<w:tr>${row.map((cell) => `<w:tc>${cell}</w:tc>`).join('')}</w:tr>`).join('')}</w:tbl>`;
    const inner = table([paragraph('a') + paragraph('b'), paragraph('c')], [paragraph(''), paragraph('')]);
    expect(await outlineOf(docx(inner))).toBe('a b | c');
    expect(await outlineOf(docx(table([inner, paragraph('side')])))).toBe('a b | c\nside');
    expect(await outlineOf(docx(table([paragraph('box')])))).toBe('box');
    expect(await outlineOf(docx(table([styled('Heading1', 'h'), paragraph('x')])))).toBe('# h\nx');
  });

  it('declares a language only if the script of the text fits and no program presets it', async () => {
    const styles = (languages: string) =>
      `<w:docDefaults><w:rPrDefault><w:rPr><w:lang ${languages}/></w:rPr></w:rPrDefault></w:docDefaults>`;
    const lang = async (text: string, languages: string) =>
      (await read(docx(paragraph(text), { styles: styles(languages) }))).documents[0]?.lang;
    const all = 'w:val="fr-FR" w:eastAsia="ja-JP" w:bidi="fa-IR"';
    expect(await lang('Bonjour', all)).toBe('fr-FR');
    expect(await lang('信濃川は長い', all)).toBe('ja-JP');
    expect(await lang('سلام دنیا', all)).toBe('fa-IR');
    expect(await lang('Волга', all)).toBeUndefined();
    expect(await lang('Guten Tag', 'w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"')).toBeUndefined();
  });

  it('reads the strict form, other prefixes and UTF-16', async () => {
    const uri = 'http://purl.oclc.org/ooxml/wordprocessingml/main';
    const xml = `<?xml version="1.0" encoding="UTF-16"?><d:document xmlns:d="${uri}"><d:body><d:p><d:r><d:t>été</d:t></d:r></d:p></d:body></d:document>`;
    const files = [
      { name: '_rels/.rels', content: relations(['a', 'officeDocument', 'x.xml']) },
      { name: 'x.xml', content: Buffer.from(`\uFEFF${xml}`, 'utf16le') },
    ];
    expect(await outlineOf(zip(files))).toBe('été');
  });

  const deep = (levels: number) => '<w:ins>'.repeat(levels) + paragraph('x') + '</w:ins>'.repeat(levels);
  const entities = Array.from({ length: 20 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`);
  const laughs = `<!DOCTYPE w:document [<!ENTITY e0 "ha">${entities.join('')}]>${part('w:document', '<w:body><w:p><w:r><w:t>&e20;</w:t></w:r></w:p></w:body>').slice(21)}`;
  it.each([
    ['no text', docx('<w:p/>'), 'no text'],
    ['deep nesting', docx(deep(100_000)), 'nested too deep'],
    ['broken XML', docx('<w:p>'), 'damaged'],
    ['expanding entities', zipOf({ 'word/document.xml': laughs }), 'damaged'],
    ['a word of 5 MB', docx(paragraph('a'.repeat(5e6))), 'too large'],
    ['no document', zipOf({ 'a.txt': 'text' }), 'damaged'],
    ['RTF', Buffer.from('{\\rtf1 text}'), 'old Office format'],
    ['text', Buffer.from('text'), 'damaged'],
    ['nothing', Buffer.alloc(0), 'damaged'],
  ])('names the reason for %s', async (_, content, reason) => {
    const { documents, notices } = await read(content);
    expect(documents).toEqual([]);
    expect(notices).toMatchObject([
      { kind: 'failed', place: 'a.docx', reason, fix: expect.stringMatching(/\.$/) },
    ]);
  });

  it.each([
    ['a.doc', 'Save it as .docx and build again.'],
    ['a.rtf', 'Save it as .docx and build again.'],
    ['a.XLS', 'Save it as .xlsx and build again.'],
    ['a.ppt', 'Save it as .pptx and build again.'],
  ])('rejects %s', async (name, fix) => {
    const { notices } = await readBytes(name, 'any');
    expect(notices).toEqual([{ kind: 'failed', place: name, reason: 'old Office format', fix }]);
  });
});
