import { isSafe, RETRY_AFTER_SECONDS, type TokenVerifier } from './tokens.ts';

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
