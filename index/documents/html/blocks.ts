import type { Block } from '../document.ts';
import { Anchors, isPermalink } from './anchors.ts';
import { BLOCKS, childElements, DROPPED, type Element, isHeading, type Node, walk } from './html-tree.ts';
import { flatText, formulaOf, InlineText, isLink } from './inline-text.ts';
import { isContentsLabel, isIndexLabel } from './labels.ts';

const PREFORMATTED = new Set(['pre', 'textarea', 'listing']);

/** Blocks with less of their text in links are text: only the others are marked. */
const MIN_LINKS = 0.5;

/** Whether to leave out an element, with all that it contains. `inTable`: it is in a row of a table of data. */
export type LeaveOut = (element: Element, inTable: boolean) => boolean;

/** Reads the blocks at or below a node. A table of data becomes one block with a line per row. */
export function blocksOf(root: Node, isLeftOut: LeaveOut = () => false): Block[] {
  const blocks: Block[] = [];
  const text = new InlineText();
  const anchors = new Anchors();
  let level: number | undefined;
  let terms = 0;
  /** Headings right before something that was left out. */
  const emptied = new Set<Block>();
  const isDropped = (element: Element, inTable = false) =>
    DROPPED.has(element.tagName) || isPermalink(element) || isLeftOut(element, inTable);
  const add = (block: Block, links: number) => {
    if (links >= MIN_LINKS) block.links = Math.round(links * 100) / 100;
    anchors.assign(block);
    blocks.push(block);
  };
  const flush = () => {
    const { text: content, links } = text.take();
    if (content === '') return;
    if (level === undefined) add({ kind: 'paragraph', text: content }, links);
    else add({ kind: 'heading', level, text: content.replaceAll('\n', ' ') }, links);
  };
  walk(root, {
    enter(element) {
      const name = element.tagName;
      const formula = formulaOf(element);
      if (formula !== undefined) text.append(formula);
      if (formula !== undefined) return false;
      if (isDropped(element)) {
        if (isPermalink(element)) anchors.permalink(element, level !== undefined || terms > 0);
        else if (BLOCKS.has(name)) {
          flush();
          const last = blocks.at(-1);
          if (last && (isContentsLabel(last.text) || isIndexLabel(last.text))) blocks.pop();
          else if (last?.kind === 'heading') emptied.add(last);
        }
        return false;
      }
      if (name === 'br') text.breakLine();
      if (isLink(element)) text.links++;
      if (BLOCKS.has(name)) flush();
      if (isHeading(element)) level = Number(name[1]);
      anchors.enter(element, level !== undefined, !text.isEmpty);
      if (!BLOCKS.has(name)) return true;
      if (name === 'dt') terms++;
      if (PREFORMATTED.has(name)) text.preformatted++;
      const table = name === 'table' ? tableTexts(element, (inner) => isDropped(inner, true)) : undefined;
      for (const { text: content, links } of table ?? []) add({ kind: 'paragraph', text: content }, links);
      return table === undefined;
    },
    leave(element) {
      const name = element.tagName;
      if (isLink(element)) text.links--;
      // Labels of a drawing are in no order, but words of their own.
      if (name === 'text') text.append(' ');
      if (!BLOCKS.has(name)) return;
      flush();
      if (isHeading(element)) level = undefined;
      if (name === 'dt') terms--;
      if (PREFORMATTED.has(name)) text.preformatted--;
    },
    text: (value) => text.append(value),
  });
  flush();
  return emptied.size === 0 ? blocks : withoutEmptied(blocks, emptied);
}

/** Removes headings whose sections contained only what was left out: "Contents", "See also". The page's title stays. */
function withoutEmptied(blocks: readonly Block[], emptied: ReadonlySet<Block>): Block[] {
  const title = blocks.find(({ level }) => level === 1) ?? blocks.find(({ kind }) => kind === 'heading');
  const kept: Block[] = [];
  let lastRemoved: Block | undefined;
  for (const block of blocks.toReversed()) {
    const next = kept.at(-1);
    const isEmpty = block.kind === 'heading' && (!next || (next.level ?? 7) <= block.level!);
    const contains = emptied.has(block) || (lastRemoved && lastRemoved.level! > block.level!);
    if (isEmpty && contains && block !== title) lastRemoved = block;
    else {
      kept.push(block);
      lastRemoved = undefined;
    }
  }
  return kept.reverse();
}

/** A caption of a table, or all its rows as lines. */
interface TableText {
  text: string;
  /** Share of the text in links, 0 to 1. */
  links: number;
}

/**
 * The captions of a table, and its rows as lines, footers last. If the table is the layout of a page rather than data, undefined: it
 * contains headings or tables, or has no row with two cells.
 */
function tableTexts(table: Element, isDropped: (element: Element) => boolean): TableText[] | undefined {
  const captions: TableText[] = [];
  const rows: TableText[] = [];
  const footers: TableText[] = [];
  let open = rows;
  let isData = false;
  let isLayout = false;
  walk(table, {
    enter(element) {
      const { tagName } = element;
      isLayout ||= isHeading(element) || (tagName === 'table' && element !== table);
      if (isLayout || (element !== table && isDropped(element))) return false;
      if (tagName === 'tfoot') open = footers;
      if (tagName === 'caption') captions.push(flatText(element, isDropped));
      if (tagName !== 'tr') return tagName !== 'caption';
      isLayout ||= hasLayout(element);
      const cells = childElements(element).filter(
        (cell) => (cell.tagName === 'td' || cell.tagName === 'th') && !isDropped(cell),
      );
      const texts = cells.map((cell) => flatText(cell, isDropped));
      const filled = texts.filter(({ text }) => text !== '');
      if (filled.length > 1) isData = true;
      if (filled.length > 0) open.push(joined(texts, ' | '));
      return false;
    },
    leave({ tagName }) {
      if (tagName === 'tfoot') open = rows;
    },
  });
  if (isLayout || !isData) return undefined;
  const all = joined([...rows, ...footers], '\n');
  return [...captions, all].filter(({ text }) => text !== '');
}

/** Whether a row contains headings or tables. */
function hasLayout(row: Element): boolean {
  let found = false;
  walk(row, {
    enter(element) {
      found ||= isHeading(element) || element.tagName === 'table';
      return !found;
    },
  });
  return found;
}

function joined(parts: TableText[], separator: string): TableText {
  const length = parts.reduce((sum, { text }) => sum + text.length, 0);
  const linked = parts.reduce((sum, { text, links }) => sum + text.length * links, 0);
  return {
    text: parts.map(({ text }) => text).join(separator),
    links: length === 0 ? 0 : linked / length,
  };
}
