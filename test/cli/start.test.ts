import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the server with these settings until it ends by itself. */
function run(env: Record<string, string>): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: { ...process.env, ...env } };
    execFile(process.execPath, ['--import', 'tsx', 'cli/start.ts'], options, (error, stdout, stderr) =>
      resolve({ code: error?.code, stdout, stderr }),
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

test('says that a port is in use', async () => {
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

test('refuses API_KEYS without keys before it binds its port', async () => {
  expect(await run({ PORT: '0', API_KEYS: '{}' })).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'API_KEYS contains no key, so nobody could call the endpoint. Add a key with npm run key -- NAME.\n',
  });
});
