import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse, parseFragment } from 'parse5';
import type { Block, Document } from '../document.ts';
import { nestedTooDeep } from '../nesting.ts';

type Element = DefaultTreeAdapterTypes.Element;
type Node = DefaultTreeAdapterTypes.Node;

const DROPPED = new Set(['script', 'style', 'template', 'noscript', 'head', 'iframe', 'noembed', 'noframes']);
const PREFORMATTED = new Set(['pre', 'textarea', 'listing']);
const BLOCKS = new Set(
  `address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer
  form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol optgroup option p pre search section select
  summary table tbody td textarea tfoot th thead tr ul`.split(/\s+/),
);

/** How deep elements may nest: as in browsers, which flatten deeper pages. */
const MAX_ELEMENT_DEPTH = 512;

/**
 * Reads an HTML page. The title is the only `<h1>`, else the `<title>` (which often contains the site's name), else the first
 * `<h1>`. The URL is the canonical link.
 * @param path of the file, for errors
 * @throws if elements nest too deep
 */
export function readHtml(text: string, source: string, path = source): Document {
  const document = parse(text, { treeAdapter: limitedAdapter(path) });
  const html = childElements(document).find((element) => element.tagName === 'html');
  const head = html && childElements(html).find((element) => element.tagName === 'head');
  const meta = head ? childElements(head) : [];
  const titleElement = meta.find((element) => element.tagName === 'title');
  const canonical = meta.find(
    (element) =>
      element.tagName === 'link' &&
      attribute(element, 'rel')?.toLowerCase().split(/\s+/).includes('canonical'),
  );
  const blocks = blocksOf(document);
  const heads = blocks.filter(({ level }) => level === 1).map(({ text }) => text);
  return {
    source,
    title: heads.length === 1 ? heads[0] : (titleElement && flatText(titleElement)) || heads[0],
    url: (canonical && attribute(canonical, 'href')) || undefined,
    lang: (html && attribute(html, 'lang')) || undefined,
    blocks,
  };
}

/** Reads the blocks of an HTML fragment. `path` and errors are as for `readHtml`. */
export function htmlBlocks(fragment: string, path: string): Block[] {
  return blocksOf(parseFragment(fragment, { treeAdapter: limitedAdapter(path) }));
}

/** Builds the parser's usual tree, but stops at too many open elements: for many tags, the parser walks through all of them. */
function limitedAdapter(path: string): typeof defaultTreeAdapter {
  let depth = 0;
  return {
    ...defaultTreeAdapter,
    onItemPush: () => {
      if (++depth > MAX_ELEMENT_DEPTH) throw nestedTooDeep(path, MAX_ELEMENT_DEPTH);
    },
    onItemPop: () => {
      depth--;
    },
  };
}

/** Collapses white space as browsers do. A table of data becomes one block with a line per row. */
function blocksOf(root: Node): Block[] {
  const blocks: Block[] = [];
  const text = new InlineText();
  let level: number | undefined;
  const flush = () => {
    const content = text.take();
    if (content === '') return;
    if (level === undefined) blocks.push({ kind: 'paragraph', text: content });
    else blocks.push({ kind: 'heading', level, text: content.replaceAll('\n', ' ') });
  };
  walk(root, {
    enter(element) {
      const name = element.tagName;
      if (DROPPED.has(name)) return false;
      if (name === 'br') text.breakLine();
      if (!BLOCKS.has(name)) return true;
      flush();
      if (/^h[1-6]$/.test(name)) level = Number(name[1]);
      if (PREFORMATTED.has(name)) text.preformatted++;
      if (name !== 'table' || isLayout(element)) return true;
      for (const content of tableTexts(element)) blocks.push({ kind: 'paragraph', text: content });
      return false;
    },
    leave(element) {
      if (!BLOCKS.has(element.tagName)) return;
      flush();
      if (/^h[1-6]$/.test(element.tagName)) level = undefined;
      if (PREFORMATTED.has(element.tagName)) text.preformatted--;
    },
    text: (value) => text.append(value),
  });
  flush();
  return blocks;
}

/** The captions of a table, and its rows as lines. */
function tableTexts(table: Element): string[] {
  const captions: string[] = [];
  const rows: string[] = [];
  walk(table, {
    enter(element) {
      if (element.tagName === 'caption') captions.push(flatText(element));
      if (element.tagName !== 'tr') return element.tagName !== 'caption';
      const cells = childElements(element).filter(({ tagName }) => tagName === 'td' || tagName === 'th');
      const texts = cells.map(flatText);
      if (texts.some((cell) => cell !== '')) rows.push(texts.join(' | '));
      return false;
    },
  });
  return [...captions, rows.join('\n')].filter((content) => content !== '');
}

/** Whether a table contains headings or tables, and so is the layout of a page rather than data. */
function isLayout(table: Element): boolean {
  let found = false;
  walk(table, {
    enter(element) {
      found ||= element !== table && /^(?:h[1-6]|table)$/.test(element.tagName);
      return !found;
    },
  });
  return found;
}

/** The text of an element in one line. */
function flatText(element: Element): string {
  const text = new InlineText();
  walk(element, {
    enter({ tagName }) {
      if (tagName === 'br' || BLOCKS.has(tagName)) text.append(' ');
      return !DROPPED.has(tagName);
    },
    leave({ tagName }) {
      if (BLOCKS.has(tagName)) text.append(' ');
    },
    text: (value) => text.append(value),
  });
  return text.take();
}

/** Collects the text of inline elements as a list. Appending to a string would copy a long paragraph once per element. */
class InlineText {
  /** How many open elements preserve white space. */
  preformatted = 0;
  #pieces: string[] = [];
  #afterSpace = true;

  append(text: string): void {
    if (this.preformatted > 0) {
      this.#push(text);
      return;
    }
    const collapsed = text.replace(/[ \t\n\f\r]+/g, ' ');
    this.#push(this.#afterSpace && collapsed.startsWith(' ') ? collapsed.slice(1) : collapsed);
  }

  breakLine(): void {
    const last = this.#pieces.at(-1);
    if (this.preformatted === 0 && last?.endsWith(' ')) this.#pieces.splice(-1, 1, last.slice(0, -1));
    this.#push('\n');
  }

  take(): string {
    const text = this.#pieces.join('').trim();
    this.#pieces = [];
    this.#afterSpace = true;
    return text;
  }

  #push(text: string): void {
    if (text === '') return;
    this.#pieces.push(text);
    this.#afterSpace = /[ \n]$/.test(text);
  }
}

interface Visitor {
  /** Returns whether to visit the element's children. */
  enter(element: Element): boolean;
  leave?(element: Element): void;
  text?(value: string): void;
}

/** Visits a node and its descendants in document order. */
function walk(root: Node, visitor: Visitor): void {
  const stack: (Node | { left: Element })[] = [root];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if ('left' in next) visitor.leave?.(next.left);
    else if ('value' in next) visitor.text?.(next.value);
    else if ('childNodes' in next) {
      if ('tagName' in next) {
        if (!visitor.enter(next)) continue;
        stack.push({ left: next });
      }
      for (let i = next.childNodes.length - 1; i >= 0; i--) stack.push(next.childNodes[i]!);
    }
  }
}

function childElements(node: { childNodes: Node[] }): Element[] {
  return node.childNodes.filter((child): child is Element => 'tagName' in child);
}

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((each) => each.name === name)?.value.trim();
}
