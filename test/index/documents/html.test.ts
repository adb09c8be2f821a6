import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { htmlBlocks, readPage } from '../../../index/documents/html/html-page.ts';
import { runs } from '../../fixtures/runs.ts';

const readHtml = (text: string, source: string, path = source) => readPage(text, source, path).document;

const texts = (html: string) => htmlBlocks(html, 'a.html').map((block) => block.text);

describe('readHtml', () => {
  it('reads title, language, canonical link, headings and paragraphs', () => {
    const html = `<!doctype html><html lang="fr"><head><title> Le  port &amp; la mer </title><meta charset="utf-8">
      <link rel="stylesheet" href="a.css"><link rel="canonical" href="https://example.org/port"></head>
      <body><h1>Le <em>port</em></h1><p>Il pleut.<h3>Bateaux</h3><p>Trois.</body></html>`;
    expect(readHtml(html, 'a.html')).toEqual({
      source: 'a.html',
      title: 'Le port',
      lang: 'fr',
      url: 'https://example.org/port',
      blocks: [
        { kind: 'heading', level: 1, text: 'Le port' },
        { kind: 'paragraph', text: 'Il pleut.' },
        { kind: 'heading', level: 3, text: 'Bateaux' },
        { kind: 'paragraph', text: 'Trois.' },
      ],
    });
  });

  it('uses the title element unless there is exactly one h1, and the first h1 without a title element', () => {
    expect(readHtml('<title> Le  port &amp; la mer </title><p>A', 'a.html').title).toBe('Le port & la mer');
    expect(readHtml('<title>Port</title><h1>A</h1><h1>B</h1>', 'a.html').title).toBe('Port');
    expect(readHtml('<title> </title><h1>A<br>b</h1><h1>C</h1>', 'a.html').title).toBe('A b');
    expect(readHtml('<p>A', 'a.html').title).toBeUndefined();
  });

  it.each([
    ['white space, which collapses', '<p> a \n\t b <b> c</b> <i>d </i>  e\u00a0</p>', ['a b c d e']],
    ['line breaks', '<p>a <br> b<br/>c', ['a\nb\nc']],
    ['entities', '<p>&lt;a&gt; &eacute; &#x4e2d; &nbsp;b', ['<a> é 中 \u00a0b']],
    ['preformatted text', '<pre>\nif x:\n    y\n\n  z <b>w</b>\n</pre>', ['if x:\n    y\n\n  z w']],
    ['line breaks in preformatted text', '<pre>a <br> b</pre>', ['a \n b']],
    ['lists', '<ul><li>a<li>b <ol><li>c</ol></ul>d', ['a', 'b', 'c', 'd']],
    ['text between blocks', 'a<div>b<div>c</div>d</div>e', ['a', 'b', 'c', 'd', 'e']],
    [
      'scripts, styles and templates, which are skipped',
      'a<script>b</script><style>c</style><template><p>d</template><noscript>e</noscript>f',
      ['af'],
    ],
    ['comments, which are skipped', 'a<!-- b -->c', ['ac']],
    [
      'a table with one line per row',
      '<table><caption>T</caption><thead><tr><th>a<th>b</thead><tr><td><p>1</p><p>2</p><td></table>c',
      ['T', 'a | b\n1 2 | ', 'c'],
    ],
    [
      'a layout table',
      '<table><tr><td><h2>a</h2>b<td><table><tr><td>c<td>d</table></table>',
      ['a', 'b', 'c | d'],
    ],
  ])('reads %s', (_, html, expected) => {
    expect(texts(html)).toEqual(expected);
  });

  it('reads elements as deep as browsers nest them, and rejects deeper elements', () => {
    // html and body are two levels.
    expect(readHtml(`${'<div>'.repeat(510)}a`, 'a.html').blocks).toHaveLength(1);
    expect(() => readHtml(`${'<div>'.repeat(50_000)}a`, 'a.html', 'docs/a.html')).toThrow(
      'docs/a.html: nested more than 512 levels deep. Flatten it and try again.',
    );
    expect(texts('<p><b>a</b></p>'.repeat(1_000))).toHaveLength(1_000);
  });

  it('keeps any escaped text, once and in order', () => {
    const text = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\0\r]/g, ''));
    const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('p', 'b', 'h2', 'pre', 'td', 'li'), text)), (parts) => {
        const html = parts.map(([tag, text]) => `<${tag}>${escaped(text)}</${tag}>`).join('');
        expect(texts(html).join('').replace(/\s/gu, '')).toBe(
          parts
            .map(([, text]) => text)
            .join('')
            .replace(/\s/gu, ''),
        );
      }),
      { numRuns: runs(500) },
    );
  });
});
