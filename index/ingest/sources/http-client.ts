import { lookup as systemLookup } from 'node:dns';
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { urlToHttpOptions } from 'node:url';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import robotsParser from 'robots-parser';
import { Unreadable } from '../../documents/file.ts';

const USER_AGENT = 'polyseek';

const MAX_REDIRECTS = 5;
const MAX_TRIES = 4;
/** A server that asks to wait longer gets no further tries. */
const MAX_WAIT_SECONDS = 120;
/** Pages in a row without an answer, after which a site is not asked again. */
const MAX_UNANSWERED = 5;

/** Limits of one site. */
export interface HttpLimits {
  /** Milliseconds of one request, from the look-up of its address to the end of its body. */
  request: number;
  /** Milliseconds of waiting for answers, and between several tries, in all. Pauses that limit the rate do not count. */
  waiting: number;
  bytes: number;
}

const LIMITS: HttpLimits = { request: 60_000, waiting: 12 * 3_600_000, bytes: 4 * 2 ** 30 };

/** What a client needs from outside. Tests replace it. */
export interface HttpEnvironment {
  sleep(milliseconds: number): Promise<unknown>;
  now(): number;
  lookup?: LookupFunction;
  limits?: Partial<HttpLimits>;
}

const SYSTEM: HttpEnvironment = { sleep: delay, now: () => performance.now() };

