import { childElements, type Element, isHeading, walk } from './dom.ts';
import { flatText } from './inline-text.ts';

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
export function tableTexts(
  table: Element,
  isDropped: (element: Element) => boolean,
): TableText[] | undefined {
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
