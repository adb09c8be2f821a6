import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root, temporaryFolder } from '../fixtures/index.ts';
import { offlineCommand } from '../fixtures/offline.ts';
import { finished } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';
import type { Run, Secrets } from './whole-run.ts';

const offline = offlineCommand();

/** A word that is nowhere else: consonants, so that it is no part of another. */
const word = () => [...randomBytes(12)].map((byte) => 'bcdfghjklmnpqrstvwxz'[byte % 20]).join('');
const WORDS = Array.from({ length: 4 }, word);
const [HISTORY, FILTER] = [word(), word()];
/** A text in Base64, at each of its three positions in a group, without the characters that depend on what is around it. */
const base64Of = (text: string) =>
  [0, 1, 2].map((before) =>
    Buffer.from(' '.repeat(before) + text)
      .toString('base64')
      .slice(before === 0 ? 0 : 4, -4),
  );
/** Requests of commands with `--url`, beside those whose answers are listed. */
const REMOTE_REQUESTS = 2;
const secrets: Secrets = {
  question: `When does the ${WORDS.join(' ')} flash?`,
  history: `Tell me about ${HISTORY}.`,
  filter: FILTER,
  key: `ps_${word()}`,
  wrongKey: `ps_${word()}`,
};

describe.skipIf(!offline || missingTools('strace', 'Node 24', 'aws-lambda-ric'))('a whole run', () => {
  const folder = temporaryFolder();
  const trace = join(folder, 'trace');
  let run: Run;

  beforeAll(async () => {
    const [home, tmp] = [join(folder, 'run/home'), join(folder, 'run/tmp')];
    for (const path of [home, tmp]) mkdirSync(path, { recursive: true });
    const program = ['--import', import.meta.resolve('tsx'), join(root, 'test/security/whole-run.ts')];
    const traced = [
      'strace',
      '-f',
      '--seccomp-bpf',
      '-e',
      'trace=connect,sendto,sendmsg,sendmmsg',
      '-s',
      '0',
      '-o',
      trace,
    ];
    const [first = '', ...rest] = [
      ...traced,
      ...offline!,
      process.execPath,
      ...program,
      folder,
      JSON.stringify(secrets),
    ];
    const { PATH } = process.env;
    const { code, stdout, stderr } = await finished(
      spawn(first, rest, { cwd: root, env: { PATH, HOME: home, TMPDIR: tmp } }),
    );
    expect(stderr + stdout).toBe('');
    expect(code).toBe(0);
    run = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
  }, 900_000);

  /** The statuses of all answers of one part. */
  const statuses = (part: string) =>
    new Set(run.answers.filter(({ to }) => to === part).map(({ status }) => status));

  test('works without a network', () => {
    expect(run.outside).toContain('ENETUNREACH');
    expect(run.answers.filter(({ to }) => to === 'index')).toMatchObject([{ status: 0 }]);
    expect(statuses('mcp')).toEqual(new Set([0]));
    expect(statuses('server')).toEqual(new Set([200, 400, 401, 403, 404]));
    expect(statuses('run/logs/function.log')).toEqual(
      new Set(['answer', 'Unhandled', 200, 400, 401, 403, 404]),
    );
    const found = run.answers.filter(({ text }) =>
      text.includes('Its white light flashes once every 12 seconds.'),
    );
    const parts = new Set(found.map(({ to }) => to));
    expect(parts).toEqual(
      new Set(['search', 'chat', 'mcp', 'server', 'run/logs/function.log', 'control.log']),
    );
  });

  test('connects to no other machine', () => {
    const lines = readFileSync(trace, 'utf8').split('\n');
    const peers = lines.flatMap(
      (line) => /sa_family=AF_INET6?, .*?inet_(?:addr|pton)\((?:AF_INET6, )?"(.*?)"/.exec(line)?.[1] ?? [],
    );
    // The address that the run tries on purpose.
    expect(new Set(peers)).toEqual(new Set(['127.0.0.1', '192.0.2.1']));
    expect(peers.filter((peer) => peer === '192.0.2.1')).toHaveLength(1);
  });

  describe('leaves no trace', () => {
    /** The secrets that each file of the run contains. Answers are no files of the run. */
    const found = new Map<string, string[]>();
    const texts = () => [...WORDS, HISTORY, FILTER, secrets.key, secrets.wrongKey, ...run.made];
    const secretsIn = (file: string) => {
      const bytes = readFileSync(file);
      const [exact, lower] = [bytes.toString('latin1'), bytes.toString('latin1').toLowerCase()];
      return texts().filter(
        (text) =>
          lower.includes(text.toLowerCase()) ||
          base64Of(text).some((form) => exact.includes(form)) ||
          bytes.includes(Buffer.from(text, 'utf16le')),
      );
    };

    beforeAll(() => {
      // The project, the home and temporary folders, the functions and every log.
      for (const entry of readdirSync(join(folder, 'run'), { recursive: true, withFileTypes: true })) {
        const file = join(entry.parentPath, entry.name);
        if (entry.isFile()) found.set(relative(folder, file), secretsIn(file));
      }
    }, 120_000);

    const filesWith = (...secret: string[]) =>
      [...found].filter(([, texts]) => secret.some((text) => texts.includes(text))).map(([file]) => file);

    test('that this test would miss', () => {
      expect(secretsIn(join(folder, 'control.log'))).toEqual(expect.arrayContaining(WORDS));
      for (const file of ['logs/server.log', 'logs/function.log', 'project/.polyseek/index/passages.bin'])
        expect(found.has(`run/${file}`), file).toBe(true);
      const logOf = (name: string) => readFileSync(join(folder, 'run/logs', name), 'utf8');
      // A line for each request.
      expect(logOf('server.log').match(/^\{"timestamp"/gm)).toHaveLength(
        run.answers.filter(({ to }) => to === 'server').length + REMOTE_REQUESTS,
      );
      expect(logOf('damaged.log')).toContain('"level":"ERROR"');
    });

    test('of the question, and of none of its words', () => {
      expect(filesWith(...WORDS)).toEqual([]);
    });

    test('of the conversation and the filter', () => {
      expect(filesWith(HISTORY, FILTER)).toEqual([]);
    });

    test('of keys and tokens, not even with questions in the log', () => {
      const keys = [secrets.key, secrets.wrongKey, ...run.made];
      expect(keys).toHaveLength(6);
      expect(filesWith(...keys)).toEqual([]);
      const control = secretsIn(join(folder, 'control.log'));
      expect(keys.filter((key) => control.includes(key))).toEqual([]);
    });
  });
});
