import { parseJson } from '../../index/kit/json.ts';
import { collectionExpected, isCollectionName } from './paths.ts';
import { Problem } from './problems.ts';
import { bearerOf, type SentHeaders } from './tokens.ts';

/** An API key, and what it may do. */
export interface ApiKey {
  /** SHA-256 of the key. */
  digest: Uint8Array;
  /** Origins whose pages may use the key, which makes it a browser key: public, and only for searching. */
  origins?: readonly string[] | undefined;
  /** Collections that the key may use. Default: the default index and all collections. */
  collections?: readonly string[] | undefined;
  /** Groups whose restricted documents it opens. Default: none. */
  groups?: readonly string[] | undefined;
}

/** API keys by their names. */
export type ApiKeys = ReadonlyMap<string, ApiKey>;

/** An API key in cdk.json and in `API_KEYS`: its SHA-256 in hexadecimal, alone or with its limits. */
export type ApiKeySetting =
  | string
  | { sha256: string; origins?: string[]; collections?: string[]; groups?: string[] };

/** Starts of every secret key and every browser key. */
export const SECRET_KEY = 'ps_';
export const BROWSER_KEY = 'psb_';

/** Form of a key's name, for error messages. */
export const nameExpected = '1 to 32 of the characters A-Z, a-z, 0-9, _ and -';

export const isKeyName = (name: string) => /^[A-Za-z0-9_-]{1,32}$/.test(name);

/** Loaded with the first key, because it takes 3 ms and 2 MB of a cold start. */
const crypto = () => process.getBuiltinModule('node:crypto');

/** SHA-256 digest of a key. Only the digest is stored. A key is random, so it needs neither salt nor slow hashing. */
export const digestOf = (key: string): Buffer => crypto().createHash('sha256').update(key).digest();

/** Whether a value is an origin as browsers send it in `Origin`, such as `https://www.example.com`. */
export const isOrigin = (value: unknown): value is string =>
  typeof value === 'string' &&
  /^https?:\/\/[\w.:[\]-]+$/.test(value) &&
  URL.canParse(value) &&
  new URL(value).origin === value;

/** Whether a value is missing, or a list of one or more items. */
const isFilled = (value: unknown, check: (item: unknown) => boolean): value is string[] | undefined =>
  value === undefined || (Array.isArray(value) && value.length > 0 && value.every(check));

/**
 * Reads an object of names and API keys, each an `ApiKeySetting`, which messages name `where`.
 * They quote neither values nor wrong names, which might be keys in the wrong place.
 */
export function toApiKeys(value: unknown, where: string): ApiKeys {
  const wrong = (
    found: string,
    expected = 'be an object of names and SHA-256 digests (64 lowercase hexadecimal digits)',
  ) => new Error(`${where} ${found}, but must ${expected}. Add keys with npx polyseek key NAME.`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('is not an object');
  const keys = new Map<string, ApiKey>();
  for (const [name, setting] of Object.entries<unknown>({ ...value })) {
    if (!isKeyName(name)) throw wrong(`has a name that is not ${nameExpected}`);
    const { sha256, origins, collections, groups, ...others }: Record<string, unknown> =
      typeof setting === 'object' ? { ...setting } : { sha256: setting };
    if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256))
      throw wrong(`has no digest under "${name}"`);
    if (Object.keys(others).length > 0)
      throw wrong(
        `has an unknown field under "${name}"`,
        'have only sha256, origins, collections and groups',
      );
    if (!isFilled(origins, isOrigin))
      throw wrong(
        `has wrong origins under "${name}"`,
        'have a list of origins such as https://www.example.com, without a path',
      );
    if (!isFilled(collections, (item) => typeof item === 'string' && isCollectionName(item)))
      throw wrong(`has wrong collections under "${name}"`, `have a list of names (${collectionExpected})`);
    if (!isFilled(groups, (item) => typeof item === 'string' && item !== ''))
      throw wrong(`has wrong groups under "${name}"`, 'have a list of names of groups');
    // Everyone can read a browser key in its page.
    if (groups && origins) throw wrong(`has groups under "${name}"`, 'have no groups for a browser key');
    keys.set(name, { digest: Buffer.from(sha256, 'hex'), origins, collections, groups });
  }
  return keys;
}

