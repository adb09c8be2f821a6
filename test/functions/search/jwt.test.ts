import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWTPayload,
  UnsecuredJWT,
} from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { digestOf } from '../../../functions/search/auth.ts';
import type { LogEntry } from '../../../functions/search/log.ts';
import { readTokens } from '../../../functions/search/tokens.ts';
import { Issuer, type TokenChanges } from '../../fixtures/issuer.ts';
import { post, request } from './ask.ts';
import { SearchDouble } from './search-double.ts';

const AUDIENCE = 'https://search.example.org/mcp';
const METADATA = '/.well-known/oauth-protected-resource';

let issuer: Issuer;
let log: LogEntry[];
beforeEach(async () => {
  issuer = await Issuer.start();
  log = [];
});
afterEach(async () => {
  vi.useRealTimers();
  await issuer.close();
});

interface Settings {
  JWT_ISSUER?: string;
  JWT_AUDIENCE?: string;
  JWT_SCOPE?: string;
  JWT_GROUPS?: string;
  keys?: boolean;
}

const KEY = 'ps_key';

/** An endpoint that accepts the issuer's tokens. */
function appOf({ keys = false, ...settings }: Settings = {}) {
  const tokens = readTokens({ JWT_ISSUER: issuer.url, JWT_AUDIENCE: AUDIENCE, ...settings });
  const apiKeys = keys ? new Map([['chatbot', { digest: digestOf(KEY) }]]) : undefined;
  const collections = new Map([['hr', async () => new SearchDouble()]]);
  return createApp(new SearchDouble(), { tokens, apiKeys, collections, log: (entry) => log.push(entry) });
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** Sends a token, and returns the status, the detail of a refusal and the challenge. */
async function send(token: string, app = appOf(), path = '/search?q=x') {
  const response = await request(app, path, bearer(token));
  const { detail } = (await response.json()) as { detail?: string };
  return { status: response.status, detail, challenge: response.headers.get('www-authenticate') };
}

test.each([
  ['a list', { groups: ['hr', 'board', 7] }, 'groups', ['hr', 'board']],
  ['a text', { role: 'hr' }, 'role', ['hr']],
  ['a name with dots', { 'https://a.example/groups': ['hr'] }, 'https://a.example/groups', ['hr']],
  ['another claim', { groups: ['hr'] }, 'roles', []],
  ['no setting', { groups: ['hr'] }, undefined, []],
])('the groups of a token are those of its claim: %s', async (_, claims, claim, groups) => {
  const asked: (readonly string[])[] = [];
  const search = new SearchDouble();
  vi.spyOn(search, 'for').mockImplementation(async (...[groups]: unknown[]) => {
    asked.push(groups as string[]);
    return search;
  });
  const environment = { JWT_ISSUER: issuer.url, JWT_AUDIENCE: AUDIENCE };
  const tokens = readTokens({ ...environment, ...(claim && { JWT_GROUPS: claim }) });
  const app = createApp(search, { tokens, log: () => {} });
  const token = await issuer.sign({ claims });
  expect((await request(app, '/search?q=x', bearer(token))).status).toBe(200);
  expect(asked).toEqual(groups.length > 0 ? [groups] : []);
});

describe('a token opens', () => {
  test('every route, and the log has its subject', async () => {
    const app = appOf();
    const init = bearer(await issuer.sign());
    for (const path of ['/search?q=x', '/health', '/overview', '/openapi.json', '/']) {
      expect((await request(app, path, init)).status, path).toBe(200);
    }
    const { headers, ...body } = post({ q: 'x' });
    const posted = { ...body, headers: { ...headers, ...init.headers } };
    expect((await request(app, '/search', posted)).status).toBe(200);
    expect(log.map(({ subject }) => subject)).toEqual(Array(6).fill('ada'));
    // The keys were read once.
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  test('collections, and paths for pages', async () => {
    const app = appOf();
    const init = bearer(await issuer.sign());
    for (const path of ['/c/hr/search?q=x', '/browser/search?q=x', '/browser/c/hr/search?q=x']) {
      expect((await request(app, path)).status, path).toBe(401);
      expect((await request(app, path, init)).status, path).toBe(200);
    }
    expect((await request(app, '/c/other/search?q=x')).status).toBe(401);
    expect((await request(app, '/c/other/search?q=x', init)).status).toBe(404);
    for (const path of [`${METADATA}/c/hr/mcp`, `/c/hr${METADATA}/mcp`]) {
      const metadata = await request(app, `https://a.example${path}`);
      expect(await metadata.json()).toMatchObject({ resource: 'https://a.example/c/hr/mcp' });
    }
    const { headers } = await request(app, 'https://a.example/c/hr/mcp', post({}));
    expect(headers.get('www-authenticate')).toBe(
      `Bearer resource_metadata="https://a.example${METADATA}/c/hr/mcp"`,
    );
  });

  test.each<[string, TokenChanges, Settings?]>([
    ['one of several audiences', { claims: { aud: ['https://other.example', AUDIENCE] } }],
    ['one of several accepted audiences', { claims: { aud: 'b' } }, { JWT_AUDIENCE: 'a, b' }],
    ['an audience with a final slash', { claims: { aud: `${AUDIENCE}/` } }],
    [
      "Cognito's form: a client instead of an audience",
      { claims: { aud: undefined, client_id: 'app', token_use: 'access' }, header: { typ: undefined } },
      { JWT_AUDIENCE: 'app' },
    ],
    ["Entra ID's form of scopes", { claims: { scope: undefined, scp: 'search' } }, { JWT_SCOPE: 'search' }],
    ["Okta's form of scopes", { claims: { scope: undefined, scp: ['search'] } }, { JWT_SCOPE: 'search' }],
    ['all scopes', { claims: { scope: 'read openid search' } }, { JWT_SCOPE: 'search read' }],
    ['a time that has just passed', { claims: { exp: Math.floor(Date.now() / 1000) - 5 } }],
    ['the type JWT', { header: { typ: 'JWT' } }],
  ])('with %s', async (_, changes, settings) => {
    expect((await send(await issuer.sign(changes), appOf(settings))).status).toBe(200);
  });

  test.each(['RS256', 'PS256', 'EdDSA'])('signed with %s', async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    issuer.keys.push({ ...(await exportJWK(publicKey)), kid: alg, alg });
    const token = await issuer.sign({ header: { alg, kid: alg }, key: privateKey });
    expect((await send(token)).status).toBe(200);
  });

  test('after the issuer has a new key', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const app = appOf();
    expect((await send(await issuer.sign(), app)).status).toBe(200);
    await issuer.rotate();
    // An unknown key causes a request every 30 s at most.
    expect((await send(await issuer.sign(), app)).status).toBe(401);
    expect(issuer.requests).toHaveLength(2);
    vi.setSystemTime(Date.now() + 31_000);
    expect((await send(await issuer.sign(), app)).status).toBe(200);
    expect(issuer.requests).toHaveLength(3);
  });

  test('of an issuer with a path, whose metadata is where RFC 8414 has it', async () => {
    const tenant = await Issuer.start('/tenant');
    const { origin } = new URL(tenant.url);
    tenant.answers.set('/tenant/.well-known/openid-configuration', 404);
    const metadata = { issuer: tenant.url, jwks_uri: `${origin}/tenant/keys` };
    tenant.answers.set('/.well-known/oauth-authorization-server/tenant', metadata);
    const app = appOf({ JWT_ISSUER: tenant.url });
    expect((await send(await tenant.sign(), app)).status).toBe(200);
    await tenant.close();
  });
});

describe('a token is refused', () => {
  const past = Math.floor(Date.now() / 1000) - 60;

  test.each<[string, TokenChanges, RegExp, Settings?]>([
    [
      'another audience',
      { claims: { aud: 'https://other.example' } },
      /another audience: \["https:\/\/other/,
    ],
    ['no audience', { claims: { aud: undefined } }, /another audience: \[\]/],
    [
      'another client, with the accepted one as audience only',
      { claims: { aud: 'other', client_id: AUDIENCE } },
      /another audience/,
    ],
    ['another issuer', { claims: { iss: 'https://other.example' } }, /claim iss/],
    ['no issuer', { claims: { iss: undefined } }, /claim iss/],
    ['a time in the past', { claims: { exp: past } }, /expired/],
    ['no end', { claims: { exp: undefined } }, /claim exp/],
    ['a start in the future', { claims: { nbf: past + 600 } }, /claim nbf/],
    [
      'a key that the issuer does not list',
      { header: { kid: 'other' } },
      /key that its issuer does not list/,
    ],
    ["the form of Cognito's ID tokens", { claims: { token_use: 'id' } }, /not an access token/],
    ['another type', { header: { typ: 'logout+jwt' } }, /not an access token/],
  ])('with %s', async (_, changes, detail) => {
    const refused = await send(await issuer.sign(changes));
    expect(refused).toMatchObject({ status: 401, detail: expect.stringMatching(detail) });
    expect(refused.challenge).toBe(
      `Bearer error="invalid_token", resource_metadata="http://localhost${METADATA}"`,
    );
    expect(log).toMatchObject([{ level: 'INFO', status: 401 }]);
    expect(log[0]).not.toHaveProperty('subject');
  });

  test('signed by another key of the same name', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const refused = await send(await issuer.sign({ key: privateKey }));
    expect(refused).toMatchObject({ status: 401, detail: 'The signature of the token is not valid.' });
  });

  test('without a signature (alg none)', async () => {
    const token = new UnsecuredJWT({ iss: issuer.url, aud: AUDIENCE, sub: 'ada' })
      .setExpirationTime('10m')
      .encode();
    for (const text of [token, `${token}x`]) expect((await send(text)).status).toBe(401);
  });

  test('signed with the public key as secret (HS256)', async () => {
    const [jwk] = issuer.keys;
    const key = (await importJWK({ ...jwk, ext: true }, 'ES256')) as CryptoKey;
    const secret = new TextEncoder().encode(await exportSPKI(key));
    const refused = await send(await issuer.sign({ header: { alg: 'HS256' }, key: secret }));
    expect(refused).toMatchObject({ status: 401, detail: expect.stringContaining('algorithm') });
  });

  test('after any change', async () => {
    const token = await issuer.sign();
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const claims: JWTPayload = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const other = Buffer.from(JSON.stringify({ ...claims, sub: 'eve' })).toString('base64url');
    const app = appOf();
    for (const text of [
      `${header}.${other}.${signature}`,
      token.slice(0, -8),
      `${token}.${signature}`,
      'x',
    ]) {
      expect((await send(text, app)).status, text).toBe(401);
    }
    expect((await send(token, app)).status).toBe(200);
  });

  test.each(['access_token', 'token', 'authorization'])('in the query as %s', async (name) => {
    const token = await issuer.sign();
    const query = new URLSearchParams({ q: 'x', [name]: token });
    const response = await request(appOf(), `/search?${query}`);
    expect(response.status).toBe(401);
    expect(log[0]).not.toHaveProperty('subject');
  });

  test('in other headers', async () => {
    const token = await issuer.sign();
    for (const name of ['x-api-key', 'authorization', 'cookie']) {
      expect((await request(appOf(), '/search?q=x', { headers: { [name]: token } })).status).toBe(401);
    }
  });

  test('without the required scopes, with 403', async () => {
    const app = appOf({ JWT_SCOPE: 'search admin' });
    expect(await send(await issuer.sign(), app, '/health')).toEqual({
      status: 403,
      detail: 'The token lacks the scope admin.',
      challenge: `Bearer error="insufficient_scope", scope="search admin", resource_metadata="http://localhost${METADATA}"`,
    });
  });
});

describe('without a token', () => {
  test('a request gets a challenge with the metadata of its resource', async () => {
    const app = appOf({ JWT_SCOPE: 'search' });
    const challengeOf = async (path: string, init?: RequestInit, prefix?: string) => {
      const response = await request(app, path, init, prefix);
      expect(response.status).toBe(401);
      const challenge = response.headers.get('www-authenticate');
      // API Gateway renames the header, so that clients may see only the body.
      const { resource_metadata } = (await response.json()) as { resource_metadata?: string };
      expect(challenge).toContain(`resource_metadata="${resource_metadata}"`);
      return challenge;
    };
    const at = (url: string) => `Bearer scope="search", resource_metadata="${url}"`;
    expect(await challengeOf('/search?q=x')).toBe(at(`http://localhost${METADATA}`));
    expect(await challengeOf('/mcp', post({}))).toBe(at(`http://localhost${METADATA}/mcp`));
    expect(await challengeOf('https://a.example/mcp', post({}), '/prod')).toBe(
      at(`https://a.example/prod${METADATA}/mcp`),
    );
    expect(issuer.requests).toEqual([]);
  });

  test('the metadata can be read, and leads to the issuer', async () => {
    const app = appOf({ JWT_SCOPE: 'search read' });
    const of = async (path: string, prefix?: string) => {
      const response = await request(app, `https://a.example${METADATA}${path}`, undefined, prefix);
      expect([response.status, response.headers.get('content-type')]).toEqual([
        200,
        'application/json; charset=utf-8',
      ]);
      return response.json();
    };
    expect(await of('/mcp')).toEqual({
      resource: 'https://a.example/mcp',
      authorization_servers: [issuer.url],
      scopes_supported: ['search', 'read'],
      bearer_methods_supported: ['header'],
      resource_name: 'polyseek',
    });
    expect(await of('')).toMatchObject({ resource: 'https://a.example' });
    expect(await of('/mcp', '/prod')).toMatchObject({ resource: 'https://a.example/prod/mcp' });
    expect(await of('/c/hr/mcp')).toMatchObject({ resource: 'https://a.example/c/hr/mcp' });
    expect(issuer.requests).toEqual([]);
  });

  test('pages of any origin can read the metadata, which contains no data', async () => {
    const headers = { origin: 'https://app.example' };
    expect((await request(appOf(), `${METADATA}/mcp`, { headers })).status).toBe(200);
    expect((await request(appOf(), '/mcp', { ...post({}), headers })).status).toBe(403);
  });

  test('other paths have no metadata', async () => {
    for (const path of ['/search', '/mcp/x', '/c', '/x/mcp']) {
      expect((await request(appOf(), `${METADATA}${path}`)).status, path).toBe(404);
    }
    const keys = new Map([['chatbot', { digest: digestOf(KEY) }]]);
    const app = createApp(new SearchDouble(), { apiKeys: keys, log: () => {} });
    const response = await request(app, `${METADATA}/mcp`);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });
});

describe('beside API keys', () => {
  test('both work', async () => {
    const app = appOf({ keys: true });
    for (const headers of [
      { 'x-api-key': KEY },
      bearer(KEY).headers,
      bearer(await issuer.sign()).headers,
    ] as Record<string, string>[]) {
      expect((await request(app, '/search?q=x', { headers })).status).toBe(200);
    }
    expect(log.map(({ key, subject }) => [key, subject])).toEqual([
      ['chatbot', undefined],
      ['chatbot', undefined],
      [undefined, 'ada'],
    ]);
  });

  test('browser keys stay limited', async () => {
    const tokens = readTokens({ JWT_ISSUER: issuer.url, JWT_AUDIENCE: AUDIENCE });
    const apiKeys = new Map([['web', { digest: digestOf(KEY), origins: ['https://shop.example'] }]]);
    const app = createApp(new SearchDouble(), { tokens, apiKeys, log: () => {} });
    const headers = { 'x-api-key': KEY, origin: 'https://shop.example' };
    for (const [path, status] of [
      ['/browser/search?q=x', 200],
      ['/browser/openapi.json', 403],
      ['/search?q=x', 403],
    ] as const)
      expect([path, (await request(app, path, { headers })).status]).toEqual([path, status]);
  });

  test('a wrong key, a wrong token and neither are refused with the challenge', async () => {
    const app = appOf({ keys: true });
    const wrong = await issuer.sign({ claims: { aud: 'other' } });
    const refused: Record<string, string>[] = [
      {},
      { 'x-api-key': 'ps_other' },
      bearer('ps_other').headers,
      bearer(wrong).headers,
    ];
    for (const headers of refused) {
      const response = await request(app, '/mcp', { ...post({}), headers });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain(`"http://localhost${METADATA}/mcp"`);
    }
  });

  test('without keys, keys are refused', async () => {
    for (const headers of [{ 'x-api-key': KEY }, bearer(KEY).headers] as Record<string, string>[]) {
      expect((await request(appOf(), '/search?q=x', { headers })).status).toBe(401);
    }
  });
});

describe('an issuer that fails', () => {
  test.each<[string, string, unknown, RegExp]>([
    ['is down', '/keys', 500, /\/keys returned status 500/],
    ['redirects', '/keys', 302, /\/keys returned status 302/],
    [
      'has no metadata',
      '/.well-known/openid-configuration',
      404,
      /oauth-authorization-server returned status 404/,
    ],
    ['sends no JSON', '/keys', '<html>', /\/keys returned no JSON/],
    ['sends too much', '/keys', `"${'x'.repeat(300_000)}"`, /more than 262144 bytes/],
    ['sends other things than keys', '/keys', { keys: 1 }, /malformed/],
    [
      'has another name',
      '/.well-known/openid-configuration',
      { issuer: 'https://id.example/', jwks_uri: 'https://id.example/keys' },
      /names the issuer "https:\/\/id\.example\/"\. Set JWT_ISSUER to exactly this text/,
    ],
    [
      'has keys over http',
      '/.well-known/openid-configuration',
      { jwks_uri: 'http://id.example/keys' },
      /no jwks_uri that begins with https/,
    ],
  ])('because it %s gives 503 and a log entry', async (_, path, answer, reason) => {
    issuer.answers.set(
      path,
      typeof answer === 'object' && answer !== null ? { issuer: issuer.url, ...answer } : answer,
    );
    const response = await request(appOf(), '/search?q=x', bearer(await issuer.sign()));
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
    expect(await response.text()).not.toContain(issuer.url);
    expect(log).toMatchObject([{ level: 'ERROR', status: 503, error: expect.stringMatching(reason) }]);
  });

  test('because it cannot be reached gives 503, and is asked again after ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const app = appOf();
    const token = await issuer.sign();
    issuer.answers.set('/.well-known/openid-configuration', 503);
    for (let i = 0; i < 3; i++) expect((await send(token, app)).status).toBe(503);
    expect(issuer.requests).toHaveLength(2);
    issuer.answers.clear();
    vi.setSystemTime(Date.now() + 11_000);
    expect((await send(token, app)).status).toBe(200);
    expect(issuer.requests).toHaveLength(4);
  });

  test('because nothing listens there gives 503', async () => {
    const closed = await Issuer.start();
    await closed.close();
    const other = appOf({ JWT_ISSUER: closed.url });
    expect((await send(await closed.sign(), other)).status).toBe(503);
    expect(log.at(-1)!.error).toContain('ECONNREFUSED');
  });

  test('later leaves known keys in use for ten minutes, and then gives 503', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const app = appOf();
    const far = { claims: { exp: Math.floor(Date.now() / 1000) + 3_600 } };
    const token = await issuer.sign(far);
    expect((await send(token, app)).status).toBe(200);
    issuer.answers.set('/keys', 500);
    vi.setSystemTime(Date.now() + 60_000);
    expect((await send(await issuer.sign({ ...far, header: { kid: 'other' } }), app)).status).toBe(503);
    expect((await send(token, app)).status).toBe(200);
    vi.setSystemTime(Date.now() + 600_000);
    expect((await send(token, app)).status).toBe(503);
  });
});

