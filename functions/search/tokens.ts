import type { Refused, Verified } from './jwt.ts';
import { baseUrl, isLoopback } from './origins.ts';
import { Problem } from './problems.ts';

/** Where the metadata of a protected resource is (RFC 9728). The path of the resource may follow. */
export const RESOURCE_METADATA = '/.well-known/oauth-protected-resource';

export interface TokenVerifier {
  readonly issuer: string;
  readonly scopes: readonly string[];
  verify(token: string): Promise<Verified | Refused>;
}

export type SentHeaders = Readonly<Record<string, string | undefined>>;

/** What a request sends as `Authorization: Bearer …` (RFC 6750), or ''. */
export const bearerOf = ({ authorization = '' }: SentHeaders): string =>
  /^bearer +(\S.*)$/i.exec(authorization)?.[1] ?? '';

/** The parts of a request that name its resource. */
interface ProtectedRequest {
  url: URL;
  path: string;
  prefix?: string;
  headers: SentHeaders;
}

/** Seconds after a failure of the issuer until it is asked again. */
const RETRY_AFTER_SECONDS = 10;

/** Whether an issuer may be asked at a URL. Over http, anyone on the way could replace its keys. */
const isSafe = (url: string): boolean =>
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

/** The metadata of the resource at a path without its first slash (RFC 9728). Throws a 404 `Problem` if there is none. */
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
 * Returns whom a request's token belongs to. Only the header `Authorization` may carry it. `addToLog` receives the reason of a 503.
 * Throws a `Problem`: 401 for an invalid token, 403 for one without the scopes, 503 if the issuer cannot be reached.
 * @param withKeys whether API keys are accepted too. Requests without a token then return undefined instead of a 401.
 */
export async function authenticateToken(
  request: ProtectedRequest,
  tokens: TokenVerifier,
  withKeys: boolean,
  addToLog: (fields: { error: string }) => void,
): Promise<Verified | undefined> {
  const token = bearerOf(request.headers);
  if (withKeys && !looksSigned(token)) return undefined;
  if (token === '')
    throw new Problem(
      401,
      `An access token is required. Get one from ${tokens.issuer}, and send it as Authorization: Bearer TOKEN.`,
    );
  const verified = await tokens.verify(token);
  if ('refused' in verified) {
    const { refused, reason } = verified;
    if (refused === 'invalid') {
      const headers = { 'www-authenticate': challenge(request, tokens, 'invalid_token') };
      throw new Problem(401, reason, { headers });
    }
    addToLog({ error: reason });
    const detail = 'The token cannot be checked, because its issuer does not answer. Try again in a moment.';
    throw new Problem(503, detail, { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } });
  }
  const missing = tokens.scopes.filter((scope) => !verified.scopes.includes(scope));
  if (missing.length === 0) return verified;
  const headers = { 'www-authenticate': challenge(request, tokens, 'insufficient_scope') };
  throw new Problem(403, `The token lacks the scope ${missing.join(' ')}.`, { headers });
}

const split = (text: string | undefined, separator: RegExp) => text?.split(separator).filter(Boolean) ?? [];

/** Reads the environment variables for tokens. Throws if only some are set, so that a mistake never opens the endpoint. */
export function readTokens(environment: NodeJS.ProcessEnv): TokenVerifier | undefined {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE, JWT_SCOPE, JWT_GROUPS } = environment;
  if (issuer === undefined && JWT_AUDIENCE === undefined && JWT_SCOPE === undefined) return undefined;
  if (issuer === undefined || !isSafe(issuer) || /[?#\s]/.test(issuer))
    throw new Error(
      `JWT_ISSUER is ${issuer === undefined ? 'not set' : JSON.stringify(issuer)}, but must be the URL of the issuer, beginning with https://. Only issuers on this machine may use http://.`,
    );
  const audience = split(JWT_AUDIENCE, /\s*,\s*/);
  if (audience.length === 0)
    throw new Error(
      'JWT_AUDIENCE is not set, so tokens for other services would be accepted. Set it to the audience of the tokens for this endpoint.',
    );
  const scopes = split(JWT_SCOPE, /\s+/);
  // RFC 6749, 3.3. These characters need no escape in a header.
  const wrong = scopes.find((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope));
  if (wrong !== undefined)
    throw new Error(
      `JWT_SCOPE contains ${JSON.stringify(wrong)}, which is not a scope. Separate scopes by spaces.`,
    );
  let verify: Promise<TokenVerifier['verify']> | undefined;
  return {
    issuer,
    scopes,
    verify: async (token) => {
      verify ??= import('./jwt.ts').then(({ createVerifier }) =>
        createVerifier(issuer, audience, JWT_GROUPS, { isSafe, retryAfterSeconds: RETRY_AFTER_SECONDS }),
      );
      return (await verify)(token);
    },
  };
}
