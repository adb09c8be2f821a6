import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'parse5';
import { expect, it } from 'vitest';
import { debianPackage } from '../../fixtures/debian.ts';
import { readBytes } from '../../fixtures/read.ts';

const folder = debianPackage('docutils-doc');
it.skipIf(!folder)('reStructuredText has the headings that docutils prints', async () => {
  const docs = join(folder!, 'usr/share/doc/docutils-doc/docs');
  const files = readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.txt'),
  );
  let total = 0;
  for (const file of files.sort()) {
    const { documents } = await readBytes(file.replace('.txt', '.rst'), readFileSync(join(docs, file)));
    const own = documents[0]?.blocks.filter(({ kind }) => kind === 'heading').map(({ text }) => plain(text));
    if (!own) continue;
    expect(own, file).toEqual(headingsOf(readFileSync(join(docs, file.replace('.txt', '.html')), 'utf8')));
    total += own.length;
  }
  expect(total).toBeGreaterThan(400);
});

const plain = (text: string) =>
  text
    .replace(/^\d[\d.]*\s+/, '')
    .replace(/[\s\p{P}]+/gu, ' ')
    .trim();

interface Node {
  tagName?: string;
  value?: string;
  attrs?: { name: string; value: string }[];
  childNodes?: Node[];
}

/** The headings of a page of docutils, without those of tables of contents. */
function headingsOf(html: string): string[] {
  const found: string[] = [];
  const textOf = (node: Node): string => node.value ?? (node.childNodes ?? []).map(textOf).join('');
  const visit = (node: Node): void => {
    const type = node.attrs?.find(({ name }) => name === 'class')?.value ?? '';
    if (node.tagName === 'header' || /contents|system-message|topic-title|sidebar-title/.test(type)) return;
    if (/^h[1-6]$/.test(node.tagName ?? '')) found.push(plain(textOf(node)));
    else for (const child of node.childNodes ?? []) visit(child);
  };
  visit(parse(html) as Node);
  return found;
}
