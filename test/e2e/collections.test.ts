import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkAsset } from '../../functions/deployed/asset.ts';
import { packageFunction } from '../../functions/package/package-function.ts';
import { readCompiledModel } from '../../index/format/compiled-model.ts';
import { readManifest, restrictedIn } from '../../index/format/manifest.ts';
import { bundleSpace, bytesBesideIndexes } from '../../index/ingest/bundle-space.ts';
import { countWork } from '../fixtures/counted-work.ts';
import {
  randomContents,
  smallModel,
  temporaryFolder,
  writeIndex,
  writeRandomIndex,
} from '../fixtures/index.ts';
import { HTTP_API, type HttpRequest, httpEvent } from '../fixtures/lambda-events.ts';
import { command, startServer } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const [index, hr, law, packaged] = [at('index'), at('hr-index'), at('law-index'), at('function')];
const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
const SHOP = 'https://shop.example';
const KEYS = {
  all: sha256('ps_all'),
  hr: { sha256: sha256('ps_hr'), collections: ['hr'] },
  board: { sha256: sha256('ps_board'), groups: ['board', 'it'] },
  web: { sha256: sha256('psb_web'), origins: [SHOP], collections: ['law'] },
};
const API_KEYS = JSON.stringify(KEYS);

beforeAll(async () => {
  writeRandomIndex(index, 5);
  writeRandomIndex(hr, 7);
  writeRandomIndex(law, 9);
  const { model } = smallModel();
  // Documents of two collections are restricted.
  const restrict = (name: string, count: number, groups: string[]) =>
    writeIndex(join(name, 'restricted/00'), model, randomContents(count, model.dimensions), groups);
  restrict(index, 100, ['board', 'hr']);
  restrict(law, 200, ['hr']);
  await packageFunction(index, packaged, { collections: { hr, law } });
});

/** A request with a key, and what it gets: the number of passages of the index that answers, or an error's status. */
const REQUESTS: [key: string, path: string, origin: string | undefined, expected: number][] = [
  ['ps_all', '/health', undefined, 5],
  ['ps_all', '/c/hr/health', undefined, 7],
  ['ps_all', '/c/law/overview', undefined, 9],
  ['ps_all', '/c/law/search?q=word1', undefined, 9],
  ['ps_all', '/c/none/search?q=word1', undefined, 404],
  ['ps_board', '/health', undefined, 105],
  ['ps_board', '/search?q=word1', undefined, 105],
  ['ps_board', '/c/law/overview', undefined, 9],
  ['ps_hr', '/c/hr/search?q=word1', undefined, 7],
  ['ps_hr', '/c/law/search?q=word1', undefined, 403],
  ['ps_hr', '/search?q=word1', undefined, 403],
  ['psb_web', '/browser/c/law/search?q=word1', SHOP, 9],
  ['psb_web', '/browser/c/law/search?q=word1', undefined, 403],
  ['psb_web', '/browser/c/hr/search?q=word1', SHOP, 403],
  ['psb_web', '/browser/search?q=word1', SHOP, 403],
  ['psb_web', '/c/law/search?q=word1', undefined, 403],
  ['ps_all', '/browser/search?q=word1', undefined, 403],
];
const headersOf = (key: string, origin?: string) => ({ 'x-api-key': key, ...(origin && { origin }) });

