import { gunzipSync } from 'node:zlib';
import { SaxesParser } from 'saxes';
import { entryName, extensionOf, parseContentType, urlName } from '../../documents/archive/names.ts';
import { type Notice, type ReadOptions, Unreadable } from '../../documents/file.ts';
import type { Spool } from '../../format/container-file.ts';
import { messageOf } from '../../kit/errors.ts';
import { unnamedSpool } from './files.ts';
import { fetchRobots, HttpClient, type HttpEnvironment, type Robots } from './http-client.ts';
import type { Memory, Source, SourceContext, SourceFile } from './source.ts';

export interface SitemapSettings {
  /** The address of a sitemap, or of an index of sitemaps. */
  sitemap: string;
  requestsPerSecond?: number;
}

/** The pages of one site. */
const MAX_PAGES = 50_000;
const MAX_SITEMAPS = 1000;
const MAX_PAGE_BYTES = 64 * 2 ** 20;
const REQUESTS_PER_SECOND = 2;
/** The site removed the page, or does not want it to be read. */
const GONE = /^HTTP 4(?!29)|^redirect to another site$/;

/** What is remembered of a page: it tells whether the page changed. */
interface Remembered {
  etag?: string;
  modified?: string;
  contentType: string;
}

/**
 * The pages that a sitemap lists, of its own site. Obeys robots.txt. Pages that did not change since the last build are not fetched
 * again, if the server says so.
 */
export class SitemapSource implements Source {
  readonly options: ReadOptions;
  readonly #sitemap: URL;
  readonly #client: HttpClient;
  /** Contents that were fetched and may be read later. */
  #pages: Spool | undefined;

  constructor(settings: SitemapSettings, options: ReadOptions = {}, environment?: HttpEnvironment) {
    const { sitemap, requestsPerSecond = REQUESTS_PER_SECOND } = settings;
    this.#sitemap = new URL(sitemap);
    this.options = options;
    this.#client = new HttpClient(this.#sitemap.origin, 1000 / requestsPerSecond, environment);
  }

