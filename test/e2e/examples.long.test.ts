import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { useExamples } from '../fixtures/examples.ts';
import { root } from '../fixtures/index.ts';

const folder = join(root, `build/examples-${process.pid}`);
afterAll(() => rmSync(folder, { recursive: true }));
const { running, install } = useExamples(folder);

test.each([
  ['express', ['server.js']],
  ['nextjs', ['node_modules/next/dist/bin/next', 'start']],
])('%s renders the results on the server', async (name, args) => {
  install(name);
  await running(name, args, async (url) => {
    const html = await (await fetch(`${url}/?q=Passports%3F`)).text();
    // React puts comments between texts.
    expect(html.replaceAll('<!-- -->', '')).toContain('Passports › Renewal: Passports are renewed online.');
    expect(await (await fetch(`${url}/?q=nothing`)).text()).toContain('Nothing here matches your question.');
  });
});
