import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Nodes, Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { root } from '../fixtures/index.ts';

/** A Markdown page of the repository. */
export interface Page {
  /** Path from the repository's root. */
  path: string;
  text: string;
  tree: Root;
}

/** All nodes of one type below a node, in reading order. */
export function nodesOf<Type extends Nodes['type']>(
  node: Nodes,
  type: Type,
): Extract<Nodes, { type: Type }>[] {
  const own = node.type === type ? [node as Extract<Nodes, { type: Type }>] : [];
  return 'children' in node ? [...own, ...node.children.flatMap((child) => nodesOf(child, type))] : own;
}

const read = new Map<string, Page>();

/** Reads a page. Throws if it does not exist. */
export function readPage(path: string): Page {
  const page = read.get(path) ?? parsePage(path);
  read.set(path, page);
  return page;
}

function parsePage(path: string): Page {
  const text = readFileSync(join(root, path), 'utf8');
  const tree = fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  return { path, text, tree };
}

/** The Markdown pages in a folder and below. */
export function pagesIn(folder: string): Page[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
    .sort()
    .map((path) => readPage(`${folder}/${path}`));
}

/** The pages for users: README.md and docs/. */
export const userPages = (): Page[] => [readPage('README.md'), ...pagesIn('docs')];

/** The text of each cell of the table under a heading, row by row, without the header row. */
export function tableUnder({ path, tree }: Page, heading: string): string[][] {
  const start = tree.children.findIndex((node) => node.type === 'heading' && textOf(node) === heading);
  const table = tree.children.slice(start + 1).find((node) => node.type === 'table');
  if (start < 0 || !table) throw new Error(`${path} has no table under the heading "${heading}".`);
  return table.children.slice(1).map((row) => row.children.map(textOf));
}

/** A node's text without its markup. */
export function textOf(node: Nodes): string {
  if ('value' in node) return node.value;
  return 'children' in node ? node.children.map(textOf).join('') : '';
}
