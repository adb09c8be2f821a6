import { createHmac } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readPage } from '../docs/pages.ts';
import { useExamples } from '../fixtures/examples.ts';
import { root } from '../fixtures/index.ts';

// Inside the repository, so that the compiler finds the packages that the client needs.
const folder = join(root, `build/examples-${process.pid}`);
afterAll(() => rmSync(folder, { recursive: true }));
const { running } = useExamples(folder);

test('the static site serves a page for the endpoint, and all modules that it loads', () =>
  running('static', ['serve.js'], async (url) => {
    const page = await (await fetch(url)).text();
    expect(page).toMatch(/new Polyseek\(\{ url: 'http:\/\/127\.0\.0\.1:\d+' \}\)/);
    const load = async (name: string): Promise<string> => {
      const response = await fetch(`${url}/${name}`);
      expect([name, response.headers.get('content-type')]).toEqual([name, 'text/javascript; charset=utf-8']);
      return response.text();
    };
    const [, name = ''] = /from '\.\/(\w+\.js)'/.exec(page)!;
    const modules = [...(await load(name)).matchAll(/from '\.\/(\w+\.js)'/g)].map(([, other = '']) => other);
    expect([...new Set(modules)]).toEqual(['call.js']);
    expect(await load('call.js')).not.toContain("from '");
  }));

test('the bot quotes passages, and answers only signed requests', () =>
  running(
    'bot',
    ['bot.js'],
    async (url) => {
      const post = (text: string, secret: string, age = 0) => {
        const body = String(new URLSearchParams({ user_id: 'U1', text }));
        const time = String(Math.floor(Date.now() / 1000) - age);
        const signature = createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex');
        const headers = { 'x-slack-request-timestamp': time, 'x-slack-signature': `v0=${signature}` };
        return fetch(url, { method: 'POST', body, headers });
      };
      expect(await (await post('Passports?', 'secret')).json()).toEqual({
        response_type: 'ephemeral',
        text: expect.stringMatching(
          /^“Passports are renewed online\..*” \[1\]\n\[1\] Passports › Renewal, https:/,
        ),
      });
      expect(await (await post('', 'secret')).json()).toMatchObject({ text: 'The search does not respond.' });
      expect((await post('Passports?', 'other')).status).toBe(401);
      expect((await post('Passports?', 'secret', 400)).status).toBe(401);
    },
    { SLACK_SIGNING_SECRET: 'secret' },
  ));

test('docs/examples/README.md lists the folders', () => {
  expect(readPage('docs/examples/README.md').text.match(/(?<=^\| `)\w+/gm)).toEqual([
    'static',
    'express',
    'nextjs',
    'bot',
  ]);
});
