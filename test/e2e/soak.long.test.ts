import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileModel } from '../../index/compile/compile.ts';
import { BUCKET, BuilderStack, FUNCTION } from '../fixtures/builder.ts';
import { randomNumbers, root, temporaryFolder } from '../fixtures/index.ts';
import { JobProcess } from '../fixtures/job-process.ts';
import { tinyModel, writeModel } from '../fixtures/models/tiny-model.ts';
import { startServer } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

/** Steps, each of which stands for five minutes. `SOAK=288 npx vitest run test/e2e/soak.long.test.ts` simulates a day. */
const STEPS = Number(process.env.SOAK ?? 8);
const SEED = 15;
const TIMEOUT = 7_200_000;
/** Documents of each edition. Each names its edition. */
const DOCUMENTS = 30;
/** Versions of the function that a push keeps. */
const KEEP = 3;
/** How many steps of work are disturbed. */
const DISTURBED = 0.4;

const throttled = { name: 'ThrottlingException', status: 429, message: 'Rate exceeded.' };
const unavailable = { name: 'ServiceException', status: 500, message: 'Try again.' };

/** An edition of the documents, as JSON Lines. */
const editionText = (edition: number) =>
  Array.from({ length: DOCUMENTS }, (_, i) =>
    JSON.stringify({ text: `Item ${i} of edition ${edition}` }),
  ).join('\n');

/** The one edition that texts are from. */
function editionOf(texts: readonly string[]): number {
  const found = new Set(texts.map((text) => Number(/ of edition (\d+)$/.exec(text)?.[1])));
  expect(found.size, texts.join(', ')).toBe(1);
  return [...found][0]!;
}

describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('a day of work', () => {
  const random = randomNumbers(SEED);
  const folder = temporaryFolder();
  const [index, documents] = [join(folder, 'index'), join(folder, 'documents.jsonl')];
  const model = compileModel(writeModel(tinyModel({ positions: 128 })));
  let stack: BuilderStack;
  let server: Awaited<ReturnType<typeof startServer>>;
  let edition = 0;
  /** Editions that the local index, and the live version, may have now. */
  let [local, live] = [new Set<number>(), new Set<number>()];
  const counts = {
    builds: 0,
    pushes: 0,
    remote: 0,
    rollbacks: 0,
    restarts: 0,
    kills: 0,
    faults: 0,
    answers: 0,
  };

  beforeAll(async () => {
    stack = await BuilderStack.start(temporaryFolder());
    await build();
    server = await startServer(index);
    await push();
  });
  afterAll(async () => {
    await server?.stop();
    await stack?.stop();
  });

  /** Whether this step is disturbed. */
  const isDisturbed = () => random() < DISTURBED;

  /** Builds another edition in the local folder. A build that is killed leaves the old index or the new one. */
  async function build(disturbed = false): Promise<void> {
    edition++;
    counts.builds++;
    writeFileSync(documents, editionText(edition));
    const builder = new JobProcess();
    await builder.ready();
    const outcome = builder.run({ kind: 'build', documents, index, model, cache: join(folder, 'cache') });
    if (disturbed) {
      await Promise.race([sleep(random() * 500), outcome]);
      counts.kills++;
    } else expect(await outcome).toBe(null);
    await builder.kill();
    local = disturbed ? local.add(edition) : new Set([edition]);
  }

  function command(...args: string[]): ChildProcess {
    return spawn(
      process.execPath,
      ['--import', 'tsx', 'cli/polyseek.ts', ...args, '--function', FUNCTION, '--bucket', BUCKET],
      {
        cwd: root,
        stdio: 'ignore',
        env: { PATH: process.env.PATH, ...stack.aws.env },
      },
    );
  }

  /** Lets some calls of AWS fail, until the returned function is called. */
  function disturbAws(): () => void {
    counts.faults++;
    const error = random() < 0.5 ? throttled : unavailable;
    return stack.aws.fail('*', error, () => random() < 0.2);
  }

  /** Runs a command that changes the live version to one of some editions. Disturbs it by a kill or by faults of AWS. */
  async function change(to: Set<number>, disturbed: boolean, ...args: string[]): Promise<void> {
    const repair = disturbed && random() < 0.5 ? disturbAws() : undefined;
    const child = command(...args);
    const exit = once(child, 'exit') as Promise<[number | null]>;
    if (disturbed && !repair) {
      await Promise.race([sleep(1000 + random() * 5000), exit]);
      counts.kills++;
      child.kill('SIGKILL');
    }
    const [code] = await exit;
    repair?.();
    if (!disturbed) expect(code).toBe(0);
    live = disturbed ? new Set([...live, ...to]) : to;
  }

  async function push(disturbed = false): Promise<void> {
    counts.pushes++;
    await change(new Set(local), disturbed, 'push', '--index', index, '--keep', String(KEEP));
  }

  /** Makes an older version live: of any earlier edition. */
  async function rollback(disturbed: boolean): Promise<void> {
    counts.rollbacks++;
    const before = Array.from({ length: edition }, (_, i) => i + 1);
    const { versions, live: number } = await stack.versions();
    const hasOlder = versions.some(({ version, index }) => index && Number(version) < Number(number));
    if (hasOlder) await change(new Set(before), disturbed, 'rollback');
  }

  /** Puts another edition into the bucket, and lets the builder publish it. */
  async function buildRemotely(disturbed: boolean): Promise<void> {
    edition++;
    counts.remote++;
    await stack.put('documents.jsonl', editionText(edition));
    await stack.expireLock().catch(() => {});
    const repair = disturbed && random() < 0.5 ? disturbAws() : undefined;
    await stack.builder.warm();
    if (disturbed && !repair) {
      void stack.invoke();
      await sleep(random() * 4000);
      counts.kills++;
      await stack.builder.end();
    } else {
      const reply = await stack.invoke();
      if (!disturbed) expect(reply).toEqual({ result: { batchItemFailures: [] } });
    }
    repair?.();
    live = disturbed ? live.add(edition) : new Set([edition]);
  }

  /** Kills the server, and starts another. */
  async function restart(): Promise<void> {
    counts.restarts++;
    await server.stop();
    server = await startServer(index);
  }

  /** The texts that the local server finds. */
  async function askServer(q: string): Promise<string[]> {
    const response = await fetch(
      `${server.url}/search?${new URLSearchParams({ q, k: '5', mode: 'lexical' })}`,
    );
    expect(response.status).toBe(200);
    const { results } = (await response.json()) as { results: { text: string }[] };
    expect(results).toHaveLength(5);
    return results.map(({ text }) => text);
  }

  /** Asks both. Each answer comes from one edition, and from one that may be current. */
  async function traffic(): Promise<void> {
    const wanted = () => `item ${Math.floor(random() * DOCUMENTS)}`;
    // The server looks for a newer index from time to time.
    await expect
      .poll(async () => local.has(editionOf(await askServer('item'))), { timeout: 30_000 })
      .toBe(true);
    local = new Set([editionOf(await askServer('item'))]);
    for (let i = 0; i < 10; i++) expect(local).toContain(editionOf(await askServer(wanted())));
    const found = editionOf([await stack.text('item')]);
    expect(live).toContain(found);
    live = new Set([found]);
    for (let i = 0; i < 3; i++) expect(editionOf([await stack.text(wanted())])).toBe(found);
    counts.answers += 16;
  }

  test(
    `with ${STEPS} steps of builds, pushes, rollbacks, kills and faults gives no wrong answer, and stays bounded`,
    async () => {
      await traffic();
      const memory: number[] = [];
      for (let step = 0; step < STEPS; step++) {
        const work = [build, push, buildRemotely, rollback, restart][Math.floor(random() * 5)]!;
        await work(isDisturbed());
        await traffic();
        memory.push(residentMb(server.pid));
      }
      // Undisturbed work completes whatever was left.
      await build();
      await push();
      await traffic();
      expect([local, live]).toEqual([new Set([edition]), new Set([edition])]);

      expect(readdirSync(folder).sort()).toEqual(['cache', 'documents.jsonl', 'index']);
      expect(bytesOf(join(folder, 'cache'))).toBeLessThan(1e6 + edition * 1e5);
      expect((await stack.objects('polyseek/')).size).toBeLessThan(20);
      expect(Math.max(...memory)).toBeLessThan(2 * memory[0]!);
      console.log(
        JSON.stringify({ steps: STEPS, editions: edition, ...counts, memoryMb: [memory[0], memory.at(-1)] }),
      );
    },
    TIMEOUT,
  );
});

function bytesOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** Memory of all processes of a group, in MB. */
function residentMb(group: number): number {
  const lines = execFileSync('ps', ['-eo', 'pgid=,rss='], { encoding: 'utf8' }).trim().split('\n');
  const own = lines.map((line) => line.trim().split(/\s+/).map(Number)).filter(([pgid]) => pgid === group);
  return Math.round(own.reduce((sum, [, kb]) => sum + kb!, 0) / 1024);
}
