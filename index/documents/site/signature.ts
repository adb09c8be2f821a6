import type { Block, Document } from '../document.ts';

/** Blocks at the start of a page, and at its end, that may recur. */
export const EDGE = 64;

/** Folders above a page that may be a site or a part of one. */
const MAX_FOLDERS = 8;

/** Characters of a title in which names of sites are looked for. */
const MAX_TITLE = 500;

/** Separated parts of a title that may together be a site's name, from either end. */
const MAX_AFFIXES = 2;

/** Between a page's title and the titles of the pages above it. */
export const STEP = ' › ';

/** What is kept of a page to find what recurs: hashes. */
export interface Signature {
  source: string;
  /** Distinct hashes of its title, the parts of its title, and the blocks at its start and end. */
  hashes: Uint32Array;
}

export function signatureOf({ source, title, blocks }: Document): Signature {
  const hashes = new Set(atEdges(blocks).map(blockHash));
  if (title !== undefined) {
    hashes.add(titleHash(title));
    for (const affix of affixesOf(title.split(STEP).at(-1)!)) hashes.add(affix.hash);
  }
  return { source, hashes: Uint32Array.from(hashes) };
}

export function titleHash(title: string): number {
  return hash(`title ${title}`);
}

export function blockHash({ text }: Block): number {
  return hash(`block ${text}`);
}

/** A part of a title that may be the name of a site. */
interface Affix {
  hash: number;
  /** The title without it. */
  rest: string;
}

/**
 * The parts at the end and at the start of a page's own title that separators divide from the rest, longest first: of "Backup — Manual",
 * "Manual" and "Backup".
 */
export function affixesOf(title: string): Affix[] {
  const separators = [...title.slice(0, MAX_TITLE).matchAll(/\s+[-–—|·•»«:]+\s+|:\s+/g)];
  const suffixes = separators.slice(-MAX_AFFIXES).map(({ index, 0: separator }) => ({
    hash: hash(`suffix ${title.slice(index + separator.length)}`),
    rest: title.slice(0, index),
  }));
  const prefixes = separators.slice(0, MAX_AFFIXES).map(({ index, 0: separator }) => ({
    hash: hash(`prefix ${title.slice(0, index)}`),
    rest: title.slice(index + separator.length),
  }));
  return [...suffixes, ...prefixes.reverse()].filter(({ rest }) => rest.trim() !== '');
}

/** The folders that contain a file: `''`, `a`, `a/b`, and `a/b/*` without its subfolders. */
export function foldersOf(source: string): string[] {
  const all = source.split('/').slice(0, -1);
  const parts = all.slice(0, MAX_FOLDERS);
  return ['', ...parts.map((_, i) => parts.slice(0, i + 1).join('/')), `${all.join('/')}/*`];
}

function atEdges(blocks: readonly Block[]): Block[] {
  return blocks.length <= 2 * EDGE ? [...blocks] : [...blocks.slice(0, EDGE), ...blocks.slice(-EDGE)];
}

/** FNV-1a over UTF-16 code units. http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
