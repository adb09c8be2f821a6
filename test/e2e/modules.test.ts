import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { packageFunction } from '../../functions/package/package-function.ts';
import { root, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { Issuer } from '../fixtures/issuer.ts';
import { HTTP_API, httpEvent } from '../fixtures/lambda-events.ts';

const folder = temporaryFolder();
const [index, packaged] = [join(folder, 'index'), join(folder, 'function')];

beforeAll(async () => {
  writeRandomIndex(index, 5);
  await packageFunction(index, packaged);
});

/** Runs a script. Returns its variable `result`, and the Node modules it loads in addition to those of every program. */
async function run(script: string, env: Record<string, string> = {}) {
  const file = join(folder, 'script.mjs');
  writeFileSync(
    file,
    `const first = new Set(process.moduleLoadList);
    ${script}
    const modules = process.moduleLoadList.filter((name) => !first.has(name));
    process.stdout.write(JSON.stringify({ result, modules }));`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder, env });
  const { result, modules }: { result: unknown; modules: string[] } = JSON.parse(stdout.split('\n').at(-1)!);
  // Fetch and its dependencies take longer to load than a question takes to answer.
  return { result, modules, slow: modules.filter((name) => /undici|webstreams|webcrypto/.test(name)) };
}

test('the packaged function answers without loading Fetch', async () => {
  const get = (path: string) => httpEvent(HTTP_API, { path });
  const post = (body: object) => httpEvent(HTTP_API, { method: 'POST', path: '/search', body });
  const key = { 'x-api-key': 'ps_key' };
  const events = [
    [get('/search?q=word1'), key],
    [post({ q: 'word2' }), key],
    [get('/openapi.json'), key],
    [get('/search?q=word1'), {}],
    [post({ k: 0 }), key],
  ];
  const script = `const { handler } = await import(${JSON.stringify(join(packaged, 'lambda.mjs'))});
    const context = { awsRequestId: 'id' };
    const result = [];
    for (const [event, headers] of ${JSON.stringify(events)}) {
      Object.assign(event.headers, headers);
      result.push((await handler(event, context)).statusCode);
    }
    result.push((await handler({ q: 'word1' }, context)).q);`;
  const apiKeys = { chatbot: createHash('sha256').update('ps_key').digest('hex') };
  const { result, modules, slow } = await run(script, { API_KEYS: JSON.stringify(apiKeys) });
  expect(result).toEqual([200, 200, 200, 401, 400, 'word1']);
  expect(modules).toContain('NativeModule crypto');
  expect(slow).toEqual([]);
});

test('the packaged function answers without crypto, streams and perf_hooks', async () => {
  const search = httpEvent(HTTP_API, { path: '/search?q=word1' });
  const { result, modules } =
    await run(`const { handler } = await import(${JSON.stringify(join(packaged, 'lambda.mjs'))});
    const result = (await handler(${JSON.stringify(search)})).statusCode;`);
  expect(result).toBe(200);
  expect(modules.length).toBeGreaterThan(0);
  expect(modules.filter((name) => /crypto|stream|perf|net/.test(name))).toEqual([]);
});

test('the packaged function has the version of package.json, without that file', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
  const initialize = httpEvent(HTTP_API, {
    method: 'POST',
    path: '/mcp',
    body: { jsonrpc: '2.0', id: 1, method: 'initialize', params },
    headers: { accept: 'application/json, text/event-stream' },
  });
  const { result } =
    await run(`const { handler } = await import(${JSON.stringify(join(packaged, 'lambda.mjs'))});
    const ask = async (event) => JSON.parse((await handler(event)).body);
    const { info } = await ask(${JSON.stringify(httpEvent(HTTP_API, { path: '/openapi.json' }))});
    const { result: { serverInfo } } = await ask(${JSON.stringify(initialize)});
    const result = [info.version, serverInfo.version];`);
  expect(result).toEqual([version, version]);
});

