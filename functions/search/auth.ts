import { collectionExpected, isCollectionName } from './paths.ts';
import { Problem } from './problems.ts';
import { isSafe, RETRY_AFTER_SECONDS, type TokenVerifier } from './tokens.ts';

/** An API key, and what it may do. */
export interface ApiKey {
  /** SHA-256 of the key. */
  digest: Uint8Array;
  /** Origins whose pages may use the key, which makes it a browser key: public, and only for searching. */
  origins?: readonly string[] | undefined;
  /** Collections that the key may use. Default: the default index and all collections. */
  collections?: readonly string[] | undefined;
}

/** API keys by their names. */
export type ApiKeys = ReadonlyMap<string, ApiKey>;

/** An API key in cdk.json and in `API_KEYS`: its SHA-256 in hexadecimal, alone or with its limits. */
export type ApiKeySetting = string | { sha256: string; origins?: string[]; collections?: string[] };

/** Starts of every secret key and every browser key. */
export const SECRET_KEY = 'ps_';
export const BROWSER_KEY = 'psb_';

/** The part of an event's `requestContext` in which AWS describes an authorized caller. */
export interface AwsContext {
  authorizer?: { iam?: unknown } | null;
}

/** Headers of a request, by lower-case name. */
type SentHeaders = Readonly<Record<string, string | undefined>>;

const namePattern = /^[A-Za-z0-9_-]{1,32}$/;
const digestPattern = /^[0-9a-f]{64}$/;

/** Form of a key's name, for error messages. */
export const nameExpected = '1 to 32 of the characters A-Z, a-z, 0-9, _ and -';

/** Whether a text is a valid name of a key. */
export const isKeyName = (name: string) => namePattern.test(name);

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

const isFilledList = (value: unknown, check: (item: unknown) => boolean): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every(check);

/**
 * Reads an object of names and API keys, each an `ApiKeySetting`.
 * Throws an `Error` that names the object `where`. The message quotes neither values nor wrong names, which might be keys
 * in the wrong place.
 */
export function toApiKeys(value: unknown, where: string): ApiKeys {
  const wrong = (found: string, expected: string) =>
    new Error(`${where} ${found}, but must ${expected}. Add keys with npx polyseek key NAME.`);
  const format = 'be an object of names and SHA-256 digests (64 lowercase hexadecimal digits)';
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong('is not an object', format);
  const keys = new Map<string, ApiKey>();
  for (const [name, setting] of Object.entries(value) as [string, unknown][]) {
    if (!isKeyName(name)) throw wrong(`has a name that is not ${nameExpected}`, format);
    const limited = typeof setting === 'object' && setting !== null && !Array.isArray(setting);
    const { sha256, origins, collections, ...others }: Record<string, unknown> = limited
      ? { ...setting }
      : { sha256: setting };
    if (typeof sha256 !== 'string' || !digestPattern.test(sha256))
      throw wrong(`has no digest under "${name}"`, format);
    if (Object.keys(others).length > 0)
      throw wrong(`has an unknown field under "${name}"`, 'have only sha256, origins and collections');
    if (origins !== undefined && !isFilledList(origins, isOrigin))
      throw wrong(
        `has wrong origins under "${name}"`,
        'have a list of origins such as https://www.example.com, without a path',
      );
    const isName = (item: unknown) => typeof item === 'string' && isCollectionName(item);
    if (collections !== undefined && !isFilledList(collections, isName))
      throw wrong(`has wrong collections under "${name}"`, `have a list of names (${collectionExpected})`);
    keys.set(name, { digest: Buffer.from(sha256, 'hex'), origins, collections });
  }
  return keys;
}

/** The origins of all browser keys. */
export function browserOrigins(keys: ApiKeys = new Map()): string[] {
  return [...new Set([...keys.values()].flatMap(({ origins = [] }) => origins))];
}

/**
 * Reads the environment variable `API_KEYS`. Returns undefined if it is not set; the endpoint is then open to anyone.
 * Throws an `Error` if it is set without keys, so that a mistake never opens the endpoint.
 */
export function readApiKeys(text: string | undefined): ApiKeys | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const keys = toApiKeys(value, 'API_KEYS');
  if (keys.size > 0) return keys;
  throw new Error(
    'API_KEYS contains no key, so nobody could call the endpoint. Add a key with npx polyseek key NAME.',
  );
}

/** A key that a request sent, and its name. */
export interface NamedKey extends ApiKey {
  name: string;
}

/** Finds a key. Compares every digest, each in constant time, so that timing reveals nothing. */
function find(text: string, keys: ApiKeys): NamedKey | undefined {
  const digest = digestOf(text);
  let found: NamedKey | undefined;
  for (const [name, key] of keys) if (crypto().timingSafeEqual(digest, key.digest)) found = { name, ...key };
  // A browser key is public. Without its origins, as after a mistake in cdk.json, it would count as a secret key.
  return found && (found.origins || !text.startsWith(BROWSER_KEY)) ? found : undefined;
}

