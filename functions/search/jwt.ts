import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  type RemoteJWKSet,
} from 'jose';
import type { IssuerRules, TokenVerifier, Verified } from './tokens.ts';

// Imports no code of the function: esbuild would move shared code into another file, which each cold start would open.

/** The token is not valid here. The message says why. */
class InvalidToken extends Error {}

/** The issuer's keys cannot be read, so that no token can be verified. The message says why, for the log. */
class IssuerUnavailable extends Error {}

/** Only asymmetric algorithms: with HS256, the issuer's public key would be the secret. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** Allows for clocks that differ. */
const LEEWAY_SECONDS = 30;

const TIMEOUT_MS = 5_000;

/** A document with keys has a few kilobytes. */
const MAX_BYTES = 256 * 1024;

/** How long keys are used before they are read again, and how long an unknown key waits for that. */
const KEYS_MAX_AGE_MS = 600_000;
const KEYS_COOLDOWN_MS = 30_000;

/** An issuer's metadata: OpenID Connect Discovery, then RFC 8414. */
function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

/** The issuer answers, but not with the document. */
class RefusedRequest extends Error {}

/** The reason of a failure. `fetch` has it in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

/** Requests a JSON document, within limits of time and size. Follows no redirect. */
async function fetchJson(url: string, headers: Record<string, string> | Headers = {}): Promise<unknown> {
  const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new RefusedRequest(`${url} returned status ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`${url} returned more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Error(`${url} returned no JSON`);
  }
}

/** Reads the URL of an issuer's keys from its metadata. */
async function findKeysUrl(issuer: string, isSafe: IssuerRules['isSafe']): Promise<string> {
  let refused: unknown;
  for (const url of metadataUrls(issuer)) {
    try {
      const metadata = (await fetchJson(url)) as { issuer?: unknown; jwks_uri?: unknown } | null;
      const { issuer: named, jwks_uri } = metadata ?? {};
      if (named !== issuer) {
        throw new Error(
          `${url} names the issuer ${JSON.stringify(named)}. Set JWT_ISSUER to exactly this text`,
        );
      }
      if (typeof jwks_uri === 'string' && isSafe(jwks_uri)) return jwks_uri;
      throw new Error(`${url} has no jwks_uri that begins with https://`);
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      refused = error;
    }
  }
  throw refused;
}

/** The keys of an issuer, read when they are first needed, and cached. After a failure, waits before the next request. */
class IssuerKeys {
  readonly #issuer: string;
  readonly #rules: IssuerRules;
  #keys: Promise<RemoteJWKSet> | undefined;
  #failure: { error: IssuerUnavailable; until: number } | undefined;
  /** When keys were last read, in milliseconds of the clock. */
  #read = Number.NEGATIVE_INFINITY;

  constructor(issuer: string, rules: IssuerRules) {
    this.#issuer = issuer;
    this.#rules = rules;
  }

  /** Finds the key of a token. Rejects with `IssuerUnavailable`, or with an error of jose. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    this.#keys ??= this.#discover();
    const keys = await this.#keys;
    // After the clock was set back, jose would not read keys again before it has caught up. If that fails, known keys stay in use.
    if (Date.now() < this.#read) await keys.reload().catch(() => {});
    return keys(header, token);
  };

  async #discover(): Promise<RemoteJWKSet> {
    try {
      return this.#keysAt(await this.#request(() => findKeysUrl(this.#issuer, this.#rules.isSafe)));
    } catch (error) {
      this.#keys = undefined;
      throw error;
    }
  }

  #keysAt(url: string): RemoteJWKSet {
    return createRemoteJWKSet(new URL(url), {
      cacheMaxAge: KEYS_MAX_AGE_MS,
      cooldownDuration: KEYS_COOLDOWN_MS,
      [customFetch]: async (url, { headers }) => {
        const keys = await this.#request(() => fetchJson(url, headers));
        this.#read = Date.now();
        return Response.json(keys);
      },
    });
  }

  /** Runs a request to the issuer, unless one has just failed. */
  async #request<T>(request: () => Promise<T>): Promise<T> {
    const wait = this.#rules.retryAfterSeconds * 1000;
    const left = this.#failure ? this.#failure.until - Date.now() : 0;
    // More is left only if the clock was set back.
    if (this.#failure && left > 0 && left <= wait) throw this.#failure.error;
    try {
      return await request();
    } catch (cause) {
      const error = new IssuerUnavailable(`Cannot verify tokens of ${this.#issuer}: ${reasonOf(cause)}.`);
      this.#failure = { error, until: Date.now() + wait };
      throw error;
    }
  }
}

