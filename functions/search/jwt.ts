import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';

// Imports no code of the function: esbuild would move shared code into another file, which each cold start would open.

/** Who a token belongs to, and what it permits. */
export interface Verified {
  subject: string;
  scopes: readonly string[];
  /** Groups that the subject belongs to. */
  groups: readonly string[];
}

/** Why a token is not accepted: a reason for the caller, or for the log if the issuer's keys cannot be read. */
export interface Refused {
  refused: 'invalid' | 'unavailable';
  reason: string;
}

class Refusal extends Error {
  readonly refused: Refused['refused'];

  constructor(refused: Refused['refused'], reason: string) {
    super(reason);
    this.refused = refused;
  }
}

/** What requests to an issuer must respect. */
interface Rules {
  /** Whether keys may be read from a URL. */
  isSafe: (url: string) => boolean;
  /** How long to wait after a failure. */
  retryAfterSeconds: number;
}

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
async function findKeysUrl(issuer: string, isSafe: Rules['isSafe']): Promise<string> {
  let refused: unknown;
  for (const url of metadataUrls(issuer)) {
    try {
      const metadata = (await fetchJson(url)) as { issuer?: unknown; jwks_uri?: unknown } | null;
      const { issuer: named, jwks_uri } = metadata ?? {};
      if (named !== issuer)
        throw new Error(
          `${url} names the issuer ${JSON.stringify(named)}. Set JWT_ISSUER to exactly this text`,
        );
      if (typeof jwks_uri === 'string' && isSafe(jwks_uri)) return jwks_uri;
      throw new Error(`${url} has no jwks_uri that begins with https://`);
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      refused = error;
    }
  }
  throw refused;
}

/**
 * Finds the keys of an issuer. Reads them when they are first needed, every ten minutes, and for an unknown key after 30 seconds at the
 * earliest: jose's defaults. After a failure, waits before the next request. Rejects with a `Refusal`, or with an error of jose.
 */
function keysOf(issuer: string, { isSafe, retryAfterSeconds }: Rules): JWTVerifyGetKey {
  let failure: { error: Refusal; until: number } | undefined;
  let keys: JWTVerifyGetKey | undefined;

  /** Runs a request to the issuer, unless one has just failed. */
  async function request<T>(run: () => Promise<T>): Promise<T> {
    if (failure && Date.now() < failure.until) throw failure.error;
    try {
      return await run();
    } catch (cause) {
      const error = new Refusal('unavailable', `Cannot verify tokens of ${issuer}: ${reasonOf(cause)}.`);
      failure = { error, until: Date.now() + retryAfterSeconds * 1000 };
      throw error;
    }
  }

  return async (header, token) => {
    keys ??= createRemoteJWKSet(new URL(await request(() => findKeysUrl(issuer, isSafe))), {
      [customFetch]: async (url, { headers }) => Response.json(await request(() => fetchJson(url, headers))),
    });
    return keys(header, token);
  };
}

/** The reason of a failure. `fetch` has it in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

/** Why jose refuses a token, for its sender, by the code of its error. */
const REASONS: Record<string, string> = {
  ERR_JWT_EXPIRED: 'The token has expired. Get a new one.',
  ERR_JWKS_NO_MATCHING_KEY: 'The token is signed with a key that its issuer does not list.',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'The signature of the token is not valid.',
  ERR_JOSE_ALG_NOT_ALLOWED:
    'The signature algorithm of the token is not accepted. Use an asymmetric one such as RS256.',
};

/** Converts an error of jose. Others stay as they are. */
function toRefusal(error: unknown): unknown {
  if (!(error instanceof errors.JOSEError)) return error;
  if (error instanceof errors.JWKSInvalid) {
    const reason = `Cannot verify tokens: the issuer's keys are malformed. ${error.message}`;
    return new Refusal('unavailable', reason);
  }
  const reason =
    error instanceof errors.JWTClaimValidationFailed
      ? `The token is not valid: its claim ${error.claim} is missing or not acceptable.`
      : 'The token is not a JSON Web Token (JWT) that can be verified.';
  return new Refusal('invalid', REASONS[error.code] ?? reason);
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
 * Returns a verifier of signed access tokens (RFC 9068) that have one of the audiences, with the keys of the issuer's metadata.
 * @param groups name of the claim with the groups of the subject: a text or a list of texts
 */
export function createVerifier(
  issuer: string,
  audience: readonly string[],
  groups: string | undefined,
  rules: Rules,
): (token: string) => Promise<Verified | Refused> {
  const keys = keysOf(issuer, rules);
  const accepted = new Set(audience.map(withoutSlash));
  const options = { issuer, algorithms: ALGORITHMS, clockTolerance: LEEWAY_SECONDS, requiredClaims: ['exp'] };
  async function verify(token: string): Promise<Verified> {
    const { payload, protectedHeader } = await jwtVerify(token, keys, options);
    if (!isAccessToken(protectedHeader.typ, payload)) {
      const reason = 'The token is not an access token. Send the access token of the same login.';
      throw new Refusal('invalid', reason);
    }
    const named = audiencesOf(payload);
    if (!named.some((name) => accepted.has(withoutSlash(name)))) {
      const shown = JSON.stringify(named).slice(0, 200);
      throw new Refusal('invalid', `The token is for another audience: ${shown}. Get one for this endpoint.`);
    }
    const [subject = 'unknown'] = strings(payload.sub, payload.client_id);
    return {
      subject: subject.slice(0, 255),
      scopes: scopesOf(payload),
      groups: groups === undefined ? [] : strings(payload[groups]),
    };
  }
  return (token) =>
    verify(token).catch((thrown: unknown) => {
      const error = toRefusal(thrown);
      if (error instanceof Refusal) return { refused: error.refused, reason: error.message };
      throw error;
    });
}
