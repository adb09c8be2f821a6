import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../index/search/answer.ts';
import { deployedFolder } from '../fixtures/cdk.ts';
import { buildTopics, temporaryFolder } from '../fixtures/index.ts';
import { HTTP_API, httpEvent } from '../fixtures/lambda-events.ts';
import { finished, startServer } from '../fixtures/processes.ts';
import { missingTools, tools } from '../fixtures/tools.ts';

const QUESTIONS = [
  'How often does the light of the Korvane lighthouse flash?',
  '科尔瓦内灯塔有多高？',
  'Wer hat die Brücke gebaut?',
];

describe.skipIf(missingTools('moto', 'Node 24 for arm64', 'qemu-aarch64-static', 'aarch64-linux-gnu-g++'))(
  'the function for arm64',
  () => {
    const folder = temporaryFolder();
    const index = join(folder, 'index');
    let packaged: string;
    let server: Awaited<ReturnType<typeof startServer>>;

    beforeAll(async () => {
      await buildTopics(index, ['en', 'zh']);
      packaged = await deployedFolder(index, folder, 'arm64');
      server = await startServer(index);
    });
    afterAll(() => server.stop());

    /** Invokes the function with events on an emulated processor, and returns its answers. */
    async function invoke(events: unknown[]): Promise<{ arch: string; results: unknown[] }> {
      const [script, out] = [join(folder, 'invoke.mjs'), join(folder, 'results.json')];
      writeFileSync(
        script,
        `import { writeFileSync } from 'node:fs';
        const { handler } = await import(process.argv[2]);
        const results = [];
        for (const event of JSON.parse(process.argv[3])) results.push(await handler(event, { awsRequestId: 'id' }));
        writeFileSync(process.argv[4], JSON.stringify({ arch: process.arch, results }));`,
      );
      // -L: the folder of the arm64 C and C++ libraries of Debian's cross-compiler.
      const emulated = ['-L', '/usr/aarch64-linux-gnu', tools['Node 24 for arm64']];
      const args = [...emulated, script, join(packaged, 'lambda.mjs'), JSON.stringify(events), out];
      const { code, stderr } = await finished(
        spawn(tools['qemu-aarch64-static'], args, { cwd: folder, env: { HOME: '' } }),
      );
      expect(stderr).toBe('');
      expect(code).toBe(0);
      return JSON.parse(readFileSync(out, 'utf8'));
    }

    async function served(body: unknown): Promise<Answer> {
      const response = await fetch(`${server.url}/search`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await response.json()) as Answer;
    }

    test('returns the same bits as this machine', async () => {
      const questions = QUESTIONS.map((q) => ({ q, k: 5, explain: true, matches: true }));
      const http = httpEvent(HTTP_API, {
        path: `/search?${new URLSearchParams({ q: QUESTIONS[0]!, k: '5' })}`,
      });
      const { arch, results } = await invoke([...questions, http]);
      expect(arch).toBe('arm64');
      const { statusCode, body } = results.pop() as { statusCode: number; body: string };
      expect(statusCode).toBe(200);
      const untimed = (answer: unknown) => ({ ...(answer as Answer), took: undefined });
      for (const [i, question] of questions.entries()) {
        const here = await served(question);
        expect(here.results).toHaveLength(5);
        expect(untimed(results[i])).toEqual(untimed(here));
      }
      const ids = (answer: Answer) => answer.results.map(({ id }) => id);
      expect(ids(JSON.parse(body))).toEqual(ids(results[0] as Answer));
    });
  },
);
