import { describe, expect, it } from 'vitest';
import { outline, readBytes } from '../../fixtures/read.ts';
import { zipOf } from '../../fixtures/zip.ts';

const CONTAINER = `<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
  <rootfile full-path="OPS/book.opf"/></rootfiles></container>`;

/** A book with these items (`id`, file, attributes) and references in its spine. */
function epub(
  items: [id: string, file: string, attributes?: string][],
  spine: string,
  parts: Record<string, string>,
): Buffer {
  const manifest = items.map(
    ([id, file, attributes = 'media-type="application/xhtml+xml"']) =>
      `<item id="${id}" href="${file}" ${attributes}/>`,
  );
  const opf = `<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
    <dc:title>Das Buch</dc:title><dc:language>de</dc:language><dc:creator>A</dc:creator><dc:creator>B</dc:creator>
    </metadata><manifest>${manifest.join('')}</manifest><spine toc="ncx">${spine}</spine></package>`;
  return zipOf({ 'META-INF/container.xml': CONTAINER, 'OPS/book.opf': opf, ...parts });
}

const page = (body: string) =>
  `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>${body}</body></html>`;
const refs = (...ids: string[]) => ids.map((id) => `<itemref idref="${id}"/>`).join('');
const TWO: [string, string][] = [
  ['one', 'text/one%20.xhtml'],
  ['two', 'two.xhtml'],
];

describe('EPUB books', () => {
  it('reads pages in the order of the spine, below the title of the book', async () => {
    const items: [string, string, string?][] = [
      ...TWO,
      ['nav', 'nav.xhtml', 'media-type="application/xhtml+xml" properties="scripted nav"'],
      ['aside', 'aside.xhtml'],
      ['css', 'a.css', 'media-type="text/css"'],
    ];
    const spine = `${refs('nav', 'two', 'css', 'gone')}<itemref idref="aside" linear="no"/>${refs('one')}`;
    const content = epub(items, spine, {
      'OPS/text/one .xhtml': page('<h1>Ende</h1><p>Schluss</p>'),
      'OPS/two.xhtml': page('<h1 id="x">Anfang</h1><h2>Teil</h2><p>Es <a id="y"/>war.</p>'),
      'OPS/nav.xhtml': page('<nav><ol><li><a href="two.xhtml">Anfang</a></li></ol></nav>'),
      'OPS/aside.xhtml': page('<p>Nebenbei</p>'),
      'OPS/a.css': 'p {}',
    });
    const { documents, notices } = await readBytes('a.epub', content);
    expect(outline(documents)).toBe('## Anfang\n### Teil\nEs war.\n## Ende\nSchluss');
    expect(documents).toMatchObject([{ title: 'Das Buch', lang: 'de', metadata: { author: ['A', 'B'] } }]);
    expect(documents[0]!.blocks.every(({ anchor }) => anchor === undefined)).toBe(true);
    expect(notices).toEqual([]);
  });

  const pages = {
    'OPS/text/one .xhtml': page('<p>eins</p>'),
    'OPS/two.xhtml': page('<p>Zwei</p><p>zwei</p>'),
  };
  it('takes titles of pages without headings from the table of contents', async () => {
    const nav =
      page(`<nav xmlns:epub="http://www.idpf.org/2007/ops" epub:type="landmarks"><a href="two.xhtml">x</a></nav>
      <nav xmlns:epub="http://www.idpf.org/2007/ops" epub:type="toc"><ol><li><a href="text/one%20.xhtml#a"> Kapitel <i>1</i></a></li>
      <li><a href="two.xhtml">Zwei</a></li></ol></nav>`);
    const items: [string, string, string?][] = [...TWO, ['nav', 'nav.xhtml', 'properties="nav"']];
    const { documents } = await readBytes(
      'a.epub',
      epub(items, refs('one', 'two'), { ...pages, 'OPS/nav.xhtml': nav }),
    );
    expect(outline(documents)).toBe('## Kapitel 1\neins\n## Zwei\nzwei');
  });

  it('takes them from the table of contents of EPUB 2', async () => {
    const point = (file: string, title: string) =>
      `<navPoint><navLabel><text>${title}</text></navLabel><content src="${file}"/></navPoint>`;
    const ncx = `<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><docTitle><text>Das Buch</text></docTitle><navMap>
      ${point('text/one%20.xhtml', 'Kapitel 1')}${point('two.xhtml', 'Kapitel 2')}</navMap></ncx>`;
    const items: [string, string, string?][] = [
      ...TWO,
      ['ncx', 'toc.ncx', 'media-type="application/x-dtbncx+xml"'],
    ];
    const { documents } = await readBytes(
      'a.epub',
      epub(items, refs('one', 'two'), { ...pages, 'OPS/toc.ncx': ncx }),
    );
    expect(outline(documents)).toBe('## Kapitel 1\neins\n## Kapitel 2\nZwei\nzwei');
  });

  it('leaves out marks of notes and numbers of printed pages', async () => {
    const body = `<p>Text<a epub:type="noteref" href="#n">1</a> mit <span role="doc-pagebreak">17</span>Note.</p>
      <aside><p>Die Note. <a role="doc-backlink" href="#m">zurück</a></p></aside>`;
    const parts = { 'OPS/two.xhtml': page(body) };
    const { documents } = await readBytes('a.epub', epub(TWO.slice(1), refs('two'), parts));
    expect(outline(documents)).toBe('Text mit Note.\nDie Note.');
  });

  it('reports a page that cannot be read, and reads the others', async () => {
    const { 'OPS/two.xhtml': two } = pages;
    const { documents, notices } = await readBytes(
      'a.epub',
      epub(TWO, refs('one', 'two'), { 'OPS/two.xhtml': two }),
    );
    expect(outline(documents)).toBe('Zwei\nzwei');
    expect(notices).toMatchObject([
      { kind: 'failed', place: 'a.epub/OPS/text/one .xhtml', reason: 'damaged' },
    ]);
  });

  const encryption = (
    algorithm: string,
    uri: string,
  ) => `<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"
    xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData><enc:EncryptionMethod Algorithm="${algorithm}"/>
    <enc:CipherData><enc:CipherReference URI="${uri}"/></enc:CipherData></enc:EncryptedData></encryption>`;
  it.each([
    ['copy protection', 'http://www.w3.org/2001/04/xmlenc#aes128-cbc', 'OPS/two.xhtml', ['encrypted']],
    ['encrypted images', 'http://www.w3.org/2001/04/xmlenc#aes128-cbc', 'OPS/a.jpg', []],
    ['obfuscated fonts', 'http://www.idpf.org/2008/embedding', 'OPS/two.xhtml', []],
  ])('checks for %s', async (_, algorithm, uri, reasons) => {
    const parts = { ...pages, 'META-INF/encryption.xml': encryption(algorithm, uri) };
    const { documents, notices } = await readBytes('a.epub', epub(TWO, refs('one', 'two'), parts));
    expect(notices.map(({ reason }) => reason)).toEqual(reasons);
    expect(documents).toHaveLength(1 - reasons.length);
  });

  it.each([
    ['no page', epub([], '', {}), 'no text'],
    ['no container', zipOf({ a: 'b' }), 'damaged'],
    ['no package', zipOf({ 'META-INF/container.xml': CONTAINER }), 'damaged'],
    ['no zip file', Buffer.from('text'), 'damaged'],
  ])('names the reason for %s', async (_, content, reason) => {
    const { notices } = await readBytes('a.epub', content);
    expect(notices).toMatchObject([{ kind: 'failed', place: 'a.epub', reason }]);
  });
});
