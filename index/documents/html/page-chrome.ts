import { isPermalink } from './anchors.ts';
import { attribute, type Element, isHeading, words } from './html-tree.ts';
import { flatText } from './inline-text.ts';
import { isIndexLabel, isSeeAlsoLabel } from './labels.ts';
import type { TextStats } from './text-stats.ts';

/** Where an element is. */
interface Place {
  /** In a row of a table of data, where lists of links are data. */
  inTable: boolean;
  /** In the main element, an article or a section, whose headers are text. */
  isInText(): boolean;
  /** In an article or a section, whose footers are text. */
  isInArticle(): boolean;
}

/**
 * How far to trust the markup of a page: `footers` goes by footers only, `semantic` also by elements and roles, and `named` also by
 * names of classes, hidden parts and headers.
 */
export type Trust = 'named' | 'semantic' | 'footers';

/** Elements that only programs use. A page's text is not in them. */
const CONTROLS = new Set(['button', 'select', 'datalist', 'dialog', 'search']);

const NAVIGATION_ROLES = new Set(
  'navigation search menu menubar toolbar tablist dialog alertdialog doc-toc doc-pagelist'.split(' '),
);
const EDGE_ROLES = new Set(['banner', 'complementary']);
const EDGES = new Set(['header', 'aside']);

/** Words in the classes and ids of parts with links. They are navigation if most of their text is links. */
const LINK_WORDS = new Set(
  `nav navs navigation navigator menu menus sidebar toc tocs toctree contents tableofcontents crumbs related prev next previous
  edit genindextable modindextable indextable skip languages language versions version topbar share social`.split(
    /\s+/,
  ),
);

/** Words in the classes and ids of parts that are not the page's text, unless they are long. */
const FURNITURE_WORDS = new Set(
  `navbar navheader navfooter docnav navpath navtree sidenav topnav submenu menubar sphinxsidebar breadcrumb breadcrumbs pager
  pagination paginator prevnext nextprev skiplink footer searchbox searchform quicksearch linenos
  lineno linenodiv gutter copybtn editsection headerlink`.split(/\s+/),
);

const NOTICE =
  /^(?:[a-z]+-)?(?:cookie|cookies|consent|gdpr|privacy)-?(?:banner|bar|box|consent|dialog|law|message|notice|overlay|policy|popup)/;

/** Words that ids of such parts also contain. Other words name what a part is about. */
const PLACES = new Set(
  `main site page top bottom left right side bar box wrapper container inner content contents global local doc docs list
  collapse area links primary secondary tree panel block widget form input`.split(/\s+/),
);

/** Whole classes of parts that are not text: numbers of lines, text for screen readers, and data of exports of Confluence and Notion. */
const FURNITURE_CLASSES = new Set(
  'mw-editsection linenos lineno gutter rouge-gutter sr-only visually-hidden page-header-icon page-metadata greybox toc'.split(
    ' ',
  ),
);

const NAMED = new Set('div ul ol dl table td form aside header footer p'.split(' '));

/** Letters and digits without links that a part may have and still not be text. */
const MAX_UNLINKED = 400;

/** The same for a part that is declared to be about the page: names, licences. */
const MAX_CREDITS = 1500;

/** The same for a header with headings. */
const MAX_UNLINKED_WITH_HEADING = 100;

/** Characters of a class or an id that may name a part. */
const MAX_NAME = 64;

/** Items of tables of contents have one link, or two. */
const MAX_LINKS_PER_ITEM = 2;

/** Entries of an index, and the share of its text in links: of other entries, only the number of the page is one. */
const MIN_ENTRIES = 10;
const INDEX_LINKS = 0.3;

/** Links of a list that belongs to a sentence. Longer ones are tables of contents. */
const MAX_INTRODUCED = 30;

