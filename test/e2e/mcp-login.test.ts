import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createApp } from '../../functions/search/app.ts';
import { createAppServer } from '../../functions/search/listener.ts';
import type { LogEntry } from '../../functions/search/log.ts';
import { readTokens } from '../../functions/search/tokens.ts';
import {
  type AuthorizationServer,
  CALLBACK,
  DOCUMENTED_CLIENT,
  Login,
  logIn,
  startAuthorizationServer,
} from '../fixtures/authorization-server.ts';
import { startHttpApi } from '../fixtures/http-api.ts';
import { root, topicsFunction, topicsIndex } from '../fixtures/index.ts';
import { Issuer } from '../fixtures/issuer.ts';
import { HTTP_API } from '../fixtures/lambda-events.ts';
import { LambdaRuntime } from '../fixtures/lambda-runtime.ts';
import { connect, REVISIONS, structured } from '../fixtures/mcp.ts';
import { startServer } from '../fixtures/processes.ts';
import { missingTools, tools } from '../fixtures/tools.ts';
import { request } from '../functions/search/ask.ts';
import { SearchDouble } from '../functions/search/search-double.ts';

const QUESTION = 'How often does the light of the Korvane lighthouse flash?';
const REGISTRATION = 'POST /reg';

let index: string;
let issuer: AuthorizationServer;

beforeAll(async () => {
  issuer = await startAuthorizationServer();
  index = await topicsIndex(['en']);
});
afterAll(() => issuer.stop());
afterEach(() => {
  issuer.requests.length = 0;
});

const settings = (audience: string) => ({
  JWT_ISSUER: issuer.url,
  JWT_AUDIENCE: audience,
  JWT_SCOPE: 'search',
});

/** Logs in with the official client, as an application does: connect, be sent to the login, connect again. */
async function connectAfterLogin(url: string, revision: string, login: Login, fetch = globalThis.fetch) {
  const options = { authProvider: login, fetch };
  await expect(connect(url, revision, options)).rejects.toThrow(UnauthorizedError);
  // The client reads the metadata of the issuer again, and redeems the code.
  await new StreamableHTTPClientTransport(new URL(url), options).finishAuth(login.callback!);
  return connect(url, revision, options);
}

async function search(client: Client) {
  return structured(await client.callTool({ name: 'search', arguments: { query: QUESTION } }));
}

