import type { Block } from '../document.ts';
import { attribute, type Element, findAll, type Node, words } from './html-tree.ts';
import { flatText, isLink } from './inline-text.ts';

/** Titles that programs give to pages without one. */
const USELESS = /^(?:readme|index|untitled|untitled document|new page|document|page|home)(?:\.\w+)?$/i;

/** What separates a page's title from a site's. */
const SEPARATOR_AFTER = /^\s*[-–—|·•»«›:]+\s/;
const SEPARATOR_BEFORE = /[-–—|·•»«›:]+\s+$/;

/** Ancestors in a title, and the characters of each: more would hide the page's own title. */
const MAX_ANCESTORS = 3;
const MAX_ANCESTOR = 80;

/** Breadcrumbs that are read. */
const MAX_STEPS = 20;

/** What programs write on a link to the page above. */
const UP = /^(?:go )?up(?: (?:one )?(?:level|page|section))?$/i;

/** How many characters of a page may be a title. */
const MAX_TITLE = 300;

/**
 * A page's own title: its only `<h1>`; else the heading that its `<title>` starts or ends with, so without a site's name; else its
 * `<title>`, unless that says nothing, such as `README`; else the first heading.
 */
export function ownTitle(titleElement: string, blocks: readonly Block[]): string | undefined {
  const title = titleElement.slice(0, MAX_TITLE);
  const headings = blocks.filter(({ kind }) => kind === 'heading');
  const tops = headings.filter(({ level }) => level === 1);
  const next = headings.find(({ level }) => level !== 1);
  // A site's name as the only <h1>: "Opening hours | Town library" over the <h2> "Opening hours".
  const isSiteName = next && startsWith(title, next.text) && endsWith(title, tops[0]?.text ?? '');
  if (tops.length === 1 && !isSiteName) return tops[0]!.text;
  const near = headings.slice(0, 5).filter(({ text }) => text !== '');
  const named =
    near.find(({ text }) => startsWith(title, text)) ?? near.find(({ text }) => endsWith(title, text));
  const own = named?.text ?? (USELESS.test(title) ? '' : title);
  return own || (tops[0] ?? headings[0])?.text || title || undefined;
}

/** Whether a title is a heading, or continues with a separator, such as before a site's name. */
function startsWith(title: string, heading: string): boolean {
  const rest = title.slice(heading.length);
  return title.startsWith(heading) && (rest === '' || SEPARATOR_AFTER.test(rest));
}

function endsWith(title: string, heading: string): boolean {
  return title.endsWith(heading) && SEPARATOR_BEFORE.test(title.slice(0, -heading.length));
}

/**
 * The titles of the pages above a page, from the top, without the site's: from breadcrumbs, from Sphinx's related links, from the "up"
 * link of DocBook, or from the folders of a Notion export. Empty if the page does not show its place.
 */
export function ancestors(document: Node, title: string | undefined, source: string): string[] {
  const found = [breadcrumbs, upLink]
    .map((find) => find(document, title))
    .find((titles) => titles.length > 0);
  const all = found ?? notionFolders(source);
  const isOther = (text: string) => unnumbered(text) !== unnumbered(title ?? '');
  const kept = all.filter((text, i) => text !== '' && isOther(text) && all.indexOf(text) === i);
  return kept.every((text) => text.length <= MAX_ANCESTOR) ? kept.slice(-MAX_ANCESTORS) : [];
}

const isBreadcrumbs = (element: Element) =>
  [...words(element, 'class'), attribute(element, 'id') ?? '', attribute(element, 'aria-label') ?? ''].some(
    (name) => /^(?:[\w-]+[-_])?breadcrumbs?(?:[-_](?:nav|list|section|trail|container))?$/i.test(name),
  );

/** What Confluence puts before each title, if a page is from there: its first breadcrumb, as in "Space : Page". */
export function spacePrefix(document: Node): string | undefined {
  const [list] = findAll(document, ({ attrs }) => attrs.some(({ value }) => value === 'breadcrumbs'));
  const [space] = list ? findAll(list, isLink) : [];
  return space && `${stepText(space)} : `;
}

/** The first step is the site, or a sign for it. */
function breadcrumbs(document: Node, title = ''): string[] {
  for (const list of findAll(document, isBreadcrumbs)) {
    const items = findAll(list, ({ tagName }) => tagName === 'li');
    const steps = (items.length > 0 ? items : findAll(list, isLink)).slice(0, MAX_STEPS);
    // What follows the page itself leads elsewhere: "View page source".
    const own = steps.findLastIndex((step) => unnumbered(stepText(step)) === unnumbered(title));
    const texts = steps
      .slice(1, own > 0 ? own : undefined)
      .filter((step) => findAll(step, isLink).length > 0)
      .map(stepText);
    if (texts.length > 0) return texts;
  }
  return findAll(document, (element) => words(element, 'class').includes('related'))
    .slice(0, 1)
    .flatMap((related) => findAll(related, (item) => item.tagName === 'li' && isStep(item)))
    .map(stepText);
}

/** Sphinx numbers the steps. Step 0 is the site. */
function isStep(item: Element): boolean {
  const names = words(item, 'class');
  return names.some((name) => /^nav-item-[1-9]\d?$/.test(name));
}

function stepText(step: Element): string {
  const { text } = flatText(step);
  return text.slice(0, MAX_TITLE).replace(/^[\s»›>/|→:]+|[\s»›>/|→:]+$/g, '');
}

function upLink(document: Node): string[] {
  const title = (rel: string, key: string) => {
    const links = findAll(
      document,
      (element) => words(element, 'rel').includes(rel) || attribute(element, 'accesskey') === key,
    );
    return links.map((link) => attribute(link, 'title')).find((text) => text && !UP.test(text));
  };
  const up = title('up', 'u');
  return up && up !== title('home', 'h') ? [up.replace(/\s+/g, ' ')] : [];
}

/** Notion puts a page's children into a folder `Title 0123456789abcdef0123456789abcdef`. */
function notionFolders(source: string): string[] {
  return source
    .split('/')
    .slice(0, -1)
    .flatMap((folder) => /^(.+) [0-9a-f]{32}$/.exec(folder)?.[1] ?? []);
}

function unnumbered(text: string): string {
  return text.replace(/^(?:[\p{L}]+\s)?[\dIVX]+(?:\.\d+)*[.:]?\s+/u, '').toLowerCase();
}