test('the packaged function loads MCP on request only', async () => {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  const mcp = httpEvent(HTTP_API, {
    method: 'POST',
    path: '/mcp',
    body: message,
    headers: { accept: 'application/json, text/event-stream' },
  });
  const asked = (events: unknown[]) =>
    run(`const { handler } = await import(${JSON.stringify(join(packaged, 'lambda.mjs'))});
      const result = [];
      for (const event of ${JSON.stringify(events)}) result.push((await handler(event)).statusCode);`);
  const search = httpEvent(HTTP_API, { path: '/search?q=word1' });
  const whole = await asked([search, mcp]);
  expect(whole.result).toEqual([200, 200]);
  expect(whole.slow.length).toBeGreaterThan(0);
  const files = readdirSync(packaged).filter((name) => name.startsWith('mcp-'));
  expect(files).toHaveLength(1);
  rmSync(join(packaged, files[0]!));
  expect((await asked([search, mcp, search])).result).toEqual([200, 500, 200]);
});

test('the packaged function loads the verification of tokens with the first token only', async () => {
  const issuer = await Issuer.start();
  const env = { JWT_ISSUER: issuer.url, JWT_AUDIENCE: 'https://search.example.org/mcp' };
  const apiKeys = { chatbot: createHash('sha256').update('ps_key').digest('hex') };
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const event = (headers: Record<string, string>, path = '/search?q=word1') =>
    httpEvent(HTTP_API, { path, headers });
  const asked = (events: unknown[], more: Record<string, string> = {}) =>
    run(
      `const { handler } = await import(${JSON.stringify(join(packaged, 'lambda.mjs'))});
      const result = [];
      for (const event of ${JSON.stringify(events)}) result.push((await handler(event)).statusCode);`,
      { ...env, ...more },
    );
  const light = await asked([
    event({}),
    event({}, '/.well-known/oauth-protected-resource/mcp'),
    event({}, '/.well-known/oauth-protected-resource/other'),
  ]);
  expect([light.result, light.slow]).toEqual([[401, 200, 404], []]);
  const withKey = await asked([event(bearer('ps_key'))], { API_KEYS: JSON.stringify(apiKeys) });
  expect([withKey.result, withKey.slow]).toEqual([[200], []]);
  const heavy = await asked([event(bearer(await issuer.sign())), event(bearer('x.y.z'))]);
  expect(heavy.result).toEqual([200, 401]);
  expect(heavy.slow.length).toBeGreaterThan(0);
  expect(readdirSync(packaged).filter((name) => name.startsWith('jwt-'))).toHaveLength(1);
  await issuer.close();
});

test('the packaged function reports its cold start once, and for each search its verdict', async () => {
  const events = [{ q: '' }, { q: 'word1' }, { q: 'word2' }, { q: '' }];
  const file = join(folder, 'log.mjs');
  writeFileSync(
    file,
    `const { handler } = await import(${JSON.stringify(join(packaged, 'lambda.mjs'))});
    for (const event of ${JSON.stringify(events)}) await handler(event).catch(() => {});`,
  );
  const env = { AWS_LAMBDA_FUNCTION_NAME: 'search-fn' };
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ status }) => status)).toEqual([400, 200, 200, 400]);
  const namesOf = (line: { _aws?: { CloudWatchMetrics: { Metrics: { Name: string }[] }[] } }) =>
    line._aws?.CloudWatchMetrics[0]?.Metrics.map(({ Name }) => Name);
  const verdicts = ['Possible', 'Unanswered'];
  expect(lines.map(namesOf)).toEqual([['ColdStart'], verdicts, verdicts, undefined]);
  expect(lines.map((line) => line.function)).toEqual(['search-fn', 'search-fn', 'search-fn', undefined]);
  expect(lines[0].ColdStart).toBeGreaterThan(0);
  for (const { verdict, Possible, Unanswered } of lines.slice(1, 3))
    expect([Possible, Unanswered]).toEqual([verdict === 'possible' ? 1 : 0, verdict === 'none' ? 1 : 0]);
});

test('the packaged function does not start with API_KEYS without keys', async () => {
  const script = `const result = await import(${JSON.stringify(join(packaged, 'lambda.mjs'))});`;
  await expect(run(script, { API_KEYS: '' })).rejects.toThrow('API_KEYS is not an object, but must be');
});

test('these checks detect a program that uses Fetch', async () => {
  const { slow } = await run(`const result = new Request('https://localhost').method;`);
  expect(slow.length).toBeGreaterThan(0);
  expect((await run('const result = 1;')).slow).toEqual([]);
});
