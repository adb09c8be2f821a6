import type { Block } from '../document.ts';
import { blocksOf, type LeaveOut } from './blocks.ts';
import { type Element, findAll, type Node, words } from './html-tree.ts';
import { withoutNotices } from './labels.ts';
import { isChrome, type Trust } from './page-chrome.ts';
import { measureText, type TextStats } from './text-stats.ts';

/** Parts outside the main content may have this many times its text, without links, and at least `MIN_LOST` letters and digits. */
const MAX_LOST = 2;
const MIN_LOST = 300;

/** Elements whose footers are text, such as the source of a quotation, and those whose headers are. */
const ARTICLES = new Set(['article', 'section', 'blockquote', 'figure']);
const TEXTS = new Set([...ARTICLES, 'main']);

/** From how many blocks a page may be an index or a table of contents, and the share of its text in links to the site. */
const MIN_INDEX = 10;
const INDEX_LINKS = 0.7;
/** The same share where the markup says that it is an index. */
const NAMED_INDEX_LINKS = 0.3;

/** What a page contains beside navigation. */
interface MainContent {
  blocks: Block[];
  /** Why there are no blocks, if so. */
  reason?: 'no text' | 'only navigation';
}

/**
 * Reads the main content of a page. Where the markup would hide most of the text, it is trusted less.
 * @param host of the page's address
 */
export function mainContent(document: Node, host?: string): MainContent {
  const stats = measureText(document, host);
  const body = findAll(document, ({ tagName }) => tagName === 'body')[0];
  if (!body) return { blocks: [], reason: 'no text' };
  const main = mainElement(body, stats);
  const views: [Element, Trust][] = [
    [main ?? body, 'named'],
    [body, 'named'],
    [body, 'semantic'],
    [body, 'footers'],
  ];
  for (const [root, trust] of views) {
    const blocks = readView(body, root, trust, stats);
    if (blocks) return withReason(blocks, body);
  }
  return withReason(blocksOf(body), body);
}

/** If headings are all that is left of a page, it has only navigation below them. */
function withReason(blocks: Block[], body: Element): MainContent {
  if (blocks.some(({ kind }) => kind === 'paragraph')) return { blocks };
  const all = blocksOf(body);
  if (all.length === 0) return { blocks, reason: 'no text' };
  return all.length > blocks.length ? { blocks: [], reason: 'only navigation' } : { blocks };
}

/** The blocks below `root`, or undefined if most of the page's text would be lost. */
function readView(
  body: Element,
  root: Element,
  trust: Trust,
  stats: ReadonlyMap<Element, TextStats>,
): Block[] | undefined {
  const dropped = new Set<Element>();
  const isLeftOut = (element: Element, inTable: boolean) => {
    const own = stats.get(element);
    const isInArticle = () => isInside(element, ARTICLES);
    const place = { inTable, isInText: () => root !== body || isInside(element, TEXTS), isInArticle };
    if (!own || element === root || !isChrome(element, own, trust, place)) return false;
    dropped.add(element);
    return true;
  };
  const blocks = blocksOf(root, isLeftOut);
  const all = unlinked(body, stats);
  let lost = all - unlinked(root, stats);
  for (const element of dropped) lost += unlinked(element, stats);
  if (isIndex(root, dropped, blocks.length, stats)) return blocks.filter(({ kind }) => kind === 'heading');
  if (lost > Math.max(MAX_LOST * (all - lost), MIN_LOST)) return undefined;
  const title =
    root === body || blocks.some(({ level }) => level === 1) ? [] : titleOutside(body, root, isLeftOut);
  return withoutNotices([...title, ...blocks]);
}

/** Whether what is left below `root` is an index or a table of contents: links to other pages, and a few words beside them. */
function isIndex(
  root: Element,
  dropped: ReadonlySet<Element>,
  blocks: number,
  stats: ReadonlyMap<Element, TextStats>,
): boolean {
  if (blocks < MIN_INDEX) return false;
  let { text = 0, linked = 0 } = stats.get(root) ?? {};
  const whole = text;
  for (const element of dropped) {
    text -= stats.get(element)?.text ?? 0;
    linked -= stats.get(element)?.linked ?? 0;
  }
  if (linked >= INDEX_LINKS * text) return true;
  const isNamed = (element: Element) =>
    words(element, 'role').includes('doc-index') ||
    words(element, 'class').some((name) => /^(?:book)?index(?:div)?$/.test(name));
  return (
    linked >= NAMED_INDEX_LINKS * text &&
    findAll(root, (element) => 2 * (stats.get(element)?.text ?? 0) > whole && isNamed(element)).length > 0
  );
}

/** The only `<h1>` of a page, if it is outside the main content. */
function titleOutside(body: Element, root: Element, isLeftOut: LeaveOut): Block[] {
  const headings = findAll(body, (element) => element.tagName === 'h1' && element !== root);
  return headings.length === 1 ? blocksOf(headings[0]!, isLeftOut) : [];
}

/** The element with the main content, if the page marks exactly one. An article must contain most of the text. */
function mainElement(body: Element, stats: ReadonlyMap<Element, TextStats>): Element | undefined {
  const marked = findAll(
    body,
    (element) => element.tagName === 'main' || words(element, 'role').includes('main'),
  );
  if (marked.length > 0) return marked.length === 1 ? marked[0] : undefined;
  const articles = findAll(body, ({ tagName }) => tagName === 'article');
  const isMost = articles.length === 1 && unlinked(articles[0]!, stats) * 2 > unlinked(body, stats);
  return isMost ? articles[0] : undefined;
}

function isInside(element: Element, names: ReadonlySet<string>): boolean {
  for (let outer: Node | null = element.parentNode; outer && 'tagName' in outer; outer = outer.parentNode)
    if (names.has(outer.tagName)) return true;
  return false;
}

function unlinked(element: Element, stats: ReadonlyMap<Element, TextStats>): number {
  const { text = 0, linked = 0 } = stats.get(element) ?? {};
  return text - linked;
}
