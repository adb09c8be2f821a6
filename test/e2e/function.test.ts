import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageFolders } from '../../functions/package/licence-notices.ts';
import { packageFunction } from '../../functions/package/package-function.ts';
import { INDEX_FILES } from '../../index/format/manifest.ts';
import type { Answer } from '../../index/search/answer.ts';
import { root, temporaryFolder, topicsIndex } from '../fixtures/index.ts';
import { FUNCTION_URL, HTTP_API, httpEvent } from '../fixtures/lambda-events.ts';
import { command, startServer } from '../fixtures/processes.ts';
import { namesOf, readSbom } from '../fixtures/sbom.ts';

const folder = temporaryFolder();
const [packaged, elsewhere] = [join(folder, 'function'), join(folder, 'elsewhere')];
let index: string;
let modules: string[];
let server: Awaited<ReturnType<typeof startServer>>;

beforeAll(async () => {
  index = await topicsIndex(['en', 'zh'], 'default');
  modules = (await packageFunction(index, packaged)).map((path) => relative(root, path));
  mkdirSync(elsewhere);
  server = await startServer(index);
});
afterAll(() => server.stop());

/** An answer without its times. */
function comparable({ took: _, ...answer }: Answer): Omit<Answer, 'took'> {
  return answer;
}

async function get(path: string): Promise<Answer> {
  const response = await fetch(server.url + path);
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

const QUESTIONS = [
  'How often does the light of the Korvane lighthouse flash?',
  '科尔瓦内灯塔有多高？',
  'Wer hat die Brücke gebaut?',
];
const searchPath = (q: string) =>
  `/search?${new URLSearchParams({ q, k: '5', explain: 'true', context: '1' })}`;

describe('the local server', () => {
  test.each(QUESTIONS)('returns the results of the search command: %s', async (question) => {
    const answer = await get(searchPath(question));
    expect(answer.results).toHaveLength(5);
    const args = [question, '--index', index, '-k', '5', '--explain', '--context', '1', '--json'];
    const { code, stdout } = await command('search', args);
    expect(code).toBe({ answered: 0, possible: 4, none: 3 }[answer.verdict]);
    expect(comparable(answer)).toEqual(comparable(JSON.parse(stdout)));
  });

  test('has the filters of the command', async () => {
    const q = QUESTIONS[0]!;
    const answer = await get(`/search?${new URLSearchParams({ q, lang: 'zh', source: 'zh/' })}`);
    const args = [q, '--index', index, '-k', '10', '--lang', 'zh', '--source', 'zh/', '--json'];
    expect(comparable(JSON.parse((await command('search', args)).stdout))).toEqual(comparable(answer));
    expect(answer.results.map(({ lang }) => lang)).toEqual(Array(10).fill('zh'));
  });

  test('refuses an unknown field as a bad request', async () => {
    const response = await fetch(`${server.url}/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ q: 'x', filter: { color: 'red' } }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      detail: 'No passage has the field "color". Filter on first, lang, number, source, tags, topic.',
    });
  });

  test('returns a found passage by id', async () => {
    const { results } = await get(searchPath(QUESTIONS[0]!));
    const {
      score: _,
      confidence: __,
      highlight: ___,
      explain: ____,
      evidence: _____,
      ...passage
    } = results[0]!;
    expect(await get(`/passages/${encodeURIComponent(passage.id)}?context=1`)).toEqual(passage);
  });
});

test.each([
  ['none', `There is no index in ${join(folder, 'none')}. Build one with npx polyseek index PATH`],
  ['function', 'function is not an index: it has no manifest.json'],
])('the server exits with one sentence if %s is not an index', async (name, sentence) => {
  await expect(startServer(join(folder, name))).rejects.toThrow(sentence);
});

describe('the packaged function', () => {
  /** Imports the function in a process without the project's files, and calls it with these events. */
  async function invoke(events: unknown[]): Promise<{ statusCode: number; body: string }[]> {
    const script = join(elsewhere, 'invoke.mjs');
    writeFileSync(
      script,
      `import { writeFileSync } from 'node:fs';
      const { handler } = await import(process.argv[2]);
      const results = [];
      for (const event of JSON.parse(process.argv[3])) results.push(await handler(event, { awsRequestId: 'id' }));
      writeFileSync(process.argv[4], JSON.stringify(results));`,
    );
    const out = join(elsewhere, 'results.json');
    const args = [script, join(packaged, 'lambda.mjs'), JSON.stringify(events), out];
    await promisify(execFile)(process.execPath, args, { cwd: elsewhere, env: { HOME: '' } });
    return JSON.parse(readFileSync(out, 'utf8'));
  }

  test('answers events of an HTTP API and a Function URL like the local server', async () => {
    const searches = [HTTP_API, FUNCTION_URL].flatMap((domain) =>
      QUESTIONS.map((question) => httpEvent(domain, { path: searchPath(question) })),
    );
    const body = { q: QUESTIONS[0], k: 3, mode: 'lexical' };
    const post = httpEvent(HTTP_API, { method: 'POST', path: '/search', body });
    const results = await invoke([...searches, post, httpEvent(FUNCTION_URL, { path: '/openapi.json' })]);
    expect(results.map(({ statusCode }) => statusCode)).toEqual(results.map(() => 200));
    const answers = await Promise.all(QUESTIONS.map((question) => get(searchPath(question))));
    const got = results.slice(0, searches.length).map(({ body }) => comparable(JSON.parse(body)));
    expect(got).toEqual([...answers, ...answers].map(comparable));
    expect(JSON.parse(results.at(-2)!.body).results[0].title).toContain('Korvane');
    expect(JSON.parse(results.at(-1)!.body).openapi).toMatch(/^3\./);
  });

  test('serves the widget of the local server', async () => {
    const path = '/widget.js';
    const [plain, compressed] = await invoke([
      httpEvent(HTTP_API, { path }),
      httpEvent(HTTP_API, { path, headers: { 'accept-encoding': 'gzip' } }),
    ]);
    const local = await (await fetch(`${server.url}/widget.js`)).text();
    expect(plain!.body).toBe(local);
    expect(gunzipSync(Buffer.from(compressed!.body, 'base64')).toString()).toBe(local);
  });

  test('contains exactly the necessary files', () => {
    const names = readdirSync(packaged, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(packaged, join(entry.parentPath, entry.name)));
    const chunks = names.filter((name) =>
      /^(bedrock-agent|chats|chunk|contracts|home|jwt|mcp|merged-search|onnx-encoder|openapi|serve-assets)-[0-9A-Z]{8}\.mjs$/.test(
        name,
      ),
    );
    const model = ['checks.bin', 'encoder.bin', 'model.json', 'rows.bin', 'token-codes.bin', 'tokenizer.bin'];
    const native = names.filter((name) => name.startsWith('native/'));
    expect(names.sort()).toEqual(
      [
        'THIRD_PARTY_NOTICES.txt',
        'checks.bin',
        'lambda.mjs',
        'page.json',
        'sbom.cdx.json',
        'widget.js',
        ...chunks,
        ...native,
        ...model.map((name) => `model/${name}`),
        ...['checks.bin', ...INDEX_FILES].map((name) => `index/${name}`),
      ].sort(),
    );
    expect(chunks.length).toBeGreaterThan(0);
    expect(native).toEqual(['native/engine.node']);
  });

  test('contains no build-time modules, and only the packages for answering', () => {
    const own = modules.filter((path) => !path.startsWith('node_modules/'));
    const folders = [...new Set(own.map((path) => path.split('/').slice(0, -1).join('/')))].sort();
    expect(folders).toEqual([
      'functions/search',
      'functions/search/contracts',
      'functions/web',
      'index/aws',
      'index/embedding',
      'index/engine',
      'index/format',
      'index/kit',
      'index/search',
      'index/store',
      'index/text',
    ]);
    for (const name of ['parallel', 'worker']) expect(own).not.toContain(`index/embedding/${name}.ts`);
    for (const name of ['write-index', 'graph-builder', 'drafts'])
      expect(own).not.toContain(`index/format/${name}.ts`);
    expect(own).not.toContain('index/engine/compile-engine.ts');
    const packages = modules.flatMap((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []);
    expect([...new Set(packages)].sort()).toEqual([
      '@modelcontextprotocol/core',
      '@modelcontextprotocol/server',
      '@valibot/to-json-schema',
      'jose',
      'onnxruntime-common',
      'onnxruntime-node',
      'valibot',
      'zod',
    ]);
    // MCP's SDK is in a separate file, without a JSON Schema validator.
    const holding = readdirSync(packaged).filter(
      (name) => name.endsWith('.mjs') && readFileSync(join(packaged, name), 'utf8').includes('tools/call'),
    );
    expect(holding).toEqual([expect.stringMatching(/^mcp-/)]);
    expect(modules.filter((path) => /ajv/i.test(path))).toEqual([]);
  });

  test('includes the licences of its packages, the model and copied code', () => {
    const notices = readFileSync(join(packaged, 'THIRD_PARTY_NOTICES.txt'), 'utf8');
    const folders = packageFolders([...modules, 'node_modules/node-api-headers/index.js']);
    expect(folders.length).toBeGreaterThan(5);
    for (const folder of folders) {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      expect(notices).toContain(`\n${name} ${version}, licence: ${license}\n`);
    }
    expect(notices).toContain('\nmultilingual-e5-small (sentence model), licence: MIT\n');
    expect(notices).toMatch(/^ +\/\*!\n +\* content-type\n +\* Copyright\(c\) 2015 Douglas/m);
    expect(notices).toContain('Copyright (c) the authors of onnxruntime-node');
  });

  test('has a bill of materials with the components of the notices, and the hashes of its library and model', async () => {
    const bom = await readSbom(packaged);
    const notices = readFileSync(join(packaged, 'THIRD_PARTY_NOTICES.txt'), 'utf8');
    const listed = bom.components.filter(({ type }) => type !== 'file');
    const headings = listed.map(({ name, version = '(sentence model)' }) => `${name} ${version}`).sort();
    expect([...notices.matchAll(/^(.+), licence: /gm)].map(([, name]) => name).sort()).toEqual(headings);
    expect(namesOf(bom, 'machine-learning-model')).toEqual(['multilingual-e5-small']);
    expect(namesOf(bom, 'file')).toEqual([
      ...['checks.bin', 'encoder.bin', 'model.json', 'rows.bin', 'token-codes.bin', 'tokenizer.bin'].map(
        (name) => `model/${name}`,
      ),
      'native/engine.node',
    ]);
  });

  test('is replaced as a whole, but other folders are not replaced', async () => {
    writeFileSync(join(packaged, 'lambda.mjs'), '');
    await packageFunction(index, packaged);
    expect(readFileSync(join(packaged, 'lambda.mjs'), 'utf8')).toContain('handler');
    writeFileSync(join(elsewhere, 'lambda.mjs'), 'mine');
    await expect(packageFunction(index, elsewhere)).rejects.toThrow(
      'which is not part of a packaged function',
    );
    expect(readFileSync(join(elsewhere, 'lambda.mjs'), 'utf8')).toBe('mine');
    expect(readdirSync(folder).sort()).toEqual(['elsewhere', 'function']);
    expect(existsSync(join(elsewhere, 'model'))).toBe(false);
  });
});
