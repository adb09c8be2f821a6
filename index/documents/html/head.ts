import { attribute, type Element, words } from './html-tree.ts';

/** Where programs that save pages write the address: browsers, SingleFile and HTTrack. */
const SAVED = [
  /<!--\s*saved from url=\(\d+\)(\S+?)\s*-->/i,
  /\bPage saved with SingleFile\s+url:\s*(\S+)/,
  /<!--\s*Mirrored from (\S+) by HTTrack/i,
];

/**
 * The address of a page: its canonical link, else its `og:url`, else where it was saved from. A relative canonical link is resolved if
 * the page has an absolute base.
 * @param text the page
 * @param meta the elements of its head
 */
export function addressOf(text: string, meta: Element[]): string | undefined {
  const saved = savedFrom(text.slice(0, 4096));
  const canonical = meta.find(
    (element) => element.tagName === 'link' && words(element, 'rel').includes('canonical'),
  );
  const named = canonical && attribute(canonical, 'href');
  if (named) return resolved(named, baseOf(meta) ?? saved) ?? named;
  const openGraph = meta.find((element) => attribute(element, 'property')?.toLowerCase() === 'og:url');
  return absolute((openGraph && attribute(openGraph, 'content')) ?? '') ?? saved;
}

function baseOf(meta: Element[]): string | undefined {
  const base = meta.find((element) => element.tagName === 'base');
  return absolute((base && attribute(base, 'href')) ?? '');
}

function savedFrom(start: string): string | undefined {
  for (const pattern of SAVED) {
    const [, url = ''] = pattern.exec(start) ?? [];
    const found = absolute(url) ?? (pattern === SAVED[2] && url ? absolute(`http://${url}`) : undefined);
    if (found) return found;
  }
  return undefined;
}

function absolute(url: string): string | undefined {
  return /^https?:\/\//i.test(url) ? resolved(url) : undefined;
}

function resolved(url: string, base?: string): string | undefined {
  return URL.canParse(url, base) ? (base ? new URL(url, base).href : url) : undefined;
}

/** Whether a page leads to another one at once. */
export function isRedirect(meta: Element[]): boolean {
  return meta.some(
    (element) =>
      attribute(element, 'http-equiv')?.toLowerCase() === 'refresh' &&
      /^\s*[01]\s*[;,]\s*url\s*=/i.test(attribute(element, 'content') ?? ''),
  );
}

/**
 * The encoding that a page declares, by the `encoding` of an XML declaration or a `<meta>` element. `start` is the start of the file
 * as Latin-1. HTML's own rule looks at the first 1,024 bytes.
 */
export function declaredCharset(start: string): string | undefined {
  const head = start.slice(0, 1024).replace(/<!--[\s\S]*?(?:-->|$)/g, '');
  const xml = /^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)["']/.exec(head);
  if (xml) return xml[1];
  for (const [tag] of head.matchAll(/<meta\s[^>]*/gi)) {
    const name = /\bcharset\s*=\s*["']?\s*([\w.:-]+)/i.exec(tag);
    if (name) return name[1];
  }
  return undefined;
}
