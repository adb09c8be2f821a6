import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { useExamples } from '../fixtures/examples.ts';
import { root } from '../fixtures/index.ts';

const folder = join(root, `build/examples-${process.pid}`);
afterAll(() => rmSync(folder, { recursive: true }));
const { running } = useExamples(folder);

/** Installs an example's packages, from npm's registry. */
function install(name: string): void {
  const file = join(folder, name, 'package.json');
  const packed = /file:[^"]*polyseek-client-\d+\.\d+\.\d+\.tgz/;
  const manifest = readFileSync(file, 'utf8');
  expect(manifest).toMatch(packed);
  writeFileSync(file, manifest.replace(packed, 'file:../node_modules/polyseek-client'));
  npm(name, 'install', '--no-audit', '--no-fund');
}

const npm = (name: string, ...args: string[]) =>
  execFileSync('npm', args, { cwd: join(folder, name), stdio: ['ignore', 'ignore', 'inherit'] });

test.each([
  ['express', ['server.js']],
  ['nextjs', ['node_modules/next/dist/bin/next', 'start']],
])('%s renders the results on the server', async (name, args) => {
  install(name);
  if (name === 'nextjs') npm(name, 'exec', 'next', 'build');
  await running(name, args, async (url) => {
    const html = await (await fetch(`${url}/?q=Passports%3F`)).text();
    // React puts comments between texts.
    expect(html.replaceAll('<!-- -->', '')).toContain('Passports › Renewal: Passports are renewed online.');
    expect(await (await fetch(`${url}/?q=nothing`)).text()).toContain('Nothing here matches your question.');
  });
});
