import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { greeting } from '../../cli/start.ts';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { root, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { command } from '../fixtures/processes.ts';

const index = join(temporaryFolder(), 'index');

/** Runs the server with these settings until it exits. */
function run(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: { ...process.env, ...env } };
    execFile(process.execPath, [POLYSEEK, 'start', ...args], options, (error, stdout, stderr) =>
      resolve({ code: error?.code, stdout, stderr }),
    );
  });
}

test.each(['', 'abc', '65536'])('refuses the port "%s"', async (PORT) => {
  expect(await run({ PORT })).toEqual({
    code: 2,
    stdout: '',
    stderr: `--port or PORT is "${PORT}", but must be a whole number from 0 to 65535.\n`,
  });
});

test.each([
  ['What is a harbour?', '/search?q=What+is+a+harbour%3F&k=3'],
  [undefined, '/search?q=QUESTION&k=3'],
])('suggests a question of the index, or none: %s', (question, path) => {
  const shown = { question, hasPage: true, access: undefined };
  expect(greeting({ 'http://127.0.0.1:8787': 30 }, shown)).toBe(
    `Searching 30 passages at http://127.0.0.1:8787\nOpen it in a browser, or try curl 'http://127.0.0.1:8787${path}'`,
  );
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
      stderr: `Port ${PORT} is in use. Stop the program that uses it, or choose another with --port.\n`,
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

test.each([
  [
    ['--llm', 'http://127.0.0.1:9/v1'],
    /^http:\/\/127\.0\.0\.1:9\/v1 lists no models\. Check the URL and POLYSEEK_LLM_KEY, /,
  ],
  [['--llm-model', 'small'], /^--llm-model needs --llm\. Add it\.\n$/],
])('refuses a language model that it cannot ask: %j', async (args, message) => {
  const { code, stderr } = await run({ PORT: '0' }, ...args);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});

test('lists the environment variables in its help', async () => {
  const { code, stdout, stderr } = await command('start', ['--help']);
  expect([code, stderr]).toEqual([0, '']);
  for (const name of ['PORT', 'HOST', 'INDEX_DIR', 'API_KEYS', 'CORS_ORIGINS', 'LOG_QUESTIONS', 'PAGE']) {
    expect(stdout).toMatch(new RegExp(`\\b${name}\\b`));
  }
});

test('flags win over the environment, and the first line is JSON with --json', async () => {
  writeRandomIndex(index, 10);
  const args = [
    '--port',
    '0',
    '--index',
    index,
    '--cors',
    'https://app.example',
    '--no-page',
    '--log-questions',
  ];
  const server = spawn(process.execPath, [POLYSEEK, 'start', ...args, '--json'], {
    cwd: root,
    env: { ...process.env, PORT: '1', INDEX_DIR: 'none', CORS_ORIGINS: 'https://other.example', PAGE: '1' },
  });
  const ended = once(server, 'exit');
  try {
    let printed = '';
    const lines = createInterface({ input: server.stdout });
    const asked: string[] = [];
    for await (const line of lines) {
      if (printed === '') {
        printed = line;
        const { url } = JSON.parse(line);
        const headers = { accept: 'text/html', origin: 'https://app.example' };
        const page = await fetch(url, { headers });
        expect(page.headers.get('content-type')).not.toContain('html');
        expect(page.headers.get('access-control-allow-origin')).toBe('https://app.example');
        const other = await fetch(url, { headers: { origin: 'https://other.example' } });
        expect(other.headers.get('access-control-allow-origin')).toBeNull();
        await fetch(`${url}/search?q=word1`);
      } else {
        const entry = JSON.parse(line);
        if (entry.route !== '/search') continue;
        asked.push(entry.q);
        break;
      }
    }
    expect(JSON.parse(printed)).toMatchObject({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      passages: 10,
    });
    expect(asked).toEqual(['word1']);
  } finally {
    server.kill('SIGKILL');
    await ended;
  }
});

test('continues without a reader of its log, as after polyseek start | head', async () => {
  writeRandomIndex(index, 10);
  const server = spawn(process.execPath, [POLYSEEK, 'start'], {
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
    expect(printed).toContain('npx polyseek index PATH\nDeploy to AWS: npx polyseek deploy\n');
    server.stdout.destroy();
    for (let i = 0; i < 3; i++) expect((await fetch(`${url}/health`)).status).toBe(200);
    expect([server.exitCode, server.signalCode]).toEqual([null, null]);
  } finally {
    server.kill('SIGKILL');
    await ended;
  }
});
