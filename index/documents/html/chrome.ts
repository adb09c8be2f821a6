import { isPermalink } from './anchors.ts';
import { attribute, type Element, words } from './dom.ts';
import { flatText } from './inline-text.ts';
import type { TextStats } from './text-stats.ts';

/** How far to trust the markup of a page: `named` also goes by names of classes, by hidden parts, and by headers and footers. */
export type Trust = 'named' | 'semantic';

/** Elements that only programs use. A page's text is not in them. */
const CONTROLS = new Set(['button', 'select', 'datalist', 'dialog', 'search']);

const NAVIGATION_ROLES = new Set(
  'navigation search menu menubar toolbar tablist dialog alertdialog doc-toc doc-pagelist'.split(' '),
);
const EDGE_ROLES = new Set(['banner', 'contentinfo', 'complementary']);
const EDGES = new Set(['header', 'footer', 'aside']);

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
  pagination paginator prevnext nextprev skiplink footer cookie cookies consent gdpr searchbox searchform quicksearch linenos
  lineno linenodiv gutter copybtn editsection headerlink`.split(/\s+/),
);

/** Whole classes of inline parts that are not text. */
const FURNITURE_INLINE = new Set(
  'mw-editsection linenos lineno gutter rouge-gutter page-header-icon sr-only visually-hidden'.split(' '),
);

const NAMED = new Set('div ul ol dl table td form aside header footer p'.split(' '));

/** Letters and digits without links that a part may have and still not be text. */
const MAX_UNLINKED = 400;

/** Links of a list that belongs to a sentence. Longer ones are tables of contents. */
const MAX_INTRODUCED = 15;

/**
 * Whether an element is not a page's text: navigation, a control, or hidden.
 * @param isInText tells whether it is in an article or section, whose headers and footers are text
 */
export function isChrome(element: Element, stats: TextStats, trust: Trust, isInText: () => boolean): boolean {
  const { tagName } = element;
  if (CONTROLS.has(tagName) || isPermalink(element) || isLinkList(element, stats)) return true;
  const unlinked = stats.text - stats.linked;
  const isLinks = stats.linked > unlinked;
  const role = words(element, 'role')[0] ?? '';
  if (tagName === 'nav' || NAVIGATION_ROLES.has(role)) return isLinks || unlinked <= MAX_UNLINKED;
  if (trust === 'semantic') return false;
  if (isHidden(element, role)) return unlinked <= MAX_UNLINKED;
  if (EDGES.has(tagName) || EDGE_ROLES.has(role)) {
    if (isInText() ? isLinks : stats.titles === 0) return true;
  }
  return hasChromeName(element, unlinked, isLinks);
}

function hasChromeName(element: Element, unlinked: number, isLinks: boolean): boolean {
  const classes = words(element, 'class');
  if (!NAMED.has(element.tagName)) return classes.some((name) => FURNITURE_INLINE.has(name));
  // Documentation has sections about navigation.
  if (element.tagName === 'section' || classes.includes('section')) return false;
  const names = [...classes, ...words(element, 'id')];
  const parts = names.filter((name) => name.length <= 64).flatMap((name) => name.split(/[-_\d]+/));
  if (parts.some((part) => FURNITURE_WORDS.has(part))) return unlinked <= MAX_UNLINKED || isLinks;
  return isLinks && parts.some((part) => LINK_WORDS.has(part));
}

/**
 * Whether an element is a list whose items are links to pages of the site and nothing else. "Common options are:" introduces a short
 * list that is text.
 */
function isLinkList(element: Element, { text, linked, links, headings, previous }: TextStats): boolean {
  if (linked < 0.9 * text || links < 2) return false;
  const isIntroduced = previous?.tagName === 'p' && /[:：]$/.test(flatText(previous).text);
  if (links <= MAX_INTRODUCED && isIntroduced) return false;
  if (/^(?:ul|ol|dl|menu|table)$/.test(element.tagName)) return true;
  return links > 2 && headings === 0 && (element.tagName === 'div' || element.tagName === 'p');
}

/** Tabs are hidden until a reader opens them. */
function isHidden(element: Element, role: string): boolean {
  if (role === 'tabpanel') return false;
  const hidden = attribute(element, 'hidden')?.toLowerCase();
  if (hidden !== undefined && hidden !== 'until-found') return true;
  if (attribute(element, 'aria-hidden')?.toLowerCase() === 'true') return true;
  const style = attribute(element, 'style') ?? '';
  return /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(style);
}
