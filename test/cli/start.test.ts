import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { command } from '../fixtures/processes.ts';

const index = join(temporaryFolder(), 'index');

/** Runs the server with these settings until it exits. */
function run(env: Record<string, string>): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: { ...process.env, ...env } };
    execFile(
      process.execPath,
      ['--import', 'tsx', 'cli/polyseek.ts', 'start'],
      options,
      (error, stdout, stderr) => resolve({ code: error?.code, stdout, stderr }),
    );
  });
}

test.each(['', 'abc', '65536'])('refuses the port "%s"', async (PORT) => {
  expect(await run({ PORT })).toEqual({
    code: 1,
    stdout: '',
    stderr: `PORT is "${PORT}", but must be a whole number from 0 to 65535.\n`,
  });
});

test('reports a port in use', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const PORT = String(typeof address === 'object' && address?.port);
  try {
    expect(await run({ PORT, HOST: '127.0.0.1' })).toEqual({
      code: 1,
      stdout: '',
      stderr: `Port ${PORT} is in use. Stop the program that uses it, or set PORT to another.\n`,
    });
  } finally {
    other.close();
  }
});

test('refuses API_KEYS without keys before it listens', async () => {
  expect(await run({ PORT: '0', API_KEYS: '{}' })).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'API_KEYS contains no key, so nobody could call the endpoint. Add a key with npx polyseek key NAME.\n',
  });
});

test('lists the environment variables in its help', async () => {
  const { code, stdout, stderr } = await command('start', ['--help']);
  expect([code, stderr]).toEqual([0, '']);
  for (const name of ['PORT', 'HOST', 'INDEX_DIR', 'API_KEYS', 'CORS_ORIGINS', 'LOG_QUESTIONS', 'PAGE']) {
    expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  }
});

test('refuses an unknown option', async () => {
  const { code, stderr } = await command('start', ['--port']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('--port')]);
});

test('continues without a reader of its log, as after polyseek start | head', async () => {
  writeRandomIndex(index, 10);
  const server = spawn(process.execPath, ['--import', 'tsx', 'cli/polyseek.ts', 'start'], {
    cwd: root,
    env: { ...process.env, PORT: '0', INDEX_DIR: index },
  });
  const ended = once(server, 'exit');
  try {
    let printed = '';
    for await (const text of server.stdout.setEncoding('utf8')) {
      printed += text;
      if (/\n.*curl/.test(printed)) break;
    }
    const [, url] = /passages at (http:\S+)/.exec(printed) ?? [];
    server.stdout.destroy();
    for (let i = 0; i < 3; i++) expect((await fetch(`${url}/health`)).status).toBe(200);
    expect([server.exitCode, server.signalCode]).toEqual([null, null]);
  } finally {
    server.kill('SIGKILL');
    await ended;
  }
});
