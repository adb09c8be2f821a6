import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { outline, readBytes } from '../../fixtures/read.ts';
import { runs } from '../../fixtures/runs.ts';

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\r', '&#13;');

describe('a feed', () => {
  it('is a document an item of RSS', async () => {
    const content = `<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
      <channel><title>News</title><link>https://example.org/</link>
      <item><title>Harbour &amp; sea</title><link>https://example.org/1</link><guid isPermaLink="false">n1</guid>
        <pubDate>Mon, 06 Sep 2021 00:01:00 +0000</pubDate><dc:creator>Ann</dc:creator><category>sea</category><category>boats</category>
        <description>Short.</description><content:encoded><![CDATA[<p>It <b>rained</b> in the harbour.</p><p>It stopped.</p>]]></content:encoded></item>
      <item><title>Hill</title><link>https://example.org/2</link><description>&lt;p&gt;The sun shone.&lt;/p&gt;</description></item>
      </channel></rss>`;
    const { documents, notices } = await readBytes('a.rss', content);
    expect(notices).toEqual([]);
    expect(documents.map(({ id, title, url, metadata }) => [id, title, url, metadata])).toEqual([
      [
        'n1',
        'Harbour & sea',
        'https://example.org/1',
        { date: 'Mon, 06 Sep 2021 00:01:00 +0000', author: 'Ann', category: ['sea', 'boats'] },
      ],
      ['https://example.org/2', 'Hill', 'https://example.org/2', undefined],
    ]);
    expect(outline(documents)).toBe('It rained in the harbour.\nIt stopped.\nThe sun shone.');
  });

  it('is a document an entry of Atom', async () => {
    const content = `<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>News</title><id>f</id>
      <entry><id>urn:1</id><title type="html">Harbour</title><link rel="alternate" href="https://example.org/1"/>
      <author><name>Ann</name></author><updated>2021-09-06</updated><category term="sea"/><content type="html">&lt;p&gt;It rained.&lt;/p&gt;</content></entry></feed>`;
    expect((await readBytes('a.xml', content)).documents).toMatchObject([
      {
        id: 'urn:1',
        title: 'Harbour',
        url: 'https://example.org/1',
        metadata: { author: 'Ann', date: '2021-09-06', category: ['sea'] },
        blocks: [{ kind: 'paragraph', text: 'It rained.' }],
      },
    ]);
  });
});

describe('a MediaWiki export', () => {
  it('is a document a page', async () => {
    const wikitext = `{{Infobox|a={{b|c}}}}
'''Northport''' is a [[harbour|port]] on the [[sea]].<ref name="a">{{cite}} A note.</ref> See [https://example.org/ its site].<ref name="a" />
<!-- no -->[[File:Port.jpg|thumb|The [[harbour]]]]
== History ==
* Built in 1900
* Closed
{| class="wikitable"
! a
|}
[[Category:Harbours]]`;
    const page = (title: string, ns: number, text: string, more = '') =>
      `<page><title>${title}</title><ns>${ns}</ns><id>${title.length}</id>${more}<revision><id>5</id><text xml:space="preserve">${escaped(text)}</text></revision></page>`;
    const content = `<mediawiki xml:lang="en"><siteinfo><sitename>W</sitename></siteinfo>${page('Northport', 0, wikitext)}${page('Talk', 1, 'No.')}${page('NP', 0, '#REDIRECT', '<redirect title="Northport"/>')}</mediawiki>`;
    const { documents, notices } = await readBytes('a.xml', content);
    expect(notices).toEqual([]);
    expect(documents.map(({ id, title }) => [id, title])).toEqual([['9', 'Northport']]);
    expect(outline(documents)).toBe(
      'Northport is a port on the sea. See its site.\n## History\n- Built in 1900\n- Closed',
    );
  });
});

