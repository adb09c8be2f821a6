import { attribute, DROPPED, type Element, isHeading, type Node, walk, words } from './html-tree.ts';
import { isLink } from './inline-text.ts';

/** How much text an element contains, in letters and digits. */
export interface TextStats {
  text: number;
  /** In links to pages of the same site, and in controls such as buttons. */
  linked: number;
  /** Number of links to pages of the same site. */
  links: number;
  /** Those of them that say how the page lies among the others: next, up, in another language. */
  related: number;
  /** Items of lists. */
  items: number;
  headings: number;
  /** Headings of level 1 without links: titles, not the name of the site. */
  titles: number;
  /** The element before it in the same parent. */
  previous?: Element;
  /** The list item around it, if any. */
  item?: TextStats;
}

const RELATED = new Set('next prev previous up start top first last contents index alternate'.split(' '));

/** What an element has with all that it contains. */
const SUMS = ['text', 'linked', 'links', 'related', 'items', 'headings', 'titles'] as const;

const CONTROLS = new Set(['button', 'select', 'datalist', 'label']);

/** Measures each element of a page. Links in code, which lead to definitions, and links of headings to themselves are text. */
export function measureText(root: Node, host?: string): Map<Element, TextStats> {
  const stats = new Map<Element, TextStats>();
  const open: (TextStats & { lastChild?: Element })[] = [];
  /** How many open elements are of each kind. */
  const inside = { code: 0, heading: 0, control: 0, link: 0 };
  const kindOf = (element: Element) => {
    if (isCode(element)) return 'code';
    if (isHeading(element)) return 'heading';
    if (CONTROLS.has(element.tagName)) return 'control';
    if (inside.code > 0 || !isLink(element)) return undefined;
    const href = attribute(element, 'href')!;
    const isText = inside.heading > 0 && href.startsWith('#');
    return !isText && isOfSite(href, host) ? 'link' : undefined;
  };
  const kinds: ReturnType<typeof kindOf>[] = [];
  walk(root, {
    enter(element) {
      if (DROPPED.has(element.tagName)) return false;
      const kind = kindOf(element);
      const outer = open.at(-1);
      const own: TextStats = {
        text: 0,
        linked: 0,
        links: kind === 'link' ? 1 : 0,
        related: kind === 'link' && words(element, 'rel').some((rel) => RELATED.has(rel)) ? 1 : 0,
        items: /^(?:li|dt|dd)$/.test(element.tagName) ? 1 : 0,
        headings: kind === 'heading' ? 1 : 0,
        titles: 0,
        previous: outer?.lastChild,
        item: outer && /^(?:li|dd)$/.test(parentName(element)) ? outer : undefined,
      };
      if (outer) outer.lastChild = element;
      stats.set(element, own);
      open.push(own);
      kinds.push(kind);
      if (kind) inside[kind]++;
      return true;
    },
    leave(element) {
      const own = open.pop()!;
      if (element.tagName === 'h1' && own.links === 0) own.titles++;
      const kind = kinds.pop();
      if (kind) inside[kind]--;
      const outer = open.at(-1);
      if (!outer) return;
      for (const sum of SUMS) outer[sum] += own[sum];
    },
    text(value) {
      const inner = open.at(-1);
      if (!inner) return;
      const { length } = value.replace(/[^\p{L}\p{M}\p{N}]+/gu, '');
      inner.text += length;
      if (inside.link + inside.control > 0) inner.linked += length;
    },
  });
  return stats;
}

function parentName({ parentNode }: Element): string {
  return parentNode && 'tagName' in parentNode ? parentNode.tagName : '';
}

function isCode(element: Element): boolean {
  const { tagName } = element;
  if (tagName === 'pre' || tagName === 'code' || tagName === 'samp') return true;
  return (
    tagName === 'div' && words(element, 'class').some((name) => name === 'fragment' || name === 'highlight')
  );
}

/** Whether a link leads to a page of the same site: not to another site, an e-mail address or a file to download. */
function isOfSite(href: string, host: string | undefined): boolean {
  const [, scheme] = /^([a-z][a-z\d+.-]*):/i.exec(href) ?? [];
  if (scheme?.toLowerCase() === 'javascript') return true;
  if (scheme || href.startsWith('//')) {
    const [, linkHost] = /^(?:https?:)?\/\/([^/?#]*)/i.exec(href) ?? [];
    return host !== undefined && linkHost?.toLowerCase() === host;
  }
  const [path = ''] = href.split(/[?#]/, 1);
  const [, extension] = /\.(\w+)$/.exec(path.slice(path.lastIndexOf('/') + 1)) ?? [];
  return extension === undefined || /^(?:x?html?|php\d?|aspx?|jsp|md)$/i.test(extension);
}
