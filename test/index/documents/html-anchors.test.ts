import { describe, expect, it } from 'vitest';
import { readPage } from '../../../index/documents/html/html-page.ts';

const readHtml = (text: string, source: string) => readPage(text, source).document;

/** The anchor of each block, by its text. */
const anchors = (html: string) =>
  Object.fromEntries(readHtml(html, 'a.html').blocks.map(({ text, anchor }) => [text, anchor]));

describe('anchors', () => {
  it.each([
    ['a heading of its own', '<h2 id="b">B</h2>', 'b'],
    ['the section around it', '<section id="b"><h2>B</h2></section>', 'b'],
    ['the division around it', '<div id="b"><h2>B</h2></div>', 'b'],
    ['an old name before it', '<a name="b"></a><h2>B</h2>', 'b'],
    ['an old name in it', '<h2><a name="b">B</a></h2>', 'b'],
    ['an old name after it', '<h2>B</h2><a name="b"></a><p>c', 'b'],
    ['an empty link in it', '<h2><a id="b"></a>B</h2>', 'b'],
    ['its permalink', '<div id="c"><h2 id="d">B<a class="headerlink" href="#b">¶</a></h2></div>', 'b'],
    [
      'its permalink in GitHub’s form',
      '<h2>B<a id="b" class="anchor" href="#b"><svg><path/></svg></a></h2>',
      'b',
    ],
    ['an encoded permalink', '<h2>B<a class="headerlink" href="#%C3%A9%20t">¶</a></h2>', 'é%20t'],
    ['the innermost section', '<section id="a"><section id="b"><h2>B</h2></section></section>', 'b'],
    ['a section rather than an index term', '<section id="b"><a id="idx-1"></a><h2>B</h2></section>', 'b'],
    ['Sphinx’s second target', '<section id="b"><span id="c"></span><h2>B</h2></section>', 'b'],
  ])('take the id of %s', (_, html, expected) => {
    expect(anchors(`<p>a</p>${html}`).B).toBe(expected);
  });

  it('belong to the text that follows, not to text before', () => {
    expect(anchors('<p>a <b id="x">b</b></p><p>c</p><h2>D</h2>')).toEqual({
      'a b': undefined,
      c: undefined,
      D: undefined,
    });
    expect(anchors('<div id="page"><h1>A</h1><p id="p">b</p><p>c</p></div>')).toEqual({
      A: undefined,
      b: 'p',
      c: undefined,
    });
  });

  it('are those of terms and of tables', () => {
    const html = `<h1>A</h1><dl><dt id="f.open">open(path)<a class="headerlink" href="#f.open">¶</a></dt><dd>Opens.</dd></dl>
      <table id="t"><tr><td>1<td>2</table>`;
    expect(anchors(html)).toEqual({
      A: undefined,
      'open(path)': 'f.open',
      'Opens.': undefined,
      '1 | 2': 't',
    });
  });

  it('can be written after a #', () => {
    expect(anchors('<h2 id="a b%#">A</h2>').A).toBe('a%20b%25%23');
  });
});

describe('permalink signs', () => {
  it.each([
    '<a class="headerlink" href="#a" title="Permalink to this heading">¶</a>',
    '<a class="anchor" href="#a">#</a>',
    '<a href="#a">§</a>',
    '<a class="hash-link" href="#a" title="Direct link to A">\u200b</a>',
    '<a class="header-anchor" href="b.html#a">🔗</a>',
    '<a class="permalink" href="#a">Permalink</a>',
  ])('are no text: %s', (sign) => {
    const { title, blocks } = readHtml(`<h1>A${sign}</h1><p>b`, 'a.html');
    expect([title, ...blocks.map(({ text }) => text)]).toEqual(['A', 'A', 'b']);
  });

  it('are not notes, names or other links', () => {
    const html = '<p>a<a href="#n1">[1]</a> <a href="#csharp">C#</a> <a href="https://b.org/#c">#c</a>';
    expect(readHtml(html, 'a.html').blocks[0]!.text).toBe('a[1] C# #c');
  });
});