export function browserOrigins(keys: ApiKeys = new Map()): string[] {
  return [...new Set([...keys.values()].flatMap(({ origins = [] }) => origins))];
}

/**
 * Reads the environment variable `API_KEYS`. Without it, the endpoint is open to anyone.
 * Throws an `Error` if it is set without keys, so that a mistake never opens the endpoint.
 */
export function readApiKeys(text: string | undefined): ApiKeys | undefined {
  if (text === undefined) return undefined;
  const keys = toApiKeys(parseJson(text), 'API_KEYS');
  if (keys.size > 0) return keys;
  throw new Error(
    'API_KEYS contains no key, so nobody could call the endpoint. Add a key with npx polyseek key NAME.',
  );
}

/** Finds a key. Compares every digest, each in constant time, so that timing reveals nothing. */
function find(text: string, keys: ApiKeys): (ApiKey & { name: string }) | undefined {
  const digest = digestOf(text);
  const found = [...keys].filter(([, key]) => crypto().timingSafeEqual(digest, key.digest)).at(-1);
  if (!found) return undefined;
  const [name, key] = found;
  // A browser key is public. Without its origins, as after a mistake in cdk.json, it would count as a secret key.
  return key.origins || !text.startsWith(BROWSER_KEY) ? { name, ...key } : undefined;
}

/**
 * Returns the API key, with its name, that a request sends in `x-api-key` or as `Authorization: Bearer KEY` (RFC 6750).
 * If both are sent, one of them must be valid. Throws a 401 `Problem`.
 */
export function authenticate(headers: SentHeaders, keys: ApiKeys): ApiKey & { name: string } {
  const sent = [headers['x-api-key'] ?? '', bearerOf(headers)].filter((key) => key !== '');
  const [key] = sent.flatMap((text) => find(text, keys) ?? []);
  if (key) return key;
  const detail =
    sent.length === 0
      ? 'An API key is required. Send it in the header x-api-key, or as Authorization: Bearer KEY.'
      : 'The API key is not valid. Check for typing errors; if it was revoked, ask for a new one.';
  throw new Problem(401, detail);
}

/** Whether a key may use a collection, or the default index (undefined). */
export function mayUse({ collections }: ApiKey, collection: string | undefined): boolean {
  return !collections || (collection !== undefined && collections.includes(collection));
}

/** The part of a request that decides whether a key may make it. */
interface Use {
  url: URL;
  headers: SentHeaders;
  /** Whether the path starts with `/browser`. */
  browser: boolean;
  collection: string | undefined;
  /** Whether pages may call the route with a browser key. */
  searches: boolean;
}

/**
 * Why a key may not make a request, and what to change; undefined if it may. A browser key may only search, under `/browser`, for pages
 * of its origins. A secret key may not be used there, because a page that contains it has published it.
 */
export function refusalOf(key: ApiKey, use: Use): string | undefined {
  const { origins, collections = [] } = key;
  const { browser, url, headers } = use;
  // Browsers leave the origin out of GET from a page on the same host.
  const page = headers.origin ?? (headers['sec-fetch-site'] === 'same-origin' ? url.origin : undefined);
  if (!origins && browser)
    return 'This key is secret, but /browser is for pages, whose keys are public. Create a browser key with npx polyseek key NAME --origin ORIGIN. If a page contains this key, revoke it.';
  if (origins && !browser)
    return 'This is a browser key. Use it at paths that start with /browser, such as /browser/search.';
  if (origins && page === undefined)
    return 'This is a browser key, but the request has no Origin header. Browsers send it; programs need a secret key.';
  if (origins && !origins.includes(page!))
    return `Pages of the origin ${JSON.stringify(page)} may not use this browser key. Add the origin to the key in cdk.json, or create another key.`;
  if (origins && !use.searches)
    return 'This is a browser key, which may only use /search, /passages, /overview and /health. Use a secret key here.';
  if (mayUse(key, use.collection)) return undefined;
  return `This key may only use ${collections.map((one) => `/c/${one}`).join(', ')}.`;
}
