import type { Block } from '../document.ts';
import { attribute, BLOCKS, type Element, isHeading } from './html-tree.ts';
import { flatText, isLink } from './inline-text.ts';

const PERMALINKS = new Set(
  'headerlink permalink hash-link heading-anchor header-anchor anchorjs-link anchor-link heading-link'.split(
    ' ',
  ),
);

/** Pilcrows, section signs, link symbols and returns from notes. */
const SIGN = /^(?:[\s¶§#∞⚓🔗↩]|\u200b|\ufe0e|\ufe0f)*$/u;

/** Characters of an id. Longer ones are no names that people link to. */
const MAX_ID = 300;

/** Where an id is, best first: how well it opens a block. */
const Rank = { Permalink: 0, Own: 1, Inside: 2, Section: 3, Before: 4, Container: 5 } as const;
type Rank = (typeof Rank)[keyof typeof Rank];

/**
 * Whether a link is the sign beside a heading that shows the heading's address, such as `¶` or `#`. It is no text of the page.
 */
export function isPermalink(element: Element): boolean {
  if (!isLink(element) || !attribute(element, 'href')!.includes('#')) return false;
  const { text } = flatText(element);
  const isNamed = attribute(element, 'class')
    ?.split(/\s+/)
    .some((name) => PERMALINKS.has(name));
  return text.length <= (isNamed ? 40 : 4) && (isNamed || SIGN.test(text));
}

/** Finds the ids that open each block, while the elements of a page are visited in order. */
export class Anchors {
  /** The best id since the last block. */
  #best: { id: string; rank: Rank } | undefined;
  /** A heading without an id, until the next text. */
  #waiting: Block | undefined;

  /** Notes an element that may have an id. `hasText` tells whether there is text since the last block. */
  enter(element: Element, inHeading: boolean, hasText: boolean): void {
    const id = attribute(element, 'id') || (element.tagName === 'a' && attribute(element, 'name'));
    if (!id || id.length > MAX_ID || (hasText && !inHeading)) return;
    const rank = rankOf(element, inHeading);
    if (rank === undefined) return;
    if (this.#waiting && element.tagName === 'a') this.#waiting.anchor = asFragment(id);
    this.#waiting = undefined;
    this.#offer(id, rank);
  }

  /** Notes a permalink sign, which is not visited otherwise. */
  permalink(element: Element, inHeading: boolean): void {
    const [, id] = /^#(.+)$/.exec(attribute(element, 'href')!) ?? [];
    if (!inHeading || (id && id.length > MAX_ID)) return;
    if (id) this.#offer(decoded(id), Rank.Permalink);
    else this.enter(element, true, false);
  }

  /** Gives a block the id that opens it. */
  assign(block: Block): void {
    const best = this.#best;
    const isTitle = block.level === 1;
    const limit = block.kind === 'paragraph' || isTitle ? Rank.Before : Rank.Container;
    if (best && best.rank <= limit) block.anchor = asFragment(best.id);
    this.#best = undefined;
    this.#waiting = block.kind === 'heading' && block.anchor === undefined ? block : undefined;
  }

  #offer(id: string, rank: Rank): void {
    // The later of two is the inner one.
    if (this.#best && this.#best.rank < rank) return;
    this.#best = { id, rank };
  }
}

function rankOf(element: Element, inHeading: boolean): Rank | undefined {
  const { tagName } = element;
  if (tagName === 'body' || tagName === 'html' || tagName === 'main' || tagName === 'form') return undefined;
  if (isHeading(element)) return Rank.Own;
  if (inHeading) return Rank.Inside;
  const isSection = /\b(?:sect|section|level|chapter|appendix|refentry|preface)/i.test(
    attribute(element, 'class') ?? '',
  );
  if (tagName === 'section' || tagName === 'article' || (tagName === 'div' && isSection)) return Rank.Section;
  if (tagName === 'div') return Rank.Container;
  return BLOCKS.has(tagName) ? Rank.Own : Rank.Before;
}

/** An id as it is written after `#` in a URL. */
function asFragment(id: string): string {
  return id.replace(/[\s"<>`%#]/g, encodeURIComponent);
}

function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
