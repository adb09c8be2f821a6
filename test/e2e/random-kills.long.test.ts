import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileModel } from '../../index/compile/compile.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { openSearch } from '../../index/search/index-search.ts';
import { BUCKET, BuilderStack, FUNCTION } from '../fixtures/builder.ts';
import { randomNumbers, root, temporaryFolder } from '../fixtures/index.ts';
import { JobProcess } from '../fixtures/job-process.ts';
import { KILLS } from '../fixtures/kills.ts';
import { tinyModel, writeModel } from '../fixtures/models/tiny-model.ts';
import { missingTools } from '../fixtures/tools.ts';

const TIMEOUT = 3_600_000;
/** After as many kills, the work runs to its end. */
const EVERY = 3;

const folder = temporaryFolder();
const model = compileModel(writeModel(tinyModel({ positions: 128 })));
/** Two editions of the documents, of 30 and of 60 passages. */
const editions = [30, 60].map((count) => {
  const documents = join(folder, `${count}.jsonl`);
  const lines = Array.from({ length: count }, (_, i) => JSON.stringify({ text: `Item ${i} of ${count}` }));
  writeFileSync(documents, lines.join('\n'));
  return { count, documents, index: join(folder, `index-${count}`), version: '' };
});

beforeAll(async () => {
  const builder = new JobProcess();
  for (const edition of editions) {
    const { documents, index } = edition;
    expect(await builder.run({ kind: 'build', documents, index, model })).toBe(null);
    edition.version = readManifest(index, undefined, true).version;
  }
  await builder.kill();
});

test(
  `a build that is killed at ${KILLS} random moments leaves a whole index, and the next one completes`,
  async () => {
    const random = randomNumbers(45);
    const index = join(folder, 'index');
    const versions = editions.map(({ version }) => version);
    const jobOf = (number: number) => ({
      kind: 'build' as const,
      documents: editions[number % 2]!.documents,
      index,
      model,
      cache: join(folder, 'cache'),
    });
    let builder = new JobProcess();
    // The second build of a process takes as long as all later ones.
    expect(await builder.run(jobOf(0))).toBe(null);
    const started = performance.now();
    expect(await builder.run(jobOf(1))).toBe(null);
    const duration = performance.now() - started;
    let killed = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      const waiting = new JobProcess();
      await builder.ready();
      const outcome = builder.run(jobOf(kill));
      await Promise.race([sleep(random() * duration), outcome]);
      await builder.kill();
      if ((await outcome) === 'killed') killed++;
      builder = waiting;
      const search = await openSearch({ index, model, verify: true });
      expect(versions).toContain(search.info.version);
      const { results } = await search.search({ q: 'Item 7', k: 5, mode: 'lexical' });
      for (const { text } of results) expect(text).toMatch(new RegExp(` of ${search.info.passages}$`));
      search.close();
      if (kill % EVERY !== 0) continue;
      expect(await builder.run(jobOf(kill))).toBe(null);
      expect(readManifest(index, undefined, true).version).toBe(versions[kill % 2]);
      expect(readdirSync(folder).filter((name) => name.startsWith('index.'))).toEqual([]);
    }
    await builder.kill();
    expect(killed).toBeGreaterThan(KILLS / 3);
  },
  TIMEOUT,
);

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('a push', () => {
  const random = randomNumbers(46);
  let stack: BuilderStack;

  beforeAll(async () => {
    stack = await BuilderStack.start(temporaryFolder());
  });
  afterAll(() => stack?.stop());

  function start(number: number) {
    const { index } = editions[number % 2]!;
    const args = ['push', '--function', FUNCTION, '--bucket', BUCKET, '--index', index, '--keep', '3'];
    return spawn(process.execPath, ['--import', 'tsx', 'cli/polyseek.ts', ...args], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env.PATH, ...stack.aws.env },
    });
  }

  /** Pushes undisturbed. Returns how many calls of AWS that took. */
  async function finish(number: number): Promise<number> {
    const before = stack.aws.calls.length;
    const [code] = await once(start(number), 'exit');
    expect(code).toBe(0);
    expect(await stack.index()).toBe(editions[number % 2]!.version);
    expect(await stack.isAligned()).toBe(true);
    return stack.aws.calls.length - before;
  }

  test(
    `that is killed at ${KILLS} random moments leaves a whole index live, and the next one completes`,
    async () => {
      const versions = editions.map(({ version }) => version);
      await finish(0);
      const calls = await finish(1);
      for (let kill = 1; kill <= KILLS; kill++) {
        const before = stack.aws.calls.length;
        // Some moments are while it packages, before the first call.
        const moment = before + Math.floor(random() * calls);
        const child = start(kill);
        const exit = once(child, 'exit');
        while (stack.aws.calls.length < moment && child.exitCode === null) await sleep(2);
        await Promise.race([sleep(random() * 50), exit]);
        child.kill('SIGKILL');
        await exit;
        expect(versions).toContain(await stack.index());
        if (kill % EVERY === 0) await finish(kill);
      }
    },
    TIMEOUT,
  );
});
