import { createHash, timingSafeEqual } from 'node:crypto';
import { Problem } from './problems.ts';

/** SHA-256 digest of each API key, by the key's name. */
export type ApiKeys = ReadonlyMap<string, Uint8Array>;

/** The part of an event's `requestContext` that says who AWS let call. */
export interface AwsContext {
  authorizer?: { iam?: unknown; jwt?: unknown } | null;
}

const namePattern = /^[A-Za-z0-9_-]{1,32}$/;
const digestPattern = /^[0-9a-f]{64}$/;

/** What a key's name must be, for sentences. */
export const nameExpected = '1 to 32 of the characters A-Z, a-z, 0-9, _ and -';

/** Whether a text may be the name of a key. */
export const isKeyName = (name: string) => namePattern.test(name);

/** SHA-256 digest of a key, which is all that is stored of it. A key is random, so it needs neither salt nor slow hashing. */
export const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest();

/**
 * Digests by name from an object of their hexadecimal texts.
 * Throws an `Error` that names the object `where`. It quotes neither values nor wrong names, which might be keys put in the wrong place.
 */
export function toApiKeys(value: unknown, where: string): ApiKeys {
  const wrong = (found: string) =>
    new Error(
      `${where} ${found}, but must be an object of names and SHA-256 digests (64 lowercase hexadecimal digits): add keys with npm run key -- NAME.`,
    );
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('is not an object');
  const keys = new Map<string, Uint8Array>();
  for (const [name, digest] of Object.entries(value)) {
    if (!isKeyName(name)) throw wrong(`has a name that is not ${nameExpected}`);
    if (typeof digest !== 'string' || !digestPattern.test(digest))
      throw wrong(`has no digest under "${name}"`);
    keys.set(name, Buffer.from(digest, 'hex'));
  }
  return keys;
}

/**
 * The keys in the environment variable `API_KEYS`; undefined where it is not set, which leaves the endpoint open.
 * Throws an `Error` of one sentence where it is set and holds no keys, so that a mistake never opens the endpoint.
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
  throw new Error('API_KEYS has no key, so nobody could ask: add one with npm run key -- NAME.');
}

/** The name under which a key's digest is listed. Every digest is compared, in a time that tells nothing of where they differ. */
function nameOf(key: string, keys: ApiKeys): string | undefined {
  const digest = digestOf(key);
  let found: string | undefined;
  for (const [name, listed] of keys) if (timingSafeEqual(digest, listed)) found = name;
  return found;
}

/**
 * Name of the API key that a request sends in `x-api-key` or as `Authorization: Bearer KEY` (RFC 6750); one valid key suffices.
 * Throws a 401 `Problem`.
 */
export function authenticate(headers: Readonly<Record<string, string | undefined>>, keys: ApiKeys): string {
  const bearer = /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  const sent = [headers['x-api-key'] ?? '', bearer].filter((key) => key !== '');
  if (sent.length === 0) {
    throw new Problem(
      401,
      'No API key was sent: send yours in the header x-api-key, or as Authorization: Bearer KEY.',
    );
  }
  const name = sent.map((key) => nameOf(key, keys)).find((found) => found !== undefined);
  if (name !== undefined) return name;
  throw new Problem(
    401,
    'The API key is not valid, as it was revoked or mistyped: check it, or ask for a new one.',
  );
}

/**
 * Whether AWS itself has checked the caller: API Gateway's IAM or JWT authorizer, or a Function URL's. Who calls
 * over HTTP can't write this part of an event; who can, by Invoke, has that right from IAM.
 */
export function isAuthorizedByAws(context: AwsContext | undefined): boolean {
  return Boolean(context?.authorizer?.iam ?? context?.authorizer?.jwt);
}
