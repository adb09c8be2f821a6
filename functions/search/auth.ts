import { Problem } from './problems.ts';

/** SHA-256 digest of each API key, by the key's name. */
export type ApiKeys = ReadonlyMap<string, Uint8Array>;

/** The part of an event's `requestContext` in which AWS describes an authorized caller. */
export interface AwsContext {
  authorizer?: { iam?: unknown } | null;
}

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

/**
 * Reads an object of names and hexadecimal digests.
 * Throws an `Error` that names the object `where`. The message quotes neither values nor wrong names, which might be keys
 * in the wrong place.
 */
export function toApiKeys(value: unknown, where: string): ApiKeys {
  const wrong = (found: string) =>
    new Error(
      `${where} ${found}, but must be an object of names and SHA-256 digests (64 lowercase hexadecimal digits). Add keys with npx polyseek key NAME.`,
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

/** The name of a key. Compares every digest, each in constant time, so that timing reveals nothing. */
function nameOf(key: string, keys: ApiKeys): string | undefined {
  const digest = digestOf(key);
  let found: string | undefined;
  for (const [name, listed] of keys) if (crypto().timingSafeEqual(digest, listed)) found = name;
  return found;
}

/**
 * Returns the name of the API key that a request sends in `x-api-key` or as `Authorization: Bearer KEY` (RFC 6750). If
 * both are sent, one of them must be valid.
 * Throws a 401 `Problem`.
 */
export function authenticate(headers: Readonly<Record<string, string | undefined>>, keys: ApiKeys): string {
  const bearer = /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  const sent = [headers['x-api-key'] ?? '', bearer].filter((key) => key !== '');
  if (sent.length === 0) {
    throw new Problem(
      401,
      'An API key is required. Send it in the header x-api-key, or as Authorization: Bearer KEY.',
    );
  }
  const name = sent.map((key) => nameOf(key, keys)).find((found) => found !== undefined);
  if (name !== undefined) return name;
  throw new Problem(
    401,
    'The API key is not valid. Check for typing errors; if it was revoked, ask for a new one.',
  );
}

/**
 * Whether AWS has authorized the caller: IAM of API Gateway or of a Function URL. Callers over HTTP cannot write this part
 * of an event; callers of Invoke are authorized by IAM.
 */
export function isAuthorizedByAws(context: AwsContext | undefined): boolean {
  return Boolean(context?.authorizer?.iam);
}
