import { gunzipSync } from 'node:zlib';
import { SaxesParser } from 'saxes';

/** As in the sitemap protocol. */
export const MAX_SITEMAP_BYTES = 50 * 2 ** 20;
const MAX_URLS = 50_000;
const MAX_LEVELS = 10;

/** The addresses in a sitemap: of pages, or of further sitemaps. */
export interface Sitemap {
  pages: string[];
  sitemaps: string[];
}

/**
 * Parses a sitemap, a sitemap index, or a text file with an address a line (sitemaps.org, 0.9). It may be compressed with gzip.
 * @throws if it is none of them, or larger than the protocol allows
 */
export function parseSitemap(bytes: Buffer): Sitemap {
  const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = (isCompressed ? gunzipSync(bytes, { maxOutputLength: MAX_SITEMAP_BYTES }) : bytes).toString(
    'utf8',
  );
  const sitemap = /^\uFEFF?\s*</.test(text) ? parseXml(text) : parseLines(text);
  if (sitemap.pages.length > MAX_URLS || sitemap.sitemaps.length > MAX_URLS)
    throw new Error(`it has more than ${MAX_URLS} addresses`);
  return sitemap;
}

function parseXml(text: string): Sitemap {
  const sitemap: Sitemap = { pages: [], sitemaps: [] };
  const path: string[] = [];
  let address = '';
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name }) => {
    path.push(name.replace(/^.*:/, ''));
    if (path.length > MAX_LEVELS) throw new Error('it is not a sitemap');
    address = '';
  });
  parser.on('text', (part) => (address += part));
  parser.on('cdata', (part) => (address += part));
  parser.on('closetag', () => {
    // Extensions for images and videos have <loc> elements too, in other parents.
    const place = path.join('/');
    if (place === 'urlset/url/loc') sitemap.pages.push(address.trim());
    if (place === 'sitemapindex/sitemap/loc') sitemap.sitemaps.push(address.trim());
    path.pop();
  });
  parser.on('doctype', () => {
    throw new Error('it is a web page, not a sitemap');
  });
  parser.write(text).close();
  return sitemap;
}

function parseLines(text: string): Sitemap {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (!lines.every((line) => /^https?:\/\//i.test(line))) throw new Error('it is not a sitemap');
  return { pages: lines, sitemaps: [] };
}