/**
 * Returns the API key that a request sends in `x-api-key` or as `Authorization: Bearer KEY` (RFC 6750). If both are sent,
 * one of them must be valid.
 * Throws a 401 `Problem`.
 */
export function authenticate(headers: SentHeaders, keys: ApiKeys): NamedKey {
  const bearer = /^bearer +(\S.*)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  const sent = [headers['x-api-key'] ?? '', bearer].filter((key) => key !== '');
  if (sent.length === 0) {
    throw new Problem(
      401,
      'An API key is required. Send it in the header x-api-key, or as Authorization: Bearer KEY.',
    );
  }
  const key = sent.map((text) => find(text, keys)).find((found) => found !== undefined);
  if (key) return key;
  throw new Problem(
    401,
    'The API key is not valid. Check for typing errors; if it was revoked, ask for a new one.',
  );
}

/** Whether a key may use a collection, or the default index (undefined). */
export function mayUse({ collections }: ApiKey, collection: string | undefined): boolean {
  return !collections || (collection !== undefined && collections.includes(collection));
}

/** The part of a request that decides whether a key may make it. */
export interface Use {
  /** Whether the path starts with `/browser`. */
  browser: boolean;
  collection: string | undefined;
  /** Whether pages may call the route with a browser key. */
  searches: boolean;
  /** The origin of the page that sent the request. */
  page: string | undefined;
}

/** The origin of the page that sent a request. Browsers leave it out of GET from a page on the same host. */
export const pageOf = (url: URL, headers: SentHeaders): string | undefined =>
  headers.origin ?? (headers['sec-fetch-site'] === 'same-origin' ? url.origin : undefined);

/**
 * Whether a key may make a request. A browser key may only search, under `/browser`, for pages of its origins. A secret key
 * may not be used there, because a page that contains it has published it. `refusals.ts` explains a refusal.
 */
export function isAllowed(key: ApiKey, { browser, collection, searches, page }: Use): boolean {
  const { origins } = key;
  return (
    mayUse(key, collection) &&
    browser === (origins !== undefined) &&
    (!origins || (searches && page !== undefined && origins.includes(page)))
  );
}

/**
 * Whether AWS has authorized the caller: IAM of API Gateway or of a Function URL. Callers over HTTP cannot write this part
 * of an event; callers of Invoke are authorized by IAM.
 */
export function isAuthorizedByAws(context: AwsContext | undefined): boolean {
  return Boolean(context?.authorizer?.iam);
}

/** Environment variables that configure tokens. */
export interface TokenEnvironment {
  JWT_ISSUER?: string | undefined;
  JWT_AUDIENCE?: string | undefined;
  JWT_SCOPE?: string | undefined;
}

const split = (text: string | undefined, separator: RegExp) => text?.split(separator).filter(Boolean) ?? [];

/**
 * Reads the environment variables for tokens. Returns undefined if none is set.
 * Throws an `Error` if only some are set, so that a mistake never opens the endpoint.
 */
export function readTokens({
  JWT_ISSUER: issuer,
  JWT_AUDIENCE,
  JWT_SCOPE,
}: TokenEnvironment): TokenVerifier | undefined {
  if (issuer === undefined && JWT_AUDIENCE === undefined && JWT_SCOPE === undefined) return undefined;
  if (issuer === undefined || !isSafe(issuer) || /[?#\s]/.test(issuer)) {
    throw new Error(
      `JWT_ISSUER is ${issuer === undefined ? 'not set' : JSON.stringify(issuer)}, but must be the URL of the issuer, beginning with https://. Only issuers on this machine may use http://.`,
    );
  }
  const audience = split(JWT_AUDIENCE, /\s*,\s*/);
  if (audience.length === 0) {
    throw new Error(
      'JWT_AUDIENCE is not set, so tokens for other services would be accepted. Set it to the audience of the tokens for this endpoint.',
    );
  }
  const scopes = split(JWT_SCOPE, /\s+/);
  // RFC 6749, 3.3. These characters need no escape in a header.
  const wrong = scopes.find((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope));
  if (wrong !== undefined) {
    throw new Error(
      `JWT_SCOPE contains ${JSON.stringify(wrong)}, which is not a scope. Separate scopes by spaces.`,
    );
  }
  let verify: Promise<TokenVerifier['verify']> | undefined;
  return {
    issuer,
    scopes,
    verify: async (token) => {
      verify ??= import('./jwt.ts').then(({ createVerifier }) =>
        createVerifier(issuer, audience, { isSafe, retryAfterSeconds: RETRY_AFTER_SECONDS }),
      );
      return (await verify)(token);
    },
  };
}
