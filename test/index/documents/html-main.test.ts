import { describe, expect, it } from 'vitest';
import { readPage } from '../../../index/documents/html/html-page.ts';
import { outline, readBytes } from '../../fixtures/read.ts';

const readHtml = (text: string, source: string) => readPage(text, source).document;

const texts = (body: string) => readHtml(body, 'a.html').blocks.map(({ text }) => text);

/** Enough text for a page, as words differ. */
const TEXT =
  'The harbour opens at six in the morning, and boats may leave from the northern pier until noon.';

describe('main content', () => {
  it.each([
    ['menus', '<nav><a href="/">Home</a> <a href="/b">Boats</a></nav>'],
    ['menus by role', '<div role="navigation"><h3>Navigation</h3><a href="b.html">Boats</a></div>'],
    ['menus by class', '<div class="site-menu"><a href="/a">A</a> | <a href="/b">B</a></div>'],
    ['headers of the site', '<header><h1><a href="/">Town</a></h1><p>By the sea</p></header>'],
    ['footers', '<footer><p>© 2024 Town</p></footer>'],
    [
      'credits by role, in an article',
      '<article><div role="contentinfo"><h2>About</h2><p>Written by Ann</p></div></article>',
    ],
    [
      'footers with headings',
      `<footer><h3>Debug information</h3><p>This page is ${'/text/shared/guide/'.repeat(8)}</p></footer>`,
    ],
    [
      'links to the next and the upper page',
      '<div><p>Next: <a href="b" rel="next">Boats</a>, Up: <a href="." rel="up">Town</a> [<a href="i">Index</a>]</p></div>',
    ],
    ['links to the next page without targets', '<p><a href="b.html">Next</a> Previous Contents</p>'],
    [
      'lines of LaTeX2HTML',
      '<p><b>Next:</b> <a href="b.html">Boats</a> <b>Up:</b> <a href="i.html">Town</a></p>',
    ],
    [
      'the bars of Javadoc',
      '<table><tr><td>PREV CLASS &nbsp; <a href="b.html">NEXT CLASS</a></td></tr></table><p>SUMMARY: INNER | <a href="#f">FIELD</a> | CONSTR | METHOD</p><p>FRAMES NO FRAMES</p>',
    ],
    ['dates of a page', '<p>This page was last modified on 1 May 2024.</p>'],
    ['dates below a heading', '<h3>Last update:</h3><p>Nov 11, 2026</p>'],
    ['names of programs', '<p>This document was generated on May 1, 2024 using <em>texi2any</em>.</p>'],
    ['bars of languages', '<p>Available Languages: <a href="d.html">de</a> | en</p>'],
    ['short copyrights', '<p>Copyright © 2024 Town</p>'],
    [
      'links to related pages',
      '<div><h2>See also</h2><p><a href="b.html">Boats</a>, <a href="n.html">Nets</a></p></div>',
    ],
    [
      'labels of contents',
      '<div><p><b>List of Tables</b></p><dl><dt><a href="a.html">A</a></dt><dt><a href="b.html">B</a></dt></dl></div>',
    ],
    [
      'an index in the page',
      `<h1>Index</h1><dl>${'<dt>boat</dt><dd><a href="#s1">2.1</a></dd><dt><a href="#n">net</a></dt>'.repeat(9)}</dl>`,
    ],
    [
      'an index of Texinfo',
      `<table class="cp-printindex">${'<tr><td><a href="#b">boats</a>:<td>Piers</tr>'.repeat(12)}</table>`,
    ],
    ['footers by class', '<div class="md-footer__inner"><p>© 2024 Town</p></div>'],
    ['sidebars', '<aside><h3>News</h3><p>Nothing new.</p></aside>'],
    ['breadcrumbs', '<ol class="breadcrumb"><li><a href="/">Town</a></li><li>Harbour</li></ol>'],
    [
      'tables of contents',
      '<h2>Contents</h2><ul><li><a href="#a">A</a></li><li><a href="#b">B</a></li></ul>',
    ],
    [
      'DocBook’s navigation',
      '<div class="navheader"><table><tr><th colspan="2">Harbour</th></tr><tr><td><a accesskey="p" href="a.html">Prev</a></td><td>Town</td></tr></table></div>',
    ],
    [
      'DocBook’s contents',
      '<div class="toc"><p><b>Table of Contents</b></p><dl><dt><a href="a.html">1. A</a></dt><dt><a href="b.html">2. B</a></dt></dl></div>',
    ],
    [
      'previous and next',
      '<div class="pagination-nav"><a href="a.html">Previous</a><a href="b.html">Next</a></div>',
    ],
    ['links to edit', '<div class="edit-page"><a href="/edit">Edit this page</a></div>'],
    ['banners about cookies', '<div id="cookie-banner"><p>We use cookies for statistics.</p></div>'],
    ['search forms', '<div class="searchbox" role="search"><h3>Quick search</h3><form><input></form></div>'],
    ['skip links', '<div class="skip-link"><a href="#main">Skip to content</a></div>'],
    ['buttons and choices', '<button>Copy</button><select><option>1.0<option>2.0</select>'],
    [
      'hidden parts',
      '<p hidden>a</p><p style="color:red; display: none">b</p><span aria-hidden="true">×</span>',
    ],
  ])('leaves out %s', (_, html) => {
    const expected = ['Harbour', TEXT];
    expect(texts(`${html}<h1>Harbour</h1><p>${TEXT}</p>`)).toEqual(expected);
    expect(texts(`<h1>Harbour</h1><p>${TEXT}</p>${html}`)).toEqual(expected);
  });

  it.each([
    ['a section about navigation', '<section id="navigation"><h2>Navigation</h2><p>Keep left.</p></section>'],
    ['a part about menus', '<div class="menu"><h2>Menu</h2><p>Fish and chips.</p></div>'],
    ['code of a function about cookies', '<div class="code" id="set_cookie"><pre>set_cookie()</pre></div>'],
    [
      'a header and a footer in an article',
      '<article><header><p>By Ann</p></header><p>a</p><footer><p>1 May</p></footer></article>',
    ],
    ['dates below a heading', '<h2>Changes</h2><p>Last updated in 2024, when the pier was built.</p>'],
    ['copyrights below a heading', '<h2>Copyright</h2><p>Copyright © 2024 Town</p>'],
    ['licences', `<p>Copyright © 2024 Town. ${'You may copy it. '.repeat(12)}</p>`],
    [
      'text that starts as a notice does',
      '<h3>Lists</h3><p>a</p><p>Generated by the clerk, they name boats.</p>',
    ],
    ['words of a menu in a sentence', '<p>Next, turn up to the top of the index.</p>'],
    [
      'text below "See also"',
      '<h2>See also</h2><p><a href="n.html">Nets</a>, which the last chapter explains.</p>',
    ],
    [
      'links to other sites',
      '<ul><li><a href="https://a.org">A</a></li><li><a href="https://b.org">B</a></li></ul>',
    ],
    ['files', '<ul><li><a href="a.pdf">A</a></li><li><a href="b.zip">B</a></li></ul>'],
    [
      'a list that a sentence introduces',
      '<p>Piers are:</p><ul><li><a href="n.html">North</a></li><li><a href="s.html">South</a></li></ul>',
    ],
    [
      'lists of links with text',
      '<ul><li><a href="n.html">North</a>, deep water</li><li><a href="s.html">South</a>, no</li></ul>',
    ],
    [
      'sentences of links',
      '<p><a href="a.html">Boats</a> <a href="b.html">sail</a> <a href="c.html">here</a></p>',
    ],
    [
      'links in tables',
      '<table><tr><td>North<td><div><a href="a">a</a><a href="b">b</a><a href="c">c</a></div></table>',
    ],
    ['the source of a quotation', '<blockquote><p>All is well.</p><footer>Ann</footer></blockquote>'],
    ['signs', '<p>a <a href="#lt">&lt;</a> b</p>'],
    ['tabs', '<div role="tabpanel" hidden><p>For Linux</p></div>'],
    ['text to expand', '<details><summary>Why</summary><p>Because.</p></details>'],
    [
      'admonitions',
      '<aside class="admonition note"><p class="admonition-title">Note</p><p>Wind.</p></aside>',
    ],
  ])('keeps %s', (_, html) => {
    const page = `<main><h1>Harbour</h1><p>${TEXT}</p>${html}</main>`;
    const shown = html.replace(/<\/?(?:a|b)\b[^>]*>/g, '');
    expect(texts(page)).toEqual(texts(`<main><h1>Harbour</h1><p>${TEXT}</p>${shown}</main>`));
    expect(texts(page).length).toBeGreaterThan(2);
  });

  it('reads only the main element, with the heading above it', () => {
    const page = `<div>By the sea</div><h1>Harbour</h1><main><p>${TEXT}</p></main><div>News</div>`;
    expect(texts(page)).toEqual(['Harbour', TEXT]);
    expect(texts(page.replaceAll('main>', 'article>'))).toEqual(['Harbour', TEXT]);
    expect(texts(page.replace('<main>', '<div role="main">').replace('</main>', '</div>'))).toEqual([
      'Harbour',
      TEXT,
    ]);
  });

  it('leaves out credits in the main element, also where little else is left', () => {
    const credits = '<footer><div><h2>About</h2><p>Written by Ann</p></div></footer>';
    expect(texts(`<main><h1>Harbour</h1><p>${TEXT}</p>${credits}</main>`)).toEqual(['Harbour', TEXT]);
    const links = `<nav>${`<p><a href="a">Pier</a> ${TEXT}</p>`.repeat(4)}</nav>`;
    expect(texts(`<main><h1>Harbour</h1>${links}${credits}</main>`).join()).not.toContain('Ann');
  });

  it.each([
    ['most of its text is links', '', (i: number) => `<p>no. ${i}: <a href="${i}">the boat of Ann</a></p>`],
    [
      'its markup says so',
      ' class="index"',
      (i: number) => `<p>the boat no. ${i}, <a href="${i}">page of it</a></p>`,
    ],
  ])('leaves out an index, if %s', async (_, name, entry) => {
    const entries = Array.from({ length: 12 }, (_, i) => entry(i)).join('');
    const page = `<h1>Index</h1><div${name}>${entries}</div>`;
    const { documents, notices } = await readBytes('ix.html', page);
    expect(documents).toEqual([]);
    expect(notices).toMatchObject([{ kind: 'skipped', reason: 'only navigation' }]);
    expect(texts(page.replaceAll('href', 'title'))).toHaveLength(13);
  });

  it('does not take the contents or the index of a page for its title', () => {
    const links = '<a href="#a">A</a><br><a href="#b">B</a>';
    const page = `<title>Harbour</title><p>By Ann</p><h1>Table of Contents</h1><div class="toc">${links}</div>
      <h2>A</h2><p>${TEXT}</p><h1>Index</h1><div class="toc">${links}</div>`;
    expect(readHtml(page, 'a.html')).toMatchObject({ title: 'Harbour' });
    expect(texts(page)).toEqual(['By Ann', 'A', TEXT]);
  });

  it('leaves out a list of the page’s own headings', () => {
    const page = (links: string) =>
      `<h1>Harbour</h1>${links}<h2>Boats</h2><p>${TEXT}</p><h2>Nets</h2><p>a</p>`;
    const expected = ['Harbour', 'Boats', TEXT, 'Nets', 'a'];
    expect(texts(page('<p><a href="#b">Boats</a><br><a href="#n">Nets</a></p>'))).toEqual(expected);
    expect(texts(page('<p><a href="#b">Boats</a><br><a href="#n">Ropes</a></p>'))).toHaveLength(6);
    expect(texts(page('<p>Boats<br>Nets</p>'))).toHaveLength(6);
  });

  it('skips a page with nothing but a notice', async () => {
    const page = '<h1>Harbour</h1><h4>May 2024</h4><p>Copyright © 2024 Town. All rights reserved.</p>';
    expect((await readBytes('a.html', page)).notices).toMatchObject([{ reason: 'only navigation' }]);
  });

  it('keeps dates and copyrights between other text', () => {
    const line = 'Last modified: 1 May 2024';
    const lines = ['a', 'b', 'c', 'd', 'e', line, 'f', 'g', 'h', 'i', 'j'];
    expect(texts(lines.map((line) => `<p>${line}</p>`).join(''))).toEqual(lines);
  });

  it('keeps the page where markup would hide most of its text', () => {
    const long = TEXT.repeat(9);
    expect(texts(`<main><p>Harbour</p></main><div><p>${long}</p></div>`)).toEqual(['Harbour', long]);
    expect(texts(`<div class="footer"><p>${long}</p></div>`)).toEqual([long]);
    expect(texts(`<nav><a href="/">Home</a></nav><footer><p>${long}</p></footer>`)).toEqual([long]);
    expect(texts(`<div style="display:none"><p>${long}</p></div><p>Loading</p>`)).toEqual([long, 'Loading']);
  });

  it.each([
    [
      'formulas as TeX',
      '<p>a <math><semantics><mi>x</mi><annotation encoding="application/x-tex">x^2</annotation></semantics></math> b',
      ['a x^2 b'],
    ],
    [
      'formulas by KaTeX',
      '<p><span class="katex-mathml"><math><mi>x</mi><annotation encoding="application/x-tex">x</annotation></math></span><span class="katex-html" aria-hidden="true">x</span> is',
      ['x is'],
    ],
    ['formulas for MathJax', '<p>a <script type="math/tex">x^2</script>', ['a x^2']],
    ['formulas as images', '<p>a <img class="math" alt="x^2">', ['a x^2']],
    ['figures', '<figure><img alt="A"><figcaption>Boats at noon</figcaption></figure>', ['Boats at noon']],
    ['terms', '<dl><dt>Pier</dt><dd>A place for <b>boats</b>.</dd></dl>', ['Pier', 'A place for boats.']],
    [
      'code with its spaces, without numbers of lines',
      '<div class="highlight"><table><tr><td class="linenos"><pre>1\n2</pre></td><td class="code"><pre>if x:\n    y</pre></td></tr></table></div>',
      ['if x:\n    y'],
    ],
    [
      'code without the label of its language',
      '<div class="language-sh vp-adaptive-theme"><button class="copy"></button><span class="lang">sh</span><pre><code>npm i</code></pre></div>',
      ['npm i'],
    ],
    ['names of languages in text', '<p>In <span class="lang">French</span></p>', ['In French']],
    [
      'the foot of a table last',
      '<table><thead><tr><th>A<th>B</thead><tfoot><tr><td>3<td>4</tfoot><tbody><tr><td>1<td>2</table>',
      ['A | B\n1 | 2\n3 | 4'],
    ],
    [
      'DocBook’s admonitions',
      '<div class="note"><table><tr><td rowspan="2"><img></td><th>Note</th></tr><tr><td><p>a</p><pre>b\n c</pre></td></tr></table></div>',
      ['Note', 'a', 'b\n c'],
    ],
    ['labels of drawings', '<svg><title>Icon</title><text>WITH</text><text>AS</text></svg>', ['WITH AS']],
  ])('reads %s', (_, html, expected) => {
    expect(texts(html)).toEqual(expected);
  });

  it('survives pages made to be slow', () => {
    const links = '<a href="#a">a</a>';
    const pages = [
      `${'<div>'.repeat(500) + links.repeat(20_000)}<h2>a</h2>`,
      '<ul><li><a href="#">a</a></ul>'.repeat(20_000),
      '<table><tr><td>'.repeat(120) + 'a'.repeat(10_000),
      `<div class="${'nav-'.repeat(50_000)}">a</div>`,
      '<h1>a</h1>'.repeat(20_000),
      '<nav class="breadcrumb">'.repeat(400) + links.repeat(5_000),
    ];
    for (const page of pages) expect(readHtml(page, 'a.html').source).toBe('a.html');
  });
});