/** Whether an element is not a page's text: navigation, a control, or hidden. */
export function isChrome(element: Element, stats: TextStats, trust: Trust, place: Place): boolean {
  const { tagName } = element;
  const unlinked = stats.text - stats.linked;
  const isLinks = stats.linked > unlinked;
  const role = words(element, 'role')[0] ?? '';
  if (tagName === 'footer' || role === 'contentinfo') {
    const isText = role !== 'contentinfo' && place.isInArticle();
    const limit = role === 'contentinfo' ? MAX_CREDITS : MAX_UNLINKED;
    if (isLinks || (!isText && stats.titles === 0 && unlinked <= limit)) return true;
  }
  if (trust === 'footers') return false;
  if (CONTROLS.has(tagName) || isPermalink(element) || isCodeLabel(element)) return true;
  if (!place.inTable && isLinkList(element, stats)) return true;
  if (!place.inTable && isLabelledLinks(element, stats)) return true;
  // "Next: Boats, Up: Harbour [Contents]"
  if (stats.related > 0 && 2 * stats.related >= stats.links && isLinks && NAMED.has(tagName)) return true;
  if (tagName === 'nav' || NAVIGATION_ROLES.has(role)) return isLinks || unlinked <= MAX_UNLINKED;
  if (trust === 'semantic') return false;
  if (isHidden(element, role)) return unlinked <= MAX_UNLINKED;
  if (EDGES.has(tagName) || EDGE_ROLES.has(role)) {
    // The text of a long one, or of one with headings, recurs on other pages if it is not the page's own.
    const isShort = unlinked <= (stats.headings > 0 ? MAX_UNLINKED_WITH_HEADING : MAX_UNLINKED);
    if (place.isInText() ? isLinks : stats.titles === 0 && (isLinks || isShort)) return true;
  }
  return hasChromeName(element, unlinked, isLinks);
}

function hasChromeName(element: Element, unlinked: number, isLinks: boolean): boolean {
  const classes = words(element, 'class');
  if (classes.some((name) => FURNITURE_CLASSES.has(name))) return unlinked <= MAX_UNLINKED;
  if (!NAMED.has(element.tagName)) return false;
  // Documentation has sections about navigation.
  if (element.tagName === 'section' || classes.includes('section')) return false;
  const id = words(element, 'id').flatMap(parts);
  const isPlace = id.every((part) => LINK_WORDS.has(part) || FURNITURE_WORDS.has(part) || PLACES.has(part));
  const names = [...classes.flatMap(parts), ...(isPlace ? id : [])];
  const isNotice = [...classes, ...words(element, 'id')].some((name) => NOTICE.test(name));
  if (isNotice || names.some((part) => FURNITURE_WORDS.has(part))) return unlinked <= MAX_UNLINKED || isLinks;
  return isLinks && names.some((part) => LINK_WORDS.has(part));
}

function parts(name: string): string[] {
  return name.length > MAX_NAME ? [] : name.split(/[-_\d]+/).filter((part) => part !== '');
}

/**
 * Whether an element is a list whose items are a link to a page of the site and nothing else. "Common options are:" introduces a short
 * list that is text, and so does the text of a list item around the list.
 */
function isLinkList(element: Element, stats: TextStats): boolean {
  const { linked, links, previous, item } = stats;
  if (!isMostlyLinks(stats) || links < 2 || (item && !isMostlyLinks(item))) return false;
  const isIntroduced = previous?.tagName === 'p' && /[:：]$/.test(flatText(previous).text);
  if (links <= MAX_INTRODUCED && isIntroduced) return false;
  if (element.tagName === 'table') return true;
  if (element.tagName === 'div') return links > 2 && linked === stats.text && stats.headings === 0;
  return /^(?:ul|ol|dl|menu)$/.test(element.tagName) && links <= MAX_LINKS_PER_ITEM * stats.items;
}

/** Whether an element is the index that its heading or its class announces, or the links below "See also". */
function isLabelledLinks(element: Element, stats: TextStats): boolean {
  if (!/^(?:div|dl|ul|ol|table|p)$/.test(element.tagName)) return false;
  const isIndex = stats.links >= MIN_ENTRIES && stats.linked >= INDEX_LINKS * stats.text;
  if (isIndex && words(element, 'class').some((name) => /(?:^|-)printindex$|^indexdiv$/.test(name)))
    return true;
  const { previous } = stats;
  if (!previous || !isHeading(previous) || !(isIndex || (stats.links > 0 && isMostlyLinks(stats))))
    return false;
  const label = flatText(previous, isPermalink).text;
  return isIndex && isIndexLabel(label) ? true : isMostlyLinks(stats) && isSeeAlsoLabel(label);
}

/** The language that VitePress writes beside a block of code. */
function isCodeLabel(element: Element): boolean {
  const { tagName, parentNode } = element;
  if (tagName !== 'span' || !words(element, 'class').includes('lang')) return false;
  return (
    !!parentNode &&
    'attrs' in parentNode &&
    words(parentNode, 'class').some((name) => name.startsWith('language-'))
  );
}

function isMostlyLinks({ text, linked }: TextStats): boolean {
  return linked >= 0.9 * text;
}

function isHidden(element: Element, role: string): boolean {
  // Tabs are hidden until a reader opens them.
  if (role === 'tabpanel') return false;
  if (attribute(element, 'aria-hidden')?.toLowerCase() === 'true') return true;
  const hidden = attribute(element, 'hidden')?.toLowerCase();
  if (hidden !== undefined && hidden !== 'until-found') return true;
  return /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(attribute(element, 'style') ?? '');
}