interface HttpPage {
  /** 304: the content is as it was. */
  status: number;
  /** After redirects. */
  url: URL;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** Encodings of a body. Some servers send one that was not asked for. */
const DECODERS = new Map([
  ['gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/** Fetches pages one after the other, at a limited rate and in limited amounts, of one origin. */
export class HttpClient {
  /** Milliseconds between the starts of two requests. */
  interval: number;
  readonly origin: string;
  readonly #environment: HttpEnvironment;
  readonly #limits: HttpLimits;
  #next = Number.NEGATIVE_INFINITY;
  #waited = 0;
  #received = 0;
  #unanswered = 0;

  constructor(origin: string, interval: number, environment: HttpEnvironment = SYSTEM) {
    this.origin = origin;
    this.interval = interval;
    this.#environment = environment;
    this.#limits = { ...LIMITS, ...environment.limits };
  }

  /** Starts another build, with limits of its own. */
  begin(): void {
    this.#waited = 0;
    this.#received = 0;
    this.#unanswered = 0;
  }

  isAllowed({ origin }: URL): boolean {
    return origin === this.origin;
  }

  /**
   * Fetches a page. Follows redirects, and tries again if the server is busy.
   * @throws Unreadable naming the URL for any status other than 200 and 304, a redirect to another site, a body that is too large, and a
   *   site that has used up its limits
   */
  async get(url: URL, limit: number, headers: Record<string, string> = {}): Promise<HttpPage> {
    let target = url;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const page = await this.#getPatiently(target, limit, headers);
      if (page.status === 200 || page.status === 304) return page;
      const { location } = page.headers;
      const isRedirect = page.status >= 300 && page.status < 400;
      if (!isRedirect || !location || !URL.canParse(location, target.href))
        throw new Unreadable(url.href, `HTTP ${page.status}`, 'Check the page in a browser.');
      target = new URL(location, target);
      if (!this.isAllowed(target))
        throw new Unreadable(url.href, 'redirect to another site', `Name the new site: ${target.origin}.`);
    }
    throw new Unreadable(url.href, 'too many redirects', 'Check the page in a browser.');
  }

  async #getPatiently(url: URL, limit: number, headers: Record<string, string>): Promise<HttpPage> {
    if (this.#unanswered >= MAX_UNANSWERED)
      throw new Unreadable(url.href, 'not reachable', 'Try again later: several pages had no answer.');
    this.#unanswered++;
    for (let number = 1; ; number++) {
      const problem = this.#usedUp(url);
      if (problem) throw problem;
      await this.#takeTurn();
      const isLast = number === MAX_TRIES;
      const page = await this.#timed(() => this.#getOnce(url, limit, headers)).catch((error) => {
        if (error instanceof Unreadable) this.#unanswered = 0;
        if (error instanceof Unreadable || isLast) throw unreachable(url, error);
        return undefined;
      });
      const isBusy = page && [429, 502, 503, 504].includes(page.status);
      if (page && !isBusy) this.#unanswered = 0;
      const seconds = retryAfter(page?.headers['retry-after']) ?? 2 ** number;
      if (page && (!isBusy || isLast || seconds > MAX_WAIT_SECONDS)) return page;
      await this.#timed(() => this.#environment.sleep(1000 * seconds));
    }
  }

  async #getOnce(url: URL, limit: number, headers: Record<string, string>): Promise<HttpPage> {
    const signal = AbortSignal.timeout(this.#limits.request);
    const response = await this.#open(url, headers, signal);
    const { statusCode: status = 0 } = response;
    const decoder = status === 200 && DECODERS.get(response.headers['content-encoding'] ?? '')?.();
    const chunks: Buffer[] = [];
    let length = 0;
    const tooLarge = `Pages have at most ${Math.floor(limit / 2 ** 20)} MiB.`;
    let problem: Unreadable | undefined;
    const collect = async (body: AsyncIterable<Buffer>) => {
      for await (const chunk of body) {
        length += chunk.length;
        this.#received += chunk.length;
        problem = length > limit ? new Unreadable(url.href, 'too large', tooLarge) : this.#usedUp(url);
        if (problem) throw problem;
        chunks.push(chunk);
      }
    };
    const read = decoder
      ? pipeline(response, decoder, collect, { signal })
      : pipeline(response, collect, { signal });
    // The pipeline may report what the problem did to its streams.
    await read.catch((error) => {
      throw problem ?? error;
    });
    return { status, url, headers: response.headers, body: Buffer.concat(chunks) };
  }

  /**
   * Sends a request, but not to a cloud's metadata: the owner of a site chooses the addresses of its names. An address is checked when the
   * connection is made, because a name may have another one the next time.
   */
  async #open(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<http.IncomingMessage> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const check = (addresses: string[]) => {
      if (addresses.some(isMetadataAddress))
        throw new Unreadable(
          url.href,
          'address of cloud metadata',
          'Name a site that is not part of this machine.',
        );
    };
    if (isIP(host)) check([host]);
    const { lookup = systemLookup } = this.#environment;
    const { request } = url.protocol === 'https:' ? https : http;
    const sent = request({
      ...urlToHttpOptions(url),
      auth: null,
      headers: { 'user-agent': USER_AGENT, 'accept-encoding': 'gzip', ...headers },
      lookup: (name, options, callback) =>
        lookup(name, options, (error, found, family) => {
          try {
            if (!error) check(typeof found === 'string' ? [found] : found.map(({ address }) => address));
            callback(error, found, family);
          } catch (refused) {
            callback(refused as Error, found, family);
          }
        }),
      signal,
    });
    // Errors after the response also end the response.
    sent.on('error', () => {}).end();
    const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
    return response;
  }

  /** Why a site may not be asked for more, if so. */
  #usedUp({ href }: URL): Unreadable | undefined {
    const { bytes, waiting } = this.#limits;
    const tooMuch = (reason: string, limit: string) =>
      new Unreadable(href, `the site is too ${reason}`, `Name a smaller sitemap: ${limit}.`);
    if (this.#received > bytes)
      return tooMuch('large', `at most ${Math.ceil(bytes / 2 ** 30)} GiB of a site are read`);
    if (this.#waited > waiting)
      return tooMuch('slow', `a build waits at most ${Math.ceil(waiting / 3_600_000)} hours for a site`);
    return undefined;
  }

  /** Counts the time that work takes as waiting. */
  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const start = this.#environment.now();
    try {
      return await work();
    } finally {
      this.#waited += this.#environment.now() - start;
    }
  }

  async #takeTurn(): Promise<void> {
    const now = this.#environment.now();
    const start = Math.max(now, this.#next);
    this.#next = start + this.interval;
    if (start > now) await this.#environment.sleep(start - now);
  }
}