describe('pages that are no text', () => {
  it.each([
    [
      'only navigation',
      '<h1>Part I</h1><div class="toc"><ul><li><a href="a.html">A</a><li><a href="b.html">B</a></ul></div>',
    ],
    [
      'redirect',
      '<meta http-equiv="refresh" content="0; url=b.html"><p>Redirecting to <a href="b.html">b</a>',
    ],
  ])('are skipped: %s', async (reason, html) => {
    const { documents, notices } = await readBytes('a.html', html);
    expect(documents).toEqual([]);
    expect(notices).toEqual([{ kind: 'skipped', place: 'a.html', reason }]);
  });

  it('are reported if they contain nothing', async () => {
    for (const html of ['', '<html><body><script>a</script></body>', '<img src="a.png">'])
      expect((await readBytes('a.html', html)).notices).toMatchObject([
        { kind: 'failed', reason: 'no text' },
      ]);
  });

  it('are skipped if they are frames of a saved page', async () => {
    const { documents, notices } = await readBytes('Town_files/saved_resource(2).html', `<p>${TEXT}`);
    expect(documents).toEqual([]);
    expect(notices).toMatchObject([{ kind: 'skipped', reason: 'part of a saved page' }]);
  });
});

describe('exports', () => {
  it('reads a page of a Confluence space', async () => {
    const html = `<!DOCTYPE html><html><head><title>Town : Harbour</title></head><body class="theme-default aui-theme-default">
      <div id="page"><div id="main" class="aui-page-panel"><div id="main-header">
      <div id="breadcrumb-section"><ol id="breadcrumbs"><li class="first"><span><a href="index.html">Town</a></span></li>
      <li><span><a href="Town_1.html">Town</a></span></li><li><span><a href="Places_2.html">Places</a></span></li></ol></div>
      <h1 id="title-heading" class="pagetitle"><span id="title-text"> Town : Harbour </span></h1></div>
      <div id="content" class="view"><div class="page-metadata">Created by <span class="author">Ann</span>, last modified on May 01, 2024</div>
      <div id="main-content" class="wiki-content group"><p>${TEXT}</p><h2 id="Harbour-Prices">Prices</h2><table><tr><th>Boat<th>Price<tr><td>Small<td>4</table></div>
      <div class="pageSection group"><div class="pageSectionHeader"><h2 id="attachments" class="pageSectionTitle">Attachments:</h2></div>
      <div class="greybox" align="left"><img src="b.gif"/> <a href="attachments/1/2.png">map.png</a> (image/png)<br/></div></div></div></div>
      <div id="footer" role="contentinfo"><section class="footer-body"><p>Document generated by Confluence on May 02, 2024 10:00</p>
      <div id="footer-logo"><a href="http://www.atlassian.com/">Atlassian</a></div></section></div></div></body></html>`;
    const { documents } = await readBytes('Town/Harbour_3.html', html);
    expect(documents[0]!.title).toBe('Town › Places › Harbour');
    expect(outline(documents)).toBe(`# Harbour\n${TEXT}\n## Prices\nBoat | Price\nSmall | 4`);
    expect(documents[0]!.blocks[2]!.anchor).toBe('Harbour-Prices');
  });

  it('reads a page of a Notion export', async () => {
    const hash = '0123456789abcdef0123456789abcdef';
    const html = `<html><head><title>Harbour</title></head><body><article id="01234567-89ab" class="page sans"><header>
      <div class="page-header-icon undefined"><span class="icon">⚓</span></div><h1 class="page-title">Harbour</h1>
      <p class="page-description"></p><table class="properties"><tbody><tr class="property-row"><th>Status</th><td>Open</td></tr></tbody></table></header>
      <div class="page-body"><p id="p1" class="">${TEXT}</p><figure id="f1" class="link-to-page"><a href="Harbour%20${hash}/Piers%20${hash}.html">Piers</a></figure></div></article></body></html>`;
    const { documents } = await readBytes(`Town ${hash}/Harbour ${hash}.html`, html);
    expect(documents[0]!.title).toBe('Town › Harbour');
    expect(outline(documents)).toBe(`# Harbour\nStatus | Open\n${TEXT}\nPiers`);
    expect(documents[0]!.blocks[2]!.anchor).toBe('p1');
  });
});