describe('the settings', () => {
  const full = { JWT_ISSUER: 'https://id.example', JWT_AUDIENCE: 'a' };

  test('without any, there are no tokens', () => {
    expect(readTokens({})).toBeUndefined();
  });

  test.each([
    [{ JWT_AUDIENCE: 'a' }, 'JWT_ISSUER is not set'],
    [{ JWT_SCOPE: 'a' }, 'JWT_ISSUER is not set'],
    [{ ...full, JWT_ISSUER: '' }, 'JWT_ISSUER is ""'],
    [{ ...full, JWT_ISSUER: 'http://id.example' }, 'beginning with https://'],
    [{ ...full, JWT_ISSUER: 'http://localhost.evil.example' }, 'beginning with https://'],
    [{ ...full, JWT_ISSUER: 'https://id.example?tenant=1' }, 'JWT_ISSUER is'],
    [{ ...full, JWT_AUDIENCE: undefined }, 'JWT_AUDIENCE is not set'],
    [{ ...full, JWT_AUDIENCE: ' , ' }, 'JWT_AUDIENCE is not set'],
    [{ ...full, JWT_SCOPE: 'a"b' }, 'JWT_SCOPE contains "a\\"b"'],
  ])('%j are refused', (settings, message) => {
    expect(() => readTokens(settings)).toThrow(message);
  });

  test.each(['https://id.example/tenant/', 'http://localhost:8080', 'http://[::1]:8080'])(
    '%s is accepted',
    (JWT_ISSUER) => {
      expect(readTokens({ ...full, JWT_ISSUER })).toMatchObject({ issuer: JWT_ISSUER, scopes: [] });
    },
  );
});
