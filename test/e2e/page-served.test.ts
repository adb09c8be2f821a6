import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageFunction } from '../../functions/package/package-function.ts';
import { createApp } from '../../functions/search/app.ts';
import { digestOf } from '../../functions/search/auth.ts';
import { createAppServer } from '../../functions/search/listener.ts';
import { openLocal } from '../../index/ingest/open-local.ts';
import type { Answer } from '../../index/search/answer.ts';
import { defaultModel, root, temporaryFolder } from '../fixtures/index.ts';
import { type ModelStandIn, startModel } from '../fixtures/model.ts';
import { ask, KORVANE, settled, useBrowser, usePageIndex } from '../fixtures/page.ts';
import { startServer } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

const folder = temporaryFolder();

/** Runs a program until it ends, with these additional environment variables. */
async function run(file: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const options = { cwd: root, env: { ...process.env, ...env } };
  return (await promisify(execFile)(file, args, options)).stdout;
}

/** Runs each kind of code that the page shows. */
const runners: [name: string, start: (code: string, env?: Record<string, string>) => Promise<string>][] = [
  ['curl', (code, env) => run('bash', ['-c', code], env)],
  [
    'TypeScript',
    (code, env) => {
      const file = join(folder, 'request.mts');
      writeFileSync(file, code);
      return run(process.execPath, ['--import', 'tsx', file], env);
    },
  ],
  ['Python', (code, env) => run('python3', ['-c', code], env)],
];

/** Opens the request as code, copies it, and returns the clipboard. */
async function copy(page: Page, name: string): Promise<string> {
  await page.getByRole('button', { name: 'Request as code' }).click();
  await page.getByRole('radio', { name }).check();
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  await page.getByText('Copied').waitFor();
  return String(await page.evaluate('navigator.clipboard.readText()'));
}