/** Why jose refuses a token, in words for its sender. Other errors stay as they are. */
function toInvalidToken(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return new InvalidToken('The token has expired. Get a new one.');
  if (error instanceof errors.JWKSNoMatchingKey) {
    return new InvalidToken('The token is signed with a key that its issuer does not list.');
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return new InvalidToken('The signature of the token is not valid.');
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new InvalidToken(
      'The signature algorithm of the token is not accepted. Use an asymmetric one such as RS256.',
    );
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new InvalidToken(`The token is not valid: its claim ${error.claim} is missing or not acceptable.`);
  }
  if (error instanceof errors.JWKSInvalid) {
    return new IssuerUnavailable(`Cannot verify tokens: the issuer's keys are malformed. ${error.message}`);
  }
  if (error instanceof errors.JOSEError) {
    return new InvalidToken('The token is not a JSON Web Token (JWT) that can be verified.');
  }
  return error;
}

const withoutSlash = (text: string) => text.replace(/\/$/, '');

const strings = (...values: unknown[]) =>
  values.flat().filter((value): value is string => typeof value === 'string');

/** The audiences of a token. Cognito's access tokens have the id of their client instead. */
const audiencesOf = ({ aud, client_id }: JWTPayload) => strings(aud === undefined ? client_id : aud);

/** Scopes as in RFC 9068, or as Entra ID and Okta write them. */
const scopesOf = ({ scope, scp }: JWTPayload) =>
  strings(scope, scp).flatMap((text) => text.split(' ').filter(Boolean));

/** Whether a token is an access token, as far as it says so. Others, such as ID tokens, prove no permission. */
function isAccessToken(type: string | undefined, { token_use }: JWTPayload): boolean {
  const isType = type === undefined || /^(application\/)?(at\+)?jwt$/i.test(type);
  // Cognito's claim.
  return isType && (token_use === undefined || token_use === 'access');
}

/**
 * Makes a function that verifies signed access tokens (RFC 9068, as far as common issuers follow it): signature, issuer,
 * time and audience. Its keys come from the issuer's metadata.
 * @param audience of which a token must have one
 */
export function createVerifier(
  issuer: string,
  audience: readonly string[],
  rules: IssuerRules,
): TokenVerifier['verify'] {
  const keys = new IssuerKeys(issuer, rules);
  const accepted = new Set(audience.map(withoutSlash));
  const options = { issuer, algorithms: ALGORITHMS, clockTolerance: LEEWAY_SECONDS, requiredClaims: ['exp'] };
  async function verify(token: string): Promise<Verified> {
    const { payload, protectedHeader } = await jwtVerify(token, keys.find, options).catch(
      (error: unknown) => {
        throw toInvalidToken(error);
      },
    );
    if (!isAccessToken(protectedHeader.typ, payload)) {
      throw new InvalidToken('The token is not an access token. Send the access token of the same login.');
    }
    const named = audiencesOf(payload);
    if (!named.some((name) => accepted.has(withoutSlash(name)))) {
      throw new InvalidToken(
        `The token is for another audience: ${JSON.stringify(named).slice(0, 200)}. Get one for this endpoint.`,
      );
    }
    const [subject = 'unknown'] = strings(payload.sub, payload.client_id);
    return { subject: subject.slice(0, 255), scopes: scopesOf(payload) };
  }
  return (token) =>
    verify(token).catch((error: unknown) => {
      if (error instanceof InvalidToken) return { refused: 'invalid', reason: error.message };
      if (error instanceof IssuerUnavailable) return { refused: 'unavailable', reason: error.message };
      throw error;
    });
}
