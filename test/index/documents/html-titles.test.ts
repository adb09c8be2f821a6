import { describe, expect, it } from 'vitest';
import { declaredCharset } from '../../../index/documents/html/head.ts';
import { readPage } from '../../../index/documents/html/html-page.ts';

const readHtml = (text: string, source: string) => readPage(text, source).document;

const title = (html: string, source = 'a.html') => readHtml(`${html}<p>Text.`, source).title;

describe('titles', () => {
  it.each([
    ['the only h1', '<title>Port | Town</title><h1>The port</h1>', 'The port'],
    ['the heading in the title element', '<title>Port — Town</title><h2>Port</h2><h2>Sea</h2>', 'Port'],
    ['the heading after the site', '<title>Town: Port</title><h1>Port</h1><h1>Sea</h1>', 'Port'],
    ['the heading below a site’s name', '<title>Port | Town</title><h1>Town</h1><h2>Port</h2>', 'Port'],
    ['the project of a README', '<title>README</title><h1>portctl</h1><p>a<h1>License</h1>', 'portctl'],
    ['the first heading', '<h2>Port</h2><h2>Sea</h2>', 'Port'],
    ['the title element', '<title>Port</title><p>a', 'Port'],
    ['a useless title rather than none', '<title>README</title><p>a', 'README'],
  ])('are %s', (_, html, expected) => {
    expect(title(html)).toBe(expected);
  });

  const trail = (kind: string) =>
    `<nav ${kind}><ol><li><a href="/">Home</a></li><li><a href="/admin/">Administration</a> »</li><li>Backup</li></ol></nav>`;

  it.each([
    ['breadcrumbs', `${trail('aria-label="Breadcrumb"')}<h1>Backup</h1>`, 'Administration › Backup'],
    ['breadcrumbs by class', `${trail('class="breadcrumb"')}<h1>Backup</h1>`, 'Administration › Backup'],
    [
      'breadcrumbs, without a link to the source after the page itself',
      '<ul class="wy-breadcrumbs"><li><a href="i.html">Home</a></li><li>2. Backup</li><li><a href="b.txt">View page source</a></li></ul><h1>2. Backup</h1>',
      '2. Backup',
    ],
    [
      'links of Sphinx',
      `<div class="related"><ul><li class="right"><a href="n">next</a> |</li><li class="nav-item nav-item-0"><a href="i">App 2.0 documentation</a> »</li>
       <li class="nav-item nav-item-1"><a href="t">The Tutorial</a> »</li><li class="nav-item nav-item-this"><a href="">6. Modules</a></li></ul></div>
       <h1>6. Modules<a class="headerlink" href="#modules">¶</a></h1>`,
      'The Tutorial › 6. Modules',
    ],
    [
      'the up link of DocBook',
      '<title>CLUSTER</title><link rel="up" title="SQL\n Commands" href="s.html"><h2>CLUSTER</h2>',
      'SQL Commands › CLUSTER',
    ],
    [
      'the up link in a page',
      '<div class="navheader"><a accesskey="u" href="s.html" title="SQL Commands">Up</a></div><h1>CLUSTER</h1>',
      'SQL Commands › CLUSTER',
    ],
    [
      'an up link that says nothing',
      '<a rel="up" href="s.html" title="Up section">Up</a><h1>CLUSTER</h1>',
      'CLUSTER',
    ],
    [
      'an up link to the start, which is the site',
      '<link rel="up" title="Manual" href="i"><link rel="home" title="Manual" href="i"><h1>CLUSTER</h1>',
      'CLUSTER',
    ],
  ])('have their place from %s', (_, html, expected) => {
    expect(title(html)).toBe(expected);
  });

  it('have their place in a Notion export without the hashes of its names', () => {
    const hash = '0123456789abcdef0123456789abcdef';
    const page =
      '<article class="page sans"><header><h1 class="page-title">Backup</h1></header><p>Text.</article>';
    expect(title(page, `Export/Team ${hash}/Admin ${hash}/Backup ${hash}.html`)).toBe(
      'Team › Admin › Backup',
    );
  });
});

describe('addresses', () => {
  it.each([
    ['the canonical link', '<link rel="canonical" href="https://a.org/b">', 'https://a.org/b'],
    [
      'a relative canonical link',
      '<base href="https://a.org/c/"><link rel="canonical" href="b">',
      'https://a.org/c/b',
    ],
    ['og:url', '<meta property="og:url" content="https://a.org/b">', 'https://a.org/b'],
    [
      'where a browser saved it from',
      '<!-- saved from url=(0015)https://a.org/b -->\n<html>',
      'https://a.org/b',
    ],
    [
      'where SingleFile saved it from',
      '<!--\n Page saved with SingleFile \n url: https://a.org/b \n-->',
      'https://a.org/b',
    ],
    [
      'where HTTrack copied it from',
      '<!-- Mirrored from a.org/b by HTTrack Website Copier/3.x -->',
      'http://a.org/b',
    ],
    ['nothing of an unsaved page', '<!-- saved from url=(0014)about:internet -->', undefined],
  ])('are %s', (_, html, expected) => {
    expect(readHtml(`${html}<p>a`, 'a.html').url).toBe(expected);
  });
});

describe('declaredCharset', () => {
  it.each([
    ['<meta charset=Shift_JIS>', 'Shift_JIS'],
    ['<META http-equiv="Content-Type" content="text/html; charset=windows-1251" />', 'windows-1251'],
    ['<?xml version="1.0" encoding="ISO-8859-2"?><html>', 'ISO-8859-2'],
    ["<meta name='a'><meta charset='big5'>", 'big5'],
    ['<!-- <meta charset="koi8-r"> --><meta charset="euc-kr">', 'euc-kr'],
    ['<p>charset=utf-8', undefined],
    [`${' '.repeat(1024)}<meta charset="big5">`, undefined],
    ['<!-- <meta charset="big5">', undefined],
  ])('of %s', (html, expected) => {
    expect(declaredCharset(html)).toBe(expected);
  });
});
