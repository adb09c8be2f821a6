import { expandTabs } from '../markup/tabs.ts';
import { MAX_DEPTH } from '../nesting.ts';

/** A container that continues in the next lines: a quote, or a list item with the indentation of its content in columns. */
type Container = 'quote' | number;

const ITEM = /^(?:[-+*]|\d{1,9}[.)])(?= |$)/;
const THEMATIC_BREAK = /^(?:(?:- *){3,}|(?:\* *){3,})$/;
const FENCE = /^(?:`{3,}(?=[^`]*$)|~{3,})/;

/** One line of Markdown, without the markers of the quotes and lists that it is in. */
interface Line {
  content: string;
  /** Columns of white space before the content. Four and more make it code, unless it continues a paragraph. */
  indent: number;
  /** Whether a quote or a list item begins in this line. */
  opens: boolean;
  /** Whether an outermost one does. */
  opensOutermost: boolean;
  /** Whether it is part of fenced code, or a fence itself. */
  isCode: boolean;
  /** How many quotes and list items the line is in; at most one more than `MAX_DEPTH`. */
  depth: number;
}

/**
 * Follows the block structure of Markdown line by line, as CommonMark 0.31 defines it for quotes, lists and fenced code, in time
 * proportional to the text.
 */
export class BlockScanner {
  #open: Container[] = [];
  #fence: { mark: string; depth: number } | undefined;

  next(text: string): Line {
    let rest = expandTabs(text, 4);
    const matched = this.#match(rest);
    rest = matched.rest;
    if (this.#fence && matched.depth >= this.#fence.depth) {
      const content = rest.trim();
      if (content.startsWith(this.#fence.mark) && content === content[0]!.repeat(content.length))
        this.#fence = undefined;
      return { content, indent: 0, opens: false, opensOutermost: false, isCode: true, depth: matched.depth };
    }
    this.#fence = undefined;
    this.#open.length = matched.depth;
    rest = this.#openContainers(rest);
    const depth = this.#open.length;
    const content = rest.trimStart();
    const mark = rest.length - content.length < 4 ? FENCE.exec(content)?.[0] : undefined;
    if (mark) this.#fence = { mark, depth };
    return {
      content,
      indent: rest.length - content.length,
      opens: depth > matched.depth,
      opensOutermost: depth > 0 && matched.depth === 0,
      isCode: mark !== undefined,
      depth,
    };
  }

  /** Removes the markers of open containers, as far as the line continues them. */
  #match(line: string): { rest: string; depth: number } {
    let rest = line;
    let depth = 0;
    for (const container of this.#open) {
      const indent = rest.length - rest.trimStart().length;
      if (container === 'quote') {
        if (indent > 3 || rest[indent] !== '>') break;
        rest = rest.slice(indent + 1).replace(/^ /, '');
      } else {
        // A blank line continues list items.
        if (indent < container && indent < rest.length) break;
        rest = rest.slice(container);
      }
      depth++;
    }
    return { rest, depth };
  }

  /** Opens the containers that begin in a line, and removes their markers. Stops one level beyond the limit. */
  #openContainers(line: string): string {
    let rest = line;
    while (this.#open.length <= MAX_DEPTH) {
      const content = rest.trimStart();
      const indent = rest.length - content.length;
      if (indent > 3) break;
      if (content.startsWith('>')) {
        this.#open.push('quote');
        rest = content.slice(1).replace(/^ /, '');
        continue;
      }
      const marker = ITEM.exec(content)?.[0];
      if (marker === undefined || THEMATIC_BREAK.test(content)) break;
      const after = content.slice(marker.length);
      const spaces = after.length - after.trimStart().length;
      // Code in an item is indented by one space and four more.
      const gap = spaces > 4 || spaces === after.length ? 1 : spaces;
      this.#open.push(indent + marker.length + gap);
      rest = after.slice(gap);
    }
    return rest;
  }
}
