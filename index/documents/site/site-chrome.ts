import type { Block, Document } from '../document.ts';
import {
  affixesOf,
  blockHash,
  EDGE,
  Recurrence,
  type Signature,
  STEP,
  signatureOf,
  titleHash,
} from './recurrence.ts';

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
