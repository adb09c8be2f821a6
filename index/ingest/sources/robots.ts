import robotsParser from 'robots-parser';
import { Unreadable } from '../../documents/file.ts';
import { type HttpClient, USER_AGENT } from './http-client.ts';

const MAX_ROBOTS_BYTES = 500 * 2 ** 10;
/** A site that asks for longer pauses does not want to be read. */
const MAX_DELAY_SECONDS = 60;

/** What a site allows (RFC 9309). */
export interface Robots {
  isAllowed(url: URL): boolean;
  /** Seconds between requests that the site asks for. */
  delay: number;
}

/** The package exports the function itself. Its types say otherwise. */
const parseRobots = robotsParser as unknown as typeof robotsParser.default;

/**
 * Fetches the robots.txt of a site. Without one, all is allowed.
 * @throws Unreadable if the server fails, or asks for too long pauses
 */
export async function fetchRobots(client: HttpClient, origin: string): Promise<Robots> {
  const url = new URL('/robots.txt', origin);
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