describe('XML with records', () => {
  it('is a document a record', async () => {
    const content = `<catalog><meta><date>2021</date></meta><books>
      <book id="b1" lang="en"><title>Harbour</title><author><name>Ann</name></author><tag>sea</tag><tag>boats</tag><description>It
      rained.</description></book>
      <book id="b2"><title>Hill</title><description>The sun shone.</description></book></books></catalog>`;
    const { documents, notices } = await readBytes('a.xml', content);
    expect(notices).toEqual([]);
    expect(documents).toMatchObject([
      { id: 'b1', title: 'Harbour', lang: 'en', metadata: { 'author.name': 'Ann', tag: ['sea', 'boats'] } },
      { id: 'b2', title: 'Hill', blocks: [{ text: 'The sun shone.' }] },
    ]);
  });

  it('may have its records as attributes', async () => {
    const { documents } = await readBytes(
      'a.xml',
      '<rows><row Name="A" Text="One."/><row Name="B" Text="Two."/></rows>',
    );
    expect(documents.map(({ title }) => title)).toEqual(['A', 'B']);
    expect(outline(documents)).toBe('One.\nTwo.');
  });

  it('has fields that a mapping names', async () => {
    const content = '<r><e><a>A</a><b><c>B.</c></b></e><e><a>C</a><b><c>D.</c></b></e></r>';
    const { documents } = await readBytes('a.xml', content, { fields: { title: 'a', text: 'b.c' } });
    expect(documents.map(({ title }) => title)).toEqual(['A', 'C']);
    expect(outline(documents)).toBe('B.\nD.');
  });

  it('is read in its declared encoding', async () => {
    const content =
      '<?xml version="1.0" encoding="windows-1250"?><r><e><text>Żółw</text></e><e><text>Ćma</text></e></r>';
    const { documents, notices } = await readBytes('a.xml', iconv.encode(content, 'windows-1250'));
    expect(outline(documents)).toBe('Żółw\nĆma');
    expect(notices).toEqual([]);
  });

  it('has the texts that were written', async () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .map((text) => text.trim())
      .filter((text) => /^[^\p{Cc}\uFFFE\uFFFF]+$/u.test(text));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 2, maxLength: 5 }), async (records) => {
        const items = records.map(
          ([title, note]) =>
            `<item><title>${escaped(title)}</title><text>T.</text><note>${escaped(note)}</note></item>`,
        );
        const { documents } = await readBytes('a.xml', `<items>${items.join('\n')}</items>`);
        expect(documents.map(({ title, metadata }) => [title, metadata?.note])).toEqual(records);
      }),
      { numRuns: runs(100) },
    );
  });
});