/** Throws `Unreadable` for addresses of a cloud's metadata: the owner of a site chooses the addresses of its names. */
function retryAfter(header: string | undefined): number | undefined {
  if (!header) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(1, seconds);
}

function unreachable(url: URL, error: unknown): Unreadable {
  if (error instanceof Unreadable) return error;
  const { message, cause } = error as Error;
  const detail = cause instanceof Error ? cause.message || cause.name : message;
  return new Unreadable(url.href, 'not reachable', `Check the address and the network (${detail}).`);
}

/** Where a machine in a cloud can read its own credentials. */
const METADATA_IPV4: [network: string, bits: number][] = [
  // Link-local addresses: most clouds.
  ['169.254.0.0', 16],
  // Alibaba Cloud, Azure, Oracle Cloud Classic.
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
];
const METADATA_IPV6: [network: string, bits: number][] = [
  // Link-local addresses.
  ['fe80::', 10],
  // AWS: instances, pods and the resolver.
  ['fd00:ec2::', 32],
  // Google Cloud, Scaleway.
  ['fd20:ce::', 64],
  ['fd00:42::42', 128],
];

/** `BlockList` compares IPv4-mapped addresses with the rules of IPv4. */
const METADATA = new BlockList();
for (const [network, bits] of METADATA_IPV6) METADATA.addSubnet(network, bits, 'ipv6');
for (const [network, bits] of METADATA_IPV4) {
  METADATA.addSubnet(network, bits, 'ipv4');
  // IPv6 addresses that contain an IPv4 address: IPv4-compatible, NAT64 and 6to4.
  const [a = 0, b = 0, c = 0, d = 0] = network.split('.').map(Number);
  const contained = `${(256 * a + b).toString(16)}:${(256 * c + d).toString(16)}`;
  METADATA.addSubnet(`::${contained}`, 96 + bits, 'ipv6');
  METADATA.addSubnet(`64:ff9b::${contained}`, 96 + bits, 'ipv6');
  METADATA.addSubnet(`2002:${contained}::`, 16 + bits, 'ipv6');
}

/** Whether an address, in any common notation, is one where a machine in a cloud reads its metadata. */
function isMetadataAddress(address: string): boolean {
  // A link-local address may name its interface.
  const [plain = ''] = address.split('%');
  return METADATA.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

const MAX_ROBOTS_BYTES = 500 * 2 ** 10;
/** A site that asks for longer pauses does not want to be read. */
const MAX_DELAY_SECONDS = 60;

export interface Robots {
  isAllowed(url: URL): boolean;
  delay: number;
}

/** The package exports the function itself. Its types say otherwise. */
const parseRobots = robotsParser as unknown as typeof robotsParser.default;

/**
 * Fetches the robots.txt of a site. Without one, all is allowed.
 * @throws Unreadable if the server fails, or asks for too long pauses
 */
export async function fetchRobots(client: HttpClient): Promise<Robots> {
  const url = new URL('/robots.txt', client.origin);
  const rules = parseRobots(url.href, await textOf(client, url));
  const delay = rules.getCrawlDelay(USER_AGENT) ?? 0;
  if (delay > MAX_DELAY_SECONDS)
    throw new Unreadable(url.href, `asks for pauses of ${delay} seconds`, 'Ask the owner of the site.');
  return { isAllowed: ({ href }) => rules.isAllowed(href, USER_AGENT) ?? true, delay };
}

async function textOf(client: HttpClient, url: URL): Promise<string> {
  try {
    return (await client.get(url, MAX_ROBOTS_BYTES)).body.toString('utf8');
  } catch (error) {
    // A client error means that there is no such file. If the server fails, a crawler may not fetch anything.
    if (error instanceof Unreadable && /^HTTP [34]/.test(error.notice.reason)) return '';
    throw error;
  }
}