/** A port that no program uses. */
async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('the local server', () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  let url: string;
  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/mcp`;
    server = await startServer(index, { ...settings(url), PORT: String(port) });
  });
  afterAll(() => server.stop());

  test.each(REVISIONS)('lets the client for TypeScript log in, revision %s', async (revision) => {
    const login = new Login();
    const client = await connectAfterLogin(url, revision, login);
    expect((await search(client)).answered).toBe(true);
    await client.close();
    expect(issuer.requests).toContain(REGISTRATION);
    const asked = Object.fromEntries(login.authorizationUrl!.searchParams);
    expect(asked).toMatchObject({
      resource: url,
      scope: 'search offline_access',
      code_challenge_method: 'S256',
    });
    expect(decodeJwt(login.saved!.access_token)).toMatchObject({ aud: url, iss: issuer.url, sub: 'ada' });
  });

  test('lets a client log in that has a metadata document instead of a registration', async () => {
    const login = new Login(DOCUMENTED_CLIENT);
    const client = await connectAfterLogin(url, REVISIONS[0], login);
    expect((await search(client)).answered).toBe(true);
    await client.close();
    expect(issuer.requests).not.toContain(REGISTRATION);
    expect(decodeJwt(login.saved!.access_token).client_id).toBe(DOCUMENTED_CLIENT);
  });

  test('refuses a token of the same login for another server', async () => {
    const login = new Login();
    const fetchOther: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (!String(input).includes('/.well-known/oauth-protected-resource')) return response;
      // As if the metadata came from another server, to which the token would belong.
      return Response.json({ ...((await response.json()) as object), resource: new URL(url).origin });
    };
    await expect(connectAfterLogin(url, REVISIONS[0], login, fetchOther)).rejects.toThrow();
    expect(decodeJwt(login.saved!.access_token).aud).toBe(new URL(url).origin);
    const headers = { authorization: `Bearer ${login.saved!.access_token}` };
    const refused = await fetch(url, { method: 'POST', headers });
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('another audience') });
  });

  describe.skipIf(missingTools('mcp for Python'))('lets the client for Python log in', () => {
    test.each(['auto', 'legacy'])('in the mode %s', async (mode) => {
      const args = [join(root, 'test/fixtures/mcp_login.py'), url, mode, CALLBACK, QUESTION];
      const child = spawn(tools['mcp for Python'], args, { env: { PATH: process.env.PATH } });
      const lines = createInterface({ input: child.stdout });
      const printed: string[] = [];
      lines.on('line', async (line) => {
        printed.push(line);
        if (line.startsWith(issuer.url)) child.stdin.write(`${await logIn(line)}\n`);
      });
      const errors = text(child.stderr);
      const [code] = await once(child, 'close');
      expect([code, await errors]).toEqual([0, '']);
      const got = JSON.parse(printed.at(-1)!);
      expect(got.found.map(({ answered }: { answered: boolean }) => answered)).toEqual([true, true]);
      expect(decodeJwt(got.tokens[0])).toMatchObject({ aud: url, sub: 'ada' });
      // The second search came after an expired token.
      expect(got.tokens[1]).not.toBe(got.tokens[0]);
      expect(issuer.requests.filter((request) => request === REGISTRATION)).toHaveLength(1);
      expect(issuer.requests.filter((request) => request === 'POST /token')).toHaveLength(2);
    });
  });
});

test('a client gets a new token when the old one has expired, without a login', async () => {
  const server = createAppServer((request) => app(request));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const log: LogEntry[] = [];
  const app = createApp(new SearchDouble(), {
    tokens: readTokens(settings(url)),
    log: (entry) => log.push(entry),
  });
  const login = new Login();
  const client = await connectAfterLogin(url, REVISIONS[0], login);
  await search(client);
  const before = login.saved!.access_token;
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(Date.now() + 2 * 3_600_000);
  issuer.requests.length = 0;
  log.length = 0;
  await search(client);
  vi.useRealTimers();
  expect(log.map(({ status, subject }) => [status, subject])).toEqual([
    [401, undefined],
    [200, 'ada'],
  ]);
  expect(login.saved!.access_token).not.toBe(before);
  expect(issuer.requests).toContain('POST /token');
  expect(issuer.requests).not.toContain('GET /auth');
  await client.close();
  server.closeAllConnections();
  server.close();
});

test('an issuer that never answers does not keep the endpoint waiting', async () => {
  const silent = await Issuer.start();
  silent.answers.set('/.well-known/openid-configuration', null);
  const log: LogEntry[] = [];
  const tokens = readTokens({ ...settings('a'), JWT_ISSUER: silent.url });
  const app = createApp(new SearchDouble(), { tokens, log: (entry) => log.push(entry) });
  const headers = { authorization: `Bearer ${await silent.sign()}` };
  expect((await request(app, '/search?q=x', { headers })).status).toBe(503);
  expect(log).toMatchObject([{ level: 'ERROR', error: expect.stringContaining('timeout') }]);
  await silent.close();
});

describe.skipIf(missingTools('Node 24', 'aws-lambda-ric'))(
  "the packaged function under AWS's runtime client",
  () => {
    const address = `https://${HTTP_API}/mcp`;
    let runtime: LambdaRuntime;
    let api: Awaited<ReturnType<typeof startHttpApi>>;

    beforeAll(async () => {
      const packaged = await topicsFunction(['en']);
      runtime = new LambdaRuntime({ folder: packaged, env: settings(address) });
      api = await startHttpApi(runtime);
    });
    afterAll(async () => {
      await api.stop();
      await runtime.close();
    });

    /** Sends requests for the function's own address to where it runs. API Gateway may rename the challenge. */
    const fetchFunction =
      (rename: boolean): typeof fetch =>
      async (input, init) => {
        const url = String(input);
        if (!url.startsWith(`https://${HTTP_API}`)) return fetch(input, init);
        const response = await fetch(url.replace(`https://${HTTP_API}`, api.url), init);
        const headers = new Headers(response.headers);
        const challenge = headers.get('www-authenticate');
        if (rename && challenge !== null) {
          headers.set('x-amzn-remapped-www-authenticate', challenge);
          headers.delete('www-authenticate');
        }
        const body = response.status === 204 ? null : await response.text();
        return new Response(body, { status: response.status, headers });
      };

    test.each([
      ['with the challenge', false],
      ['without it, as behind API Gateway', true],
    ])('lets the client for TypeScript log in %s', async (_, rename) => {
      const login = new Login();
      const client = await connectAfterLogin(address, REVISIONS[0], login, fetchFunction(rename));
      expect((await search(client)).answered).toBe(true);
      await client.close();
      expect(decodeJwt(login.saved!.access_token).aud).toBe(address);
      const searchUrl = new URL('/search', address);
      searchUrl.searchParams.set('q', QUESTION);
      const authorization = `Bearer ${login.saved!.access_token}`;
      const other = fetchFunction(rename);
      expect((await other(searchUrl, { headers: { authorization } })).status).toBe(200);
      expect((await other(searchUrl, { headers: { authorization: `${authorization}x` } })).status).toBe(401);
    });
  },
);
