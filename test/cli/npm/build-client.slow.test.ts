import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageClient } from '../../../cli/npm/build-client.ts';
import { createApp } from '../../../functions/search/app.ts';
import { createAppServer } from '../../../functions/search/listener.ts';
import { root } from '../../fixtures/index.ts';
import { missingTools, tools } from '../../fixtures/tools.ts';
import { SearchDouble } from '../../functions/search/search-double.ts';

mkdirSync(join(root, 'build'), { recursive: true });
// Inside the repository, so that the compiler finds @langchain/core and ai.
const out = mkdtempSync(join(root, 'build/client-'));
afterAll(() => rmSync(out, { recursive: true }));
beforeAll(() => packageClient(out));

/** Compiles a program that uses the package. Returns the compiler's output. */
function compile(program: string): string {
  const file = join(out, 'program.ts');
  writeFileSync(file, program);
  const options =
    '--ignoreConfig --noEmit --strict --target es2024 --module nodenext --types node --allowImportingTsExtensions';
  try {
    const args = [join(root, 'node_modules/typescript/bin/tsc'), ...options.split(' '), file];
    return execFileSync(process.execPath, args, { cwd: out, encoding: 'utf8' });
  } catch (error) {
    return String((error as { stdout: unknown }).stdout);
  }
}

describe('the package', () => {
  test('contains JavaScript, types, and a manifest without dependencies', () => {
    const files = ['ai-sdk', 'call', 'chat', 'cite', 'client', 'docsearch', 'langchain', 'limits'].flatMap(
      (name) => [`${name}.d.ts`, `${name}.js`, `${name}.js.map`],
    );
    const others = ['LICENSE', 'README.md', 'package.json', 'types.d.ts', 'widget.d.ts', 'widget.js'];
    expect(readdirSync(out).sort()).toEqual([...files, ...others].sort());
    const { exports, dependencies, peerDependenciesMeta } = JSON.parse(
      readFileSync(join(out, 'package.json'), 'utf8'),
    );
    expect(dependencies).toBeUndefined();
    expect(Object.values(peerDependenciesMeta)).toEqual([{ optional: true }, { optional: true }]);
    expect(Object.keys(exports)).toEqual([
      ...['.', './langchain', './ai-sdk', './chat', './docsearch', './widget.js'],
    ]);
  });

  test('has the types of the sources', () => {
    const same = `
      import type * as made from './client.js';
      import type * as source from '../../functions/web/client/types.ts';
      type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
      true satisfies Same<made.Question, source.Question>;
      true satisfies Same<made.Answer, source.Answer>;
      true satisfies Same<made.Result, source.Result>;
      true satisfies Same<made.Passage, source.Passage>;
      true satisfies Same<made.Health, source.Health>;`;
    expect(compile(same)).toBe('');
    expect(compile(`${same} true satisfies Same<made.Passage, source.Health>;`)).toMatch(/error TS1360/);
  });

  test('rejects programs with requests that the endpoint would refuse', () => {
    const program = (question: string) => `
      import { Polyseek } from 'polyseek-client';
      const { results } = await new Polyseek({ url: 'http://localhost' }).search(${question});
      export const title: string | undefined = results[0]?.title;`;
    expect(compile(program('{ q: "x", mode: "lexical", filter: { year: [2024] } }'))).toBe('');
    expect(compile(program('{ q: "x", mode: "fuzzy" }'))).toMatch(/error TS2820|error TS2322/);
    expect(compile(program('{ query: "x" }'))).toMatch(/error TS2353/);
  });
});

describe('the client', () => {
  /** Bundles the client into one file, for hosts without Node. */
  async function bundle(entry: string) {
    const result = await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      platform: 'neutral',
      format: 'iife',
      globalName: 'polyseek',
      write: false,
      metafile: true,
    });
    return { text: result.outputFiles[0]!.text, inputs: Object.keys(result.metafile.inputs) };
  }
  const source = join(root, 'functions/web/client/client.ts');
  const app = createApp(new SearchDouble(), { log: () => {} });

  test('includes no other module than its calls, and has less than 4 KB', async () => {
    for (const entry of [source, join(out, 'client.js')]) {
      const { text, inputs } = await bundle(entry);
      expect(inputs).toHaveLength(2);
      expect(text.length).toBeLessThan(4_000);
    }
  });

  test('works with the globals of edge functions', async () => {
    const { text } = await bundle(source);
    const asked: string[] = [];
    const fetch = async (url: string) => {
      asked.push(url);
      return new Response('{"answered":true}');
    };
    const context = createContext({ fetch, AbortSignal, setTimeout, clearTimeout });
    const program = `${text}; new polyseek.Polyseek({ url: 'https://search.example.org' }).search('x')`;
    expect(await runInContext(program, context)).toEqual({ answered: true });
    expect(asked).toEqual(['https://search.example.org/search']);
  });

  test.skipIf(missingTools('chromium'))('works in a page in Chromium', async () => {
    const server = createAppServer(app).listen(0, '127.0.0.1');
    const executablePath = execFileSync('which', [tools.chromium], { encoding: 'utf8' }).trim();
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      const address = server.address();
      const url = `http://127.0.0.1:${typeof address === 'object' && address?.port}`;
      const page = await browser.newPage();
      await page.goto(`${url}/health`);
      await page.addScriptTag({ content: (await bundle(source)).text });
      const found = await page.evaluate(
        `new polyseek.Polyseek({ url: ${JSON.stringify(url)} }).search('Passports?')`,
      );
      expect(found).toMatchObject({ q: 'Passports?', answered: true });
      const refused = await page.evaluate(
        `new polyseek.Polyseek({ url: ${JSON.stringify(url)} }).search('').catch(({ status, requestId }) => ({ status, requestId }))`,
      );
      expect(refused).toMatchObject({ status: 400, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    } finally {
      await browser.close();
      server.close();
    }
  });
});
