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
function foldersOf(source: string): string[] {
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

/** Fewer pages are no sign: a licence may be on three. */
const MIN_PAGES = 4;

/** How many pages of a folder, and of its subfolders, contain each hash. */
interface Counts {
  pages: number;
  byHash: Map<number, number>;
}

/** Which hashes recur over the pages of a folder. */
export class Recurrence {
  readonly #folders = new Map<string, Counts>();
  /** The first page, by name, with each hash that recurs anywhere. */
  readonly #first = new Map<number, string>();

  constructor(signatures: readonly Signature[]) {
    const frequent = frequentHashes(signatures);
    for (const { source, hashes } of signatures) {
      const counted = hashes.filter((hash) => frequent.has(hash));
      for (const folder of foldersOf(source)) {
        const counts = this.#folders.get(folder) ?? { pages: 0, byHash: new Map() };
        this.#folders.set(folder, counts);
        counts.pages++;
        for (const hash of counted) counts.byHash.set(hash, (counts.byHash.get(hash) ?? 0) + 1);
      }
      for (const hash of counted) {
        const first = this.#first.get(hash);
        if (first === undefined || source < first) this.#first.set(hash, source);
      }
    }
  }

  /** Returns a function that tells whether a hash is on at least `share` of the pages of a folder that contains this page. */
  on(source: string): (hash: number, share: number) => boolean {
    const folders = foldersOf(source).flatMap((folder) => this.#folders.get(folder) ?? []);
    return (hash, share) =>
      folders.some(({ pages, byHash }) => (byHash.get(hash) ?? 0) >= Math.max(MIN_PAGES, share * pages));
  }

  /** Whether a page is the first by name of those with this hash. */
  isFirst(source: string, hash: number): boolean {
    return this.#first.get(hash) === source;
  }
}

/** The hashes on at least `MIN_PAGES` pages. Sorting numbers takes less memory than counting each in a map. */
function frequentHashes(signatures: readonly Signature[]): Set<number> {
  const all = new Uint32Array(signatures.reduce((sum, { hashes }) => sum + hashes.length, 0));
  let end = 0;
  for (const { hashes } of signatures) {
    all.set(hashes, end);
    end += hashes.length;
  }
  all.sort();
  const frequent = new Set<number>();
  for (let i = MIN_PAGES - 1; i < all.length; i++)
    if (all[i] === all[i - MIN_PAGES + 1]) frequent.add(all[i]!);
  return frequent;
}
