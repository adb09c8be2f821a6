import type { Block, Document } from '../document.ts';

/** Share of the pages of a folder on which a block recurs: links (a menu that differs between chapters), and other text. */
const SHARE_OF_LINKS = 0.2;
const SHARE_OF_TEXT = 0.6;
/** Share of the titles that contain the site's name. */
const SHARE_OF_TITLES = 0.5;

/** Blocks with this much of their text in links are links. */
const LINKS = 0.8;

/** Blocks that differ from page to page between recurring ones, such as a title or a date: how many, and how many characters. */
const MAX_GAP = 3;
const MAX_GAP_TEXT = 40;

/** Characters of a label, such as "Note" or "Parameters". */
const MAX_LABEL = 40;

/**
 * Removes what recurs over the pages of a site: menus, footers, "Download the ebook", and the site's name in titles. Call `observe` for
 * all pages of a source, then `filter` for each. The results do not depend on the order of the calls. A page takes up to 600 bytes of
 * memory.
 *
 * Only the start and the end of a page can recur. A warning or a heading such as "Examples" between the page's own text stays, and so
 * does each heading with text of its own. Text that is no link, such as a licence, stays on the first page by name that has it.
 */
export class SiteChrome {
  readonly #signatures: Signature[] = [];
  #recurrence: Recurrence | undefined;

  /** Notes a page. */
  observe(page: Document): void {
    if (this.#recurrence) throw new Error('observe() was called after filter(). Observe all pages first.');
    this.#signatures.push(signatureOf(page));
  }

  /** Returns a page without what recurs, or as it is if no paragraph would be left. */
  filter(page: Document): Document {
    this.#recurrence ??= new Recurrence(this.#signatures.splice(0));
    const recurrence = this.#recurrence;
    const recurs = recurrence.on(page.source);
    const kinds = page.blocks.map((block) => {
      const hash = blockHash(block);
      if (isLinks(block)) return recurs(hash, SHARE_OF_LINKS) ? 'links' : undefined;
      if (!recurs(hash, SHARE_OF_TEXT)) return undefined;
      return recurrence.isFirst(page.source, hash) ? 'first' : 'text';
    });
    const removed = new Set([...runFrom(page.blocks, kinds, 1), ...runFrom(page.blocks, kinds, -1)]);
    const blocks = page.blocks.filter((_, i) => !removed.has(i) || startsText(page.blocks, removed, i));
    const kept = blocks.some(({ kind }) => kind === 'paragraph') ? blocks : page.blocks;
    const title = ownTitle(page.title, kept, recurs);
    // A heading in place of a title has nothing above it.
    const { above, ...rest } = page;
    const isBelow = above !== undefined && title?.includes(STEP);
    return { ...rest, ...(isBelow && { above }), title, blocks: kept };
  }
}

/** A title without the site's name. If all of it is the site's name, the first heading. */
function ownTitle(
  title: string | undefined,
  blocks: readonly Block[],
  recurs: (hash: number, share: number) => boolean,
): string | undefined {
  if (title === undefined) return undefined;
  if (recurs(titleHash(title), SHARE_OF_TITLES))
    return blocks.find(({ kind }) => kind === 'heading')?.text ?? title;
  const own = title.split(STEP);
  let last = own.pop()!;
  for (let next: { rest: string } | undefined; ; last = next.rest) {
    next = affixesOf(last).find(({ hash }) => recurs(hash, SHARE_OF_TITLES));
    if (!next) return [...own, last].join(STEP);
  }
}

/** How a block recurs, if it does. `first`: on this page, it stays. */
type Kind = 'links' | 'text' | 'first' | undefined;

/** The blocks that recur from the start (`step` 1) or the end (-1) of a page, up to the page's own text. */
function runFrom(blocks: readonly Block[], kinds: readonly Kind[], step: 1 | -1): number[] {
  const run: number[] = [];
  let gap: number[] = [];
  let previous: Kind;
  for (let count = 0, i = step === 1 ? 0 : blocks.length - 1; count < EDGE && blocks[i]; count++, i += step) {
    const kind = kinds[i];
    if (kind) {
      // Links between links that recur are the rest of a menu.
      if (kind === 'links' && previous === 'links') run.push(...gap.filter((at) => isLinks(blocks[at]!)));
      if (kind !== 'first') run.push(i);
      gap = [];
      previous = kind;
    } else {
      const { kind: blockKind, text } = blocks[i]!;
      const isShort = blockKind === 'heading' || isLinks(blocks[i]!) || text.length <= MAX_GAP_TEXT;
      if (!isShort || gap.push(i) > MAX_GAP) break;
    }
  }
  return run;
}

/** Whether a block is a heading or a label, such as "Note", right before text that stays. */
function startsText(blocks: readonly Block[], removed: ReadonlySet<number>, at: number): boolean {
  const isLabel = (block: Block) =>
    !isLinks(block) && (block.kind === 'heading' || block.text.length <= MAX_LABEL);
  if (!isLabel(blocks[at]!)) return false;
  let next = at + 1;
  while (removed.has(next) && blocks[next]!.kind === 'paragraph') next++;
  return blocks[next]?.kind === 'paragraph';
}

function isLinks({ links = 0 }: Block): boolean {
  return links >= LINKS;
}

/** Blocks at the start of a page, and at its end, that may recur. */
const EDGE = 64;

/** Folders above a page that may be a site or a part of one. */
const MAX_FOLDERS = 8;

/** Characters of a title in which names of sites are looked for. */
const MAX_TITLE = 500;

/** Separated parts of a title that may together be a site's name, from either end. */
const MAX_AFFIXES = 2;

/** Between a page's title and the titles of the pages above it. */
const STEP = ' › ';

/** What is kept of a page to find what recurs: hashes. */
interface Signature {
  source: string;
  /** Distinct hashes of its title, the parts of its title, and the blocks at its start and end. */
  hashes: Uint32Array;
}

function signatureOf({ source, title, blocks }: Document): Signature {
  const hashes = new Set(atEdges(blocks).map(blockHash));
  if (title !== undefined) {
    hashes.add(titleHash(title));
    for (const affix of affixesOf(title.split(STEP).at(-1)!)) hashes.add(affix.hash);
  }
  return { source, hashes: Uint32Array.from(hashes) };
}

function titleHash(title: string): number {
  return hash(`title ${title}`);
}

function blockHash({ text }: Block): number {
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
function affixesOf(title: string): Affix[] {
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
class Recurrence {
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