describe('XML with a text', () => {
  it('is a document with the headings of DocBook', async () => {
    const content = `<?xml version="1.0"?>
<!DOCTYPE book [<!ENTITY port "Northport">]>
<book xmlns="http://docbook.org/ns/docbook" xml:lang="en"><info><title>Guide to &port;</title></info>
  <chapter><title>Harbour</title><para><emphasis>Boats</emphasis> are&nbsp;here,
    and <indexterm><primary>sea</primary></indexterm>ships.</para>
    <section><title>Berths</title><itemizedlist><listitem><para>One</para></listitem><listitem><para>Two</para></listitem></itemizedlist>
    <programlisting>a = 1
  b = 2</programlisting>
    <table><title>Ships</title><tgroup cols="2"><thead><row><entry>Name</entry><entry>Year</entry></row></thead>
      <tbody><row><entry><para>Nord</para></entry><entry>1990</entry></row></tbody></tgroup></table></section></chapter></book>`;
    const { documents, notices } = await readBytes('a.xml', content);
    expect(notices).toEqual([]);
    expect(documents).toMatchObject([{ title: 'Guide to Northport', lang: 'en' }]);
    expect(outline(documents)).toBe(
      [
        '# Guide to Northport',
        '## Harbour',
        'Boats are here, and ships.',
        '### Berths',
        'One',
        'Two',
        'a = 1',
        '  b = 2',
        '### Ships',
        'Name | Year',
        'Nord | 1990',
      ].join('\n'),
    );
  });

  it('has the keys and menus of DocBook, and no credits', async () => {
    const content =
      '<article><articleinfo><title>Port</title><authorgroup><author><firstname>Ann</firstname></author></authorgroup><legalnotice><para>Free.</para></legalnotice><abstract><para>Boats.</para></abstract></articleinfo><para>Press <keycombo><keycap>Ctrl</keycap>\n<keycap>Z</keycap></keycombo> or <menuchoice><guimenu>Edit</guimenu><guimenuitem>Undo</guimenuitem></menuchoice>.</para></article>';
    expect(outline((await readBytes('a.docbook', content)).documents)).toBe(
      '# Port\nBoats.\nPress Ctrl+Z or Edit ▸ Undo.',
    );
  });

  it('is read in Mallard', async () => {
    const content = `<page xmlns="http://projectmallard.org/1.0/" id="undo"><info><link type="guide" xref="index"/>
      <title type="sort">0</title><credit type="author"><name>Ann</name></credit><license><p>Free.</p></license><desc>Take it back.</desc></info>
      <title>Undo</title><p>Press <keyseq><key>Ctrl</key><key>Z</key></keyseq>.</p>
      <steps><item><p>Run <code>undo</code>.</p></item></steps><section><title>Script</title><code>a = 1
  b = 2</code></section></page>`;
    const { documents } = await readBytes('a.page', content);
    expect(documents).toMatchObject([{ title: 'Undo' }]);
    expect(outline(documents)).toBe(
      'Take it back.\n# Undo\nPress Ctrl+Z.\nRun undo.\n## Script\na = 1\n  b = 2',
    );
  });

  it('is read in TEI', async () => {
    const content =
      '<TEI><teiHeader><fileDesc><titleStmt><title>Poems</title></titleStmt><publicationStmt><p>No.</p></publicationStmt></fileDesc></teiHeader><text><body><div><head>Sea</head><lg><l>The sea, <hi>the sea</hi>,</l><l>is blue.</l></lg></div></body></text></TEI>';
    expect(outline((await readBytes('a.xml', content)).documents)).toBe(
      '# Poems\n## Sea\nThe sea, the sea,\nis blue.',
    );
  });

  it('may have as many links as paragraphs, or more', async () => {
    const item = (name: string) => `<li><a href="${name}">${name}</a></li>`;
    const items = ['boats', 'piers', 'cranes', 'ships'].map(item).join('');
    const content = `<Document style="help"><p style="title">Harbour</p><p>It lies at the sea.</p>${items}</Document>`;
    expect(outline((await readBytes('a.xml', content)).documents)).toBe(
      'Harbour\nIt lies at the sea.\nboats\npiers\ncranes\nships',
    );
  });

  it('may have small parts that repeat beside its body', async () => {
    const refs = ['a', 'b', 'c'].map((id) => `<ref><id>${id}</id><to>${id}</to></ref>`).join('');
    const content = `<help><body>It lies at the sea, where boats are.</body>${refs}</help>`;
    const { documents } = await readBytes('a.xml', content);
    expect(outline(documents)).toMatch(/^It lies at the sea, where boats are\./);
    expect(documents).toHaveLength(1);
  });

  it('of another kind has a paragraph an element', async () => {
    const content = '<note><to>Ann</to><body>It <b>rained</b>.</body></note>';
    expect(outline((await readBytes('a.xml', content)).documents)).toBe('Ann\nIt\nrained\n.');
  });
});

describe('damaged XML', () => {
  it.each([
    ['<r><e><text>A.</text></e><e><text>B.</text></e><e><te', 'A.\nB.', 'not valid XML'],
    ['<r><e><text>A.</text></e><e><text>B.</text></e></x>', 'A.\nB.', 'not valid XML'],
    ['<book><title>A</title><para>B.', '# A\nB.', 'not valid XML'],
    ['', '', 'not valid XML'],
    ['text', '', 'not valid XML'],
    ['<a/>', '', 'no text'],
    ['<a>'.repeat(100_000), '', 'nested too deep'],
  ])('is reported, and read as far as possible: %.30j', async (content, text, reason) => {
    const { documents, notices } = await readBytes('a.xml', content);
    expect(outline(documents)).toBe(text);
    expect(notices).toMatchObject([{ kind: 'failed', place: 'a.xml', reason }]);
  });

  it('expands no entities of entities', async () => {
    const content = `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><r><e><text>&b;</text></e><e><text>&a;</text></e></r>`;
    expect(outline((await readBytes('a.xml', content)).documents)).toBe('&b;\naaaaaaaaaa');
  });
});
