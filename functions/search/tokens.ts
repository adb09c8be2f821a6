import { baseUrl, isLoopback } from './origins.ts';
import { Problem } from './problems.ts';

/** Where the metadata of a protected resource is (RFC 9728). The path of the resource may follow. */
export const RESOURCE_METADATA = '/.well-known/oauth-protected-resource';

/** Who a token belongs to, and what it permits. */
export interface Verified {
  subject: string;
  scopes: readonly string[];
}

/** Why a token is not accepted. */
export interface Refused {
  /** The token is not valid here, or the issuer's keys cannot be read, so that no token can be verified. */
  refused: 'invalid' | 'unavailable';
  /** For the caller if the token is invalid; otherwise for the log. */
  reason: string;
}

/** What the verification of tokens must respect. */
export interface IssuerRules {
  /** Whether keys may be read from a URL. */
  isSafe: (url: string) => boolean;
  /** How long to wait after a failure. */
  retryAfterSeconds: number;
}

/** Verifies access tokens of one issuer. */
export interface TokenVerifier {
  /** The issuer's URL. */
  readonly issuer: string;
  /** Scopes that a token must have. */
  readonly scopes: readonly string[];
  verify(token: string): Promise<Verified | Refused>;
}

/** The parts of a request that name its resource. */
interface ProtectedRequest {
  url: URL;
  path: string;
  prefix?: string;
  headers: Readonly<Record<string, string | undefined>>;
}

/** Seconds after which a caller may try again, if the issuer cannot be reached. */
export const RETRY_AFTER_SECONDS = 10;

/** Whether an issuer may be asked at a URL. Over http, anyone on the way could replace its keys. */
export const isSafe = (url: string): boolean =>
  URL.canParse(url) && (/^https:/i.test(url) || (/^http:/i.test(url) && isLoopback(new URL(url).hostname)));

/** The resource that a path is part of: `/mcp`, a collection, or the endpoint as a whole (''). */
function resourceOf(path: string): string {
  return /^(?:\/c\/[a-z0-9-]+(?![^/]))?(?:\/mcp$)?/.exec(path)?.[0] ?? '';
}

/** The URL of the metadata of the resource that a request is for. */
export const metadataUrl = (request: ProtectedRequest): string =>
  baseUrl(request) + RESOURCE_METADATA + resourceOf(request.path);

/** The `WWW-Authenticate` header, from which clients learn where to get a token (RFC 6750, RFC 9728). */
export function challenge(
  request: ProtectedRequest,
  { scopes }: TokenVerifier,
  error?: 'invalid_token' | 'insufficient_scope',
): string {
  const parameters = [
    ...(error ? [`error="${error}"`] : []),
    ...(scopes.length > 0 ? [`scope="${scopes.join(' ')}"`] : []),
    `resource_metadata="${metadataUrl(request)}"`,
  ];
  return `Bearer ${parameters.join(', ')}`;
}

/**
 * The metadata of a protected resource (RFC 9728). Throws a 404 `Problem` for a path that is none.
 * @param path the resource's path, without its first slash
 */
export function resourceMetadata(request: ProtectedRequest, path: string, tokens: TokenVerifier): object {
  const resource = path === '' ? '' : `/${path}`;
  if (resourceOf(resource) !== resource) throw new Problem(404, 'No resource has this path. Use /mcp.');
  return {
    resource: baseUrl(request) + resource,
    authorization_servers: [tokens.issuer],
    ...(tokens.scopes.length > 0 && { scopes_supported: tokens.scopes }),
    bearer_methods_supported: ['header'],
    resource_name: 'polyseek',
  };
}

/** API keys have no dots, and signed tokens have two. */
const looksSigned = (token: string) => /^[^.]+\.[^.]+\.[^.]+$/.test(token);

/**
 * Returns the subject of a request's token, which only the header `Authorization` may carry.
 * Throws a `Problem`: 401 for an invalid token, 403 for one without the scopes, 503 if the issuer cannot be reached.
 * @param withKeys whether API keys are accepted too. Requests without a token then return undefined instead of a 401.
 * @param addToLog receives the reason of a 503
 */
export async function authenticateToken(
  request: ProtectedRequest,
  tokens: TokenVerifier,
  withKeys: boolean,
  addToLog: (fields: { error: string }) => void,
): Promise<string | undefined> {
  const token = /^bearer +(\S.*)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (withKeys && !looksSigned(token)) return undefined;
  if (token === '') {
    throw new Problem(
      401,
      `An access token is required. Get one from ${tokens.issuer}, and send it as Authorization: Bearer TOKEN.`,
    );
  }
  const verified = await tokens.verify(token);
  if ('refused' in verified) {
    const { refused, reason } = verified;
    if (refused === 'invalid') {
      const headers = { 'www-authenticate': challenge(request, tokens, 'invalid_token') };
      throw new Problem(401, reason, undefined, headers);
    }
    addToLog({ error: reason });
    const detail = 'The token cannot be checked, because its issuer does not answer. Try again in a moment.';
    throw new Problem(503, detail, undefined, { 'retry-after': String(RETRY_AFTER_SECONDS) });
  }
  const { subject, scopes } = verified;
  const missing = tokens.scopes.filter((scope) => !scopes.includes(scope));
  if (missing.length === 0) return subject;
  const headers = { 'www-authenticate': challenge(request, tokens, 'insufficient_scope') };
  throw new Problem(403, `The token lacks the scope ${missing.join(' ')}.`, undefined, headers);
}