describe('the packaged function', () => {
  /** Calls the function in a process of its own. Returns its results and its log. */
  async function invoke(events: unknown[], env: Record<string, string> = {}) {
    const script = at('invoke.mjs');
    writeFileSync(
      script,
      `const { handler } = await import(${JSON.stringify(join(packaged, 'lambda.mjs'))});
      const results = await Promise.all(${JSON.stringify(events)}.map((event) => handler(event, { awsRequestId: 'id' })));
      process.stderr.write(JSON.stringify(results));`,
    );
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], { env });
    const log = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    return { results: JSON.parse(stderr) as { statusCode: number; body: string }[], log };
  }
  const event = (request: HttpRequest) => httpEvent(HTTP_API, request);

  test('answers from each collection, and only to keys that may use it', async () => {
    const events = REQUESTS.map(([key, path, origin]) => event({ path, headers: headersOf(key, origin) }));
    const { results, log } = await invoke(events, { API_KEYS });
    const got = results.map(({ statusCode, body }) =>
      statusCode === 200 ? JSON.parse(body).index.passages : statusCode,
    );
    expect(got).toEqual(REQUESTS.map(([, , , expected]) => expected));
    const logged = (key: string, collection?: string) =>
      log.filter((entry) => entry.key === key && entry.collection === collection).length;
    expect([logged('all'), logged('all', 'hr'), logged('all', 'law'), logged('hr', 'hr')]).toEqual([
      3, 1, 2, 1,
    ]);
    expect(logged('web', 'law')).toBe(3);
  });

  test('answers direct events and MCP from a collection', async () => {
    const call = { name: 'search', arguments: { query: 'word1' } };
    const mcp = event({
      method: 'POST',
      path: '/c/hr/mcp',
      headers: { accept: 'application/json, text/event-stream' },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: call },
    });
    const { results } = await invoke([{ q: 'word1', collection: 'hr' }, mcp]);
    expect(results[0]).toMatchObject({ index: { passages: 7 } });
    const [first] = JSON.parse(results[1]!.body).result.structuredContent.results;
    expect(first.url).toMatch(`https://${HTTP_API}/c/hr/passages/p`);
  });

  test.skipIf(missingTools('strace'))(
    'opens a collection at its first request, with the same model',
    async () => {
      const opened = async (path: string) => (await countWork(packaged, event({ path }))).opened;
      const foldersOf = (files: Record<string, number>) =>
        [...new Set(Object.keys(files).map((name) => name.match(/^(.*)\/[^/]*$/)?.[1] ?? ''))].sort();
      const plain = await opened('/search?q=word1');
      const further = await opened('/c/hr/search?q=word1');
      expect(foldersOf(plain)).toEqual(['', 'index', 'model', 'native']);
      expect(foldersOf(further)).toEqual(['', 'collections/hr', 'index', 'model', 'native']);
      for (const [name, times] of Object.entries(plain))
        if (/^(model|native)\//.test(name)) expect([name, further[name]]).toEqual([name, times]);
    },
  );

  test('contains the collections, and its size includes them', () => {
    expect(readdirSync(join(packaged, 'collections')).sort()).toEqual(['hr', 'law']);
    const files = readdirSync(packaged, { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    const bytes = files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
    expect(checkAsset(packaged, 'x86_64')).toMatchObject({ space: { bytes }, index: { passages: 5 } });
  });

  test('has at most the size that a build states, and at most 0.3 MB less', () => {
    const { bytes, space } = checkAsset(packaged, 'x86_64');
    const own = ['index', 'collections/hr', 'collections/law'].map((name) => join(packaged, name));
    const folders = [...own, ...own.flatMap(restrictedIn)];
    const manifests = folders.map((name) => readManifest(name, undefined, false));
    const files = manifests.flatMap((manifest) => Object.values(manifest.files));
    const indexes = { bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), passages: space!.passages };
    const stated = bundleSpace(
      bytesBesideIndexes(readCompiledModel(join(packaged, 'model'), false)),
      indexes,
    );
    expect(stated.bytes).toBeGreaterThanOrEqual(bytes);
    expect(bytes).toBeGreaterThan(stated.bytes - 300_000);
  });

  test('is made by the command, and can be replaced', async () => {
    const out = at('by-command');
    const args = ['--index', index, '--collection', `hr=${hr}`, '--collection', `law=${law}`, '--out', out];
    for (let i = 0; i < 2; i++) expect(await command('package', args)).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(join(out, 'collections')).sort()).toEqual(['hr', 'law']);
  });
});

describe('packaging', () => {
  const out = at('refused');

  test('refuses a collection of another model, and names both', async () => {
    const { model } = smallModel();
    const other = at('other');
    writeIndex(
      other,
      { ...model, name: 'other-model', hash: 'f'.repeat(64) },
      randomContents(2, model.dimensions),
    );
    await expect(packageFunction(index, out, { collections: { hr, other } })).rejects.toThrow(
      new Error(
        `The collection other (${other}) was built with the model other-model (ffffffffffff), but the function has ${model.name} (${model.hash.slice(0, 12)}). All indexes of a function share one model. Build both with the same --model.`,
      ),
    );
  });

  test('refuses a missing collection and a wrong name', async () => {
    await expect(packageFunction(index, out, { collections: { hr: at('none') } })).rejects.toThrow(
      `There is no index in ${at('none')}. Build one`,
    );
    for (const name of ['HR', '../hr', 'a/b', ''])
      await expect(packageFunction(index, out, { collections: { [name]: hr } })).rejects.toThrow(
        `The collection ${JSON.stringify(name)} needs another name: 1 to 32 of the characters a-z, 0-9 and -.`,
      );
    expect(existsSync(out)).toBe(false);
  });
});

describe('the local server', () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    server = await startServer(index, { API_KEYS }, [
      '--collection',
      `hr=${hr}`,
      '--collection',
      `law=${law}`,
    ]);
  });
  afterAll(() => server?.stop());

  test.each(REQUESTS)('answers %s at %s from %o: %i', async (key, path, origin, expected) => {
    const response = await fetch(server.url + path, { headers: headersOf(key, origin) });
    const { index, status } = (await response.json()) as { index?: { passages: number }; status?: number };
    expect(index ? index.passages : status).toBe(expected);
    expect(response.headers.get('vary')).toBe('origin');
    // The page of a browser key can read every answer.
    expect(response.headers.get('access-control-allow-origin')).toBe(origin ?? null);
  });

  test('answers the preflight of a page with a browser key', async () => {
    const preflight = (origin: string) =>
      fetch(`${server.url}/browser/c/law/search`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-api-key',
        },
      });
    const allowed = await preflight(SHOP);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-headers')).toContain('x-api-key');
    const refused = await preflight('https://evil.example');
    expect(refused.status).toBe(403);
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  });
});

test.each([
  [['--collection', 'HR=x'], '--collection is "HR=x", but must be NAME=DIR, with a name of 1 to 32 of', 2],
  [['--collection', 'hr'], '--collection is "hr", but must be NAME=DIR', 2],
  [['--collection', 'hr='], '--collection is "hr=", but must be NAME=DIR', 2],
  [['--collection', 'hr=a', '--collection', 'hr=b'], '--collection names hr twice.', 2],
  [['--collection', `hr=${at('none')}`], `There is no index in ${at('none')}. Build one`, 1],
])('the server does not start with %o', async (args, sentence, code) => {
  const outcome = await command('start', args, undefined, { PORT: '0', INDEX_DIR: index });
  expect(outcome.code).toBe(code);
  expect(outcome.stderr).toContain(sentence);
});