  /**
   * Fetches the pages in the order of their names.
   * @throws if the sitemap or robots.txt cannot be read
   */
  async *files({ memory, report }: SourceContext): AsyncGenerator<SourceFile> {
    // Pages of an earlier build, with --watch for instance, are not needed any more.
    this.#pages?.remove();
    this.#pages = undefined;
    this.#client.begin();
    const robots = await fetchRobots(this.#client);
    this.#client.interval = Math.max(this.#client.interval, 1000 * robots.delay);
    for (const [name, url] of await this.#list(robots, report)) {
      try {
        yield await this.#file(name, url, memory, report);
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        report(error.notice);
      }
    }
  }

  /** The addresses of pages by their names, in the order of the names. Reports those that are left out. */
  async #list(robots: Robots, report: (notice: Notice) => void): Promise<[string, URL][]> {
    const found = new Map<string, URL>();
    const fail = (place: string, reason: string, fix: string) =>
      report({ kind: 'failed', place, reason, fix });
    const sitemaps = new Set([this.#sitemap.href]);
    for (const href of sitemaps) {
      const { pages, sitemaps: further } = await this.#sitemapAt(href, robots, report);
      for (const address of pages) {
        const page = this.#page(address, robots, report);
        if (!page || found.has(page.name)) continue;
        if (found.size === MAX_PAGES) {
          fail(href, 'too many pages', `Split it: at most ${MAX_PAGES} pages of a site are read.`);
          return inOrder(found);
        }
        found.set(page.name, page.url);
      }
      for (const one of further) {
        if (sitemaps.size === MAX_SITEMAPS && !sitemaps.has(one)) {
          fail(href, 'too many sitemaps', `At most ${MAX_SITEMAPS} sitemaps of a site are read.`);
          break;
        }
        if (URL.canParse(one) && this.#client.isAllowed(new URL(one))) sitemaps.add(one);
        else fail(one, 'not of this site', 'Name it as a source of its own.');
      }
    }
    return inOrder(found);
  }

  /** What a sitemap lists. Reports one that cannot be read, and throws if it is the first. */
  async #sitemapAt(href: string, robots: Robots, report: (notice: Notice) => void): Promise<Sitemap> {
    try {
      const url = new URL(href);
      if (!robots.isAllowed(url)) throw new Unreadable(href, 'not allowed by robots.txt', 'Ask the owner.');
      const { body } = await this.#client.get(url, MAX_SITEMAP_BYTES);
      try {
        return parseSitemap(body);
      } catch (error) {
        throw new Unreadable(href, 'not a sitemap', `Name an XML sitemap (${messageOf(error)}).`);
      }
    } catch (error) {
      if (!(error instanceof Unreadable) || href === this.#sitemap.href) throw error;
      report(error.notice);
      return { pages: [], sitemaps: [] };
    }
  }

  /** A page by its address. Reports one that is not of the site, or may not be read. */
  #page(
    address: string,
    robots: Robots,
    report: (notice: Notice) => void,
  ): { name: string; url: URL } | undefined {
    const skip = (reason: string, fix: string): undefined =>
      void report({ kind: 'skipped', place: address, reason, fix });
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (!url || !this.#client.isAllowed(url))
      return skip('not of this site', 'Name the sitemap of its site.');
    url.hash = '';
    const entry = entryName(urlName(url));
    if (!robots.isAllowed(url)) return skip('not allowed by robots.txt', 'Ask the owner of the site.');
    if (entry.kind !== 'named') return skip('unsafe name', 'Rename the page.');
    return { name: entry.name, url };
  }

  async #file(name: string, url: URL, memory: Memory, report: (notice: Notice) => void): Promise<SourceFile> {
    const key = `page ${url.href}`;
    const { remembered, body } = await this.#ask(url, parseRemembered(memory.get(key)), report);
    memory.set(key, JSON.stringify(remembered));
    const { type, charset } = parseContentType(remembered.contentType);
    let stored = body && this.#store(body);
    const fetchAgain = async () => this.#store((await this.#client.get(url, MAX_PAGE_BYTES)).body);
    return {
      source: name,
      path: url.href,
      url: url.href,
      charset,
      extension: extensionOf(type, url.pathname) ?? url.pathname,
      version: remembered.etag ?? remembered.modified,
      open: async function* () {
        stored ??= await fetchAgain();
        yield stored();
      },
    };
  }

  /**
   * Asks whether a page changed. A page that did not, or that cannot be fetched for now, is as it was in the last build, which may
   * still have its content.
   */
  async #ask(
    url: URL,
    known: Remembered | undefined,
    report: (notice: Notice) => void,
  ): Promise<{ remembered: Remembered; body?: Buffer }> {
    const headers = {
      ...(known?.etag && { 'if-none-match': known.etag }),
      ...(known?.modified && !known.etag && { 'if-modified-since': known.modified }),
    };
    try {
      const page = await this.#client.get(url, MAX_PAGE_BYTES, headers);
      if (known && page.status === 304) return { remembered: known };
      const { etag, 'last-modified': modified, 'content-type': contentType = '' } = page.headers;
      return { remembered: { etag, modified, contentType }, body: page.body };
    } catch (error) {
      if (!known || !(error instanceof Unreadable) || GONE.test(error.notice.reason)) throw error;
      report(error.notice);
      return { remembered: known };
    }
  }

  /** Stores a content. Returns what reads it, as often as needed. */
  #store(content: Buffer): () => Buffer {
    this.#pages ??= unnamedSpool();
    const pages = this.#pages;
    const start = pages.length;
    pages.append(content);
    return () => pages.read(start, content.length);
  }
}

function inOrder(pages: ReadonlyMap<string, URL>): [string, URL][] {
  return [...pages].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Undefined if nothing is remembered, or if an entry is damaged. */
function parseRemembered(text: string | undefined): Remembered | undefined {
  try {
    const value = JSON.parse(text ?? 'null') as Partial<Remembered> | null;
    return typeof value?.contentType === 'string' ? (value as Remembered) : undefined;
  } catch {
    return undefined;
  }
}

/** As in the sitemap protocol. */
const MAX_SITEMAP_BYTES = 50 * 2 ** 20;
const MAX_URLS = 50_000;
const MAX_LEVELS = 10;

/** The addresses in a sitemap: of pages, or of further sitemaps. */
interface Sitemap {
  pages: string[];
  sitemaps: string[];
}

/**
 * Parses a sitemap, a sitemap index, or a text file with an address a line (sitemaps.org, 0.9). It may be compressed with gzip.
 * @throws if it is none of them, or larger than the protocol allows
 */
export function parseSitemap(bytes: Buffer): Sitemap {
  const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = isCompressed ? gunzipSync(bytes, { maxOutputLength: MAX_SITEMAP_BYTES }) : bytes;
  const text = plain.toString();
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
