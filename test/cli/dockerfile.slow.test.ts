import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { root, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { finished } from '../fixtures/processes.ts';

const text = readFileSync(join(root, 'docs/examples/docker/Dockerfile'), 'utf8');
/** The last value of an instruction. */
const last = (name: string) => text.match(new RegExp(`(?<=^${name} ).*$`, 'gm'))!.at(-1)!;
const commandOf = (name: string): string[] => JSON.parse(/\[.*\]$/.exec(last(name))![0]);

test('the command of the Dockerfile serves an index, and its health check reports whether it does', async () => {
  const folder = temporaryFolder();
  writeRandomIndex(join(folder, 'index'), 10);
  const written = readdirSync(folder, { recursive: true });
  const declared = Object.fromEntries(
    last('ENV')
      .split(' ')
      .map((pair) => pair.split('=')),
  );
  expect(declared).toEqual({ HOST: '0.0.0.0', PORT: '8787', INDEX_DIR: '/data/index' });
  const [program, script, ...args] = commandOf('CMD');
  expect([program, script]).toEqual(['node', 'node_modules/polyseek/dist/cli/polyseek.js']);
  const changed = { HOST: '127.0.0.1', PORT: '0', INDEX_DIR: join(folder, 'index') };
  const env = { ...process.env, ...declared, ...changed, API_KEYS: JSON.stringify({ app: '0'.repeat(64) }) };
  const server = spawn(process.execPath, [POLYSEEK, ...args], { cwd: folder, env });
  const ended = once(server, 'exit');
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
  const { url } = JSON.parse((await lines.next()).value);
  const check = commandOf('HEALTHCHECK').map((part) => part.replace('http://127.0.0.1:8787', url));
  const isHealthy = async () => (await finished(spawn(process.execPath, check.slice(1)))).code === 0;
  expect(await isHealthy()).toBe(true);
  server.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
  expect(await isHealthy()).toBe(false);
  expect(readdirSync(folder, { recursive: true })).toEqual(written);
  expect(last('USER')).toBe('node');
});
