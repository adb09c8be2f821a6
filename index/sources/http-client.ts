import { lookup } from 'node:dns/promises';
import { BlockList } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Unreadable } from '../documents/file.ts';

export const USER_AGENT = 'polyseek';

const MAX_REDIRECTS = 5;
const MAX_TRIES = 4;
const TIMEOUT_MS = 60_000;
/** A server that asks to wait longer gets no further tries. */
const MAX_WAIT_SECONDS = 120;

/** Link-local addresses, and AWS's in IPv6: where a machine in a cloud can read its own credentials. */
const METADATA = new BlockList();
METADATA.addSubnet('169.254.0.0', 16, 'ipv4');
METADATA.addSubnet('fe80::', 10, 'ipv6');
METADATA.addAddress('fd00:ec2::254', 'ipv6');

/** What a client needs from outside. Tests replace it. */
export interface HttpEnvironment {
  sleep(milliseconds: number): Promise<unknown>;
  /** Milliseconds since any time. */
  now(): number;
}

/** A response with its whole body. */
export interface HttpPage {
  /** 304: the content is as it was. */
  status: number;
  /** After redirects. */
  url: URL;
  headers: Headers;
  body: Buffer;
}

/** Fetches pages one after the other, at a limited rate, from few origins only. */
export class HttpClient {
  /** Milliseconds between the starts of two requests. */
  interval: number;
  readonly #origins: Set<string>;
  readonly #environment: HttpEnvironment;
  #next = Number.NEGATIVE_INFINITY;

  constructor(
    origins: Iterable<string>,
    interval: number,
    environment: HttpEnvironment = { sleep: delay, now: () => performance.now() },
  ) {
    this.#origins = new Set(origins);
    this.interval = interval;
    this.#environment = environment;
  }

  /** Whether a URL is of a site that pages are fetched from. */
  isAllowed({ origin }: URL): boolean {
    return this.#origins.has(origin);
  }

  /**
   * Fetches a page. Follows redirects, and tries again if the server is busy.
   * @param limit of the body, in bytes
   * @throws Unreadable naming the URL for any status other than 200 and 304, a redirect to another site, and a body that is too large
   */
  async get(url: URL, limit: number, headers: Record<string, string> = {}): Promise<HttpPage> {
    let target = url;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const page = await this.#getPatiently(target, limit, headers);
      if (page.status === 200 || page.status === 304) return page;
      const location = page.headers.get('location');
      if (page.status < 300 || page.status > 399 || !location) throw statusError(url, page.status);
      if (!URL.canParse(location, target.href)) throw statusError(url, page.status);
      target = new URL(location, target);
      if (!this.isAllowed(target))
        throw new Unreadable(url.href, 'redirect to another site', `Name the new site: ${target.origin}.`);
    }
    throw new Unreadable(url.href, 'too many redirects', 'Check the page in a browser.');
  }

  async #getPatiently(url: URL, limit: number, headers: Record<string, string>): Promise<HttpPage> {
    for (let number = 1; ; number++) {
      const page = await this.#getOnce(url, limit, headers).catch((error) => {
        if (error instanceof Unreadable || number === MAX_TRIES) throw unreachable(url, error);
        return undefined;
      });
      const isBusy = page && [429, 502, 503, 504].includes(page.status);
      if (page && (!isBusy || number === MAX_TRIES)) return page;
      const seconds = retryAfter(page?.headers.get('retry-after')) ?? 2 ** number;
      if (page && seconds > MAX_WAIT_SECONDS) return page;
      await this.#environment.sleep(1000 * seconds);
    }
  }

  async #getOnce(url: URL, limit: number, headers: Record<string, string>): Promise<HttpPage> {
    await this.#takeTurn();
    await checkAddress(url);
    const response = await fetch(url.href, {
      headers: { 'user-agent': USER_AGENT, ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      // Leaving the loop ends the download.
      if (length > limit)
        throw new Unreadable(url.href, 'too large', `Pages have at most ${Math.floor(limit / 2 ** 20)} MiB.`);
      chunks.push(chunk);
    }
    return { status: response.status, url, headers: response.headers, body: Buffer.concat(chunks) };
  }

  async #takeTurn(): Promise<void> {
    const now = this.#environment.now();
    const start = Math.max(now, this.#next);
    this.#next = start + this.interval;
    if (start > now) await this.#environment.sleep(start - now);
  }
}

/**
 * Throws `Unreadable` for a host whose name leads to an address of a cloud's metadata: the owner of a site chooses the addresses of its
 * names.
 */
async function checkAddress(url: URL): Promise<void> {
  // The request reports a name without an address.
  const addresses = await lookup(url.hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => []);
  if (addresses.some(({ address, family }) => METADATA.check(address, family === 6 ? 'ipv6' : 'ipv4')))
    throw new Unreadable(url.href, 'link-local address', 'Name a site that is not part of this machine.');
}

/** Seconds, or a date. */
function retryAfter(header: string | null | undefined): number | undefined {
  if (!header) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(1, seconds);
}

function statusError(url: URL, status: number): Unreadable {
  return new Unreadable(url.href, `HTTP ${status}`, 'Check the page in a browser.');
}

function unreachable(url: URL, error: unknown): Unreadable {
  if (error instanceof Unreadable) return error;
  const { message, cause } = error as Error;
  const detail = cause instanceof Error ? cause.message || cause.name : message;
  return new Unreadable(url.href, 'not reachable', `Check the address and the network (${detail}).`);
}