describe.skipIf(missingTools('chromium'))('the page of', () => {
  // The page with the model that users have.
  const index = usePageIndex([], defaultModel());
  const browser = useBrowser();

  describe('the local server', () => {
    let model: ModelStandIn;
    let server: Awaited<ReturnType<typeof startServer>>;
    beforeAll(async () => {
      model = await startModel();
      server = await startServer(index, {}, ['--llm', model.url]);
    });
    afterAll(() => Promise.all([server?.stop(), model?.stop()]));

    test('writes an answer on request, which links passages and marks what none supports', async () => {
      model.answers([{ text: ['Every 12 seconds [1]. ', 'Ships love it.'] }, { status: 500 }]);
      const page = await browser.open(`${server.url}/?${new URLSearchParams({ q: KORVANE, lang: 'en' })}`);
      await settled(page);
      const panel = page.locator('.written');
      await panel.getByRole('button', { name: 'Let a language model answer' }).click();
      await panel.getByText('[?] No passage supports this sentence.').waitFor();
      expect(await panel.locator('p').first().innerText()).toMatch(
        /^Every 12 seconds \[1\]\. Ships love it\. \[\?\]\n\[1\] .*Korvane lighthouse, en\//,
      );
      expect(await panel.locator('mark').allInnerTexts()).toEqual(['[?]']);
      await panel.getByRole('link').first().click();
      await page.locator('.chosen-passage', { hasText: 'every 12 seconds' }).waitFor();
      await page.goBack();
      await panel.getByRole('button').click();
      await panel.getByText('No answer was written.').waitFor();
    });

    test.each(runners)('shows the request in %s, and the copied code runs', async (name, start) => {
      const q = `Wie oft blinkt das Licht des "Leuchtturms" Korvane? $HOME '\`id\`' \\ 🗼`;
      const search = `?${new URLSearchParams({ q, lang: 'de', source: 'de/topics.jsonl' })}`;
      const page = await browser.open(`${server.url}/${search}`);
      await settled(page);
      const printed = await start(await copy(page, name));
      const answer = (await (await fetch(`${server.url}/search${search}`)).json()) as Answer;
      expect(answer).toMatchObject({ q, answered: true });
      const { verdict, results } = answer;
      if (name === 'curl') {
        expect(JSON.parse(printed)).toMatchObject({ q, results: results.map(({ id }) => ({ id })) });
      } else {
        expect(printed.trim()).toBe(`${verdict} ${results[0]!.highlight.text}`);
      }
    });
  });

  describe('an endpoint with API keys', () => {
    const apiKeys = new Map([['reader', { digest: digestOf('ps_right') }]]);
    const server = createServer();
    let url: string;
    beforeAll(async () => {
      const app = createApp(await openLocal(index), { apiKeys, log: () => {} });
      server.on('request', createAppServer(app).listeners('request')[0] as () => void).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      url = `http://127.0.0.1:${typeof address === 'object' && address?.port}`;
    });
    afterAll(() => {
      server.closeAllConnections();
      server.close();
    });

    test('asks for a key, stores it for the tab only, and omits it from copied code', async () => {
      const page = await browser.open(`${url}/?${new URLSearchParams({ q: KORVANE })}`);
      const field = page.getByLabel('API key');
      await field.fill('ps_wrong');
      await page.getByRole('button', { name: 'Use key' }).click();
      await page.getByText('The API key is not valid').waitFor();
      expect(await page.locator('article').count()).toBe(0);
      await field.fill('ps_right');
      await page.keyboard.press('Enter');
      await settled(page);
      expect(await page.locator('article').count()).toBe(10);
      expect(await field.isVisible()).toBe(false);
      expect(page.url()).not.toContain('ps_');
      expect(await page.evaluate('[document.cookie, localStorage.length].join()')).toBe(',0');

      for (const [name, start] of runners) {
        const code = await copy(page, name);
        expect(code).not.toContain('ps_right');
        expect(await start(code, { POLYSEEK_API_KEY: 'ps_right' })).toContain(
          'The Korvane lighthouse was built',
        );
        await page.getByRole('button', { name: 'Request as code' }).click();
      }
      await page.reload();
      await settled(page);
      expect(await page.locator('article').count()).toBe(10);
      // The browser itself reports each refusal.
      expect(new Set(browser.offences.splice(0))).toEqual(
        new Set(['said Failed to load resource: the server responded with a status of 401 (Unauthorized)']),
      );
    });
  });

  describe('the packaged function', () => {
    const functions: ChildProcess[] = [];
    beforeAll(async () => {
      await packageFunction(index, join(folder, 'function'));
      writeFileSync(
        join(folder, 'gateway.mjs'),
        `import { createServer } from 'node:http';
        const { handler } = await import('./function/lambda.mjs');
        const server = createServer(async (request, response) => {
          const { pathname, search, host } = new URL(request.url, 'http://' + request.headers.host);
          const result = await handler({
            rawPath: decodeURIComponent(pathname),
            rawQueryString: search.slice(1),
            headers: request.headers,
            requestContext: { domainName: host, stage: 'prod', http: { method: request.method } },
          }, { awsRequestId: 'id' });
          response.writeHead(result.statusCode, result.headers).end(result.body, result.isBase64Encoded ? 'base64' : 'utf8');
        });
        server.listen(0, '127.0.0.1', () => console.log('PORT ' + server.address().port));`,
      );
    });
    afterAll(() => {
      for (const child of functions) child.kill();
    });

    /** Starts the function behind a server that acts like an HTTP API with a stage. */
    function startFunction(env: Record<string, string>): Promise<string> {
      const child = spawn(process.execPath, [join(folder, 'gateway.mjs')], { cwd: folder, env });
      functions.push(child);
      return new Promise((resolve, reject) => {
        child.on('exit', () => reject(new Error('The function ended.')));
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          const port = text.match(/^PORT (\d+)$/m)?.[1];
          if (port) resolve(`http://127.0.0.1:${port}`);
        });
      });
    }

    test.each(['/prod', '/prod/'])('works behind the stage %s', async (stage) => {
      const page = await browser.open((await startFunction({})) + stage);
      await settled(page);
      await ask(page, KORVANE);
      expect(new URL(page.url()).pathname).toBe(stage);
      expect(await page.locator('article h3').first().textContent()).toBe('Korvane lighthouse');
      await page.getByRole('button', { name: 'Show more' }).first().click();
      await page.locator('.neighbour').first().waitFor();
      expect(await copy(page, 'curl')).toMatch(
        /^curl 'http:\/\/127\.0\.0\.1:\d+\/prod\/search\?q=How\+often/,
      );
      await page.goBack();
      await page.locator('#suggestions').waitFor();
    });

    test('is off if PAGE is 0', async () => {
      const url = await startFunction({ PAGE: '0' });
      const response = await fetch(`${url}/prod/`, { headers: { accept: 'text/html' } });
      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    });
  });
});
