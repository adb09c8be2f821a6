import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openLocal } from '../../index/ingest/open-local.ts';
import type { SearchRequest } from '../../index/search/answer.ts';
import { publish } from '../../index/store/s3vectors/publish/publish.ts';
import { writeEditions } from '../fixtures/editions.ts';
import { defaultModel, randomNumbers, root, temporaryFolder } from '../fixtures/index.ts';
import { KILLS } from '../fixtures/kills.ts';
import { endLease, passMinute, published } from '../fixtures/published.ts';
import { type S3Vectors, startS3Vectors } from '../fixtures/s3-vectors.ts';

const BUCKET = 'kills';
const ADDRESS = `s3vectors://${BUCKET}/passages`;
/** The access key of commands. Searches have another. */
const COMMAND = 'command';
/** A publication makes about as many calls. */
const CALLS = 32;
/** Answers differ between the editions in versions, results and texts. Past 7 results, scores differ by less than rounding. */
const REQUEST: SearchRequest = { q: 'word5 number 5 revised', k: 7, mode: 'hybrid', context: 1 };

describe('npx polyseek index --store s3vectors', () => {
  const folder = temporaryFolder();
  const random = randomNumbers(30);
  let aws: S3Vectors;
  let editions: string[];
  /** The only right answers, by the version of the index. */
  const right = new Map<string, object>();
  const versions: string[] = [];

  beforeAll(async () => {
    aws = await startS3Vectors();
    for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
    const { first, second } = writeEditions(folder, defaultModel());
    editions = [first, second];
    for (const edition of editions) {
      const { index, results } = await answerOf(edition);
      versions.push(index.version);
      right.set(index.version, results);
    }
    await aws.createIndex(BUCKET);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await aws?.stop();
  });

  /** The answer of a function or command that has just started. */
  async function answerOf(index: string) {
    const search = await openLocal(index);
    try {
      const { results, index: info } = await search.search(REQUEST);
      // Vectors in the two stores are rounded differently.
      return { index: info, results: results.map(({ score: _, confidence: __, ...result }) => result) };
    } finally {
      search.close();
    }
  }

  const publishNow = (edition: string) =>
    publish(edition, { bucket: BUCKET, name: 'passages' }, { speed: 100 });

  /** Runs the command, and kills it a random time after a number of calls, if it has not ended before. */
  async function killedAfter(calls: number, edition: string): Promise<string> {
    let last = '';
    let left = calls;
    const program = ['--import', import.meta.resolve('tsx'), join(root, 'cli/polyseek.ts')];
    const args = ['index', '--index', edition, '--store', 's3vectors', '--to', ADDRESS];
    const child = spawn(process.execPath, [...program, ...args], {
      cwd: folder,
      stdio: 'ignore',
      env: { ...process.env, ...aws.env, AWS_ACCESS_KEY_ID: COMMAND },
    });
    const closed = once(child, 'close');
    aws.answering = ({ operation, caller }) => {
      if (caller !== COMMAND || --left > 0) return;
      aws.answering = undefined;
      last = operation;
      setTimeout(() => child.kill('SIGKILL'), 20 * random());
    };
    await closed;
    aws.answering = undefined;
    return last;
  }

  test(`can be killed ${KILLS} times: searches see whole generations, and the next run completes it`, {
    timeout: 1_800_000,
  }, async () => {
    await publishNow(editions[0]!);
    const seen = new Set<string>();
    let isOver = false;
    let answers = 0;
    const reading = (async () => {
      while (!isOver) {
        const { index, results } = await answerOf(ADDRESS);
        expect(results).toEqual(right.get(index.version));
        seen.add(index.version);
        answers++;
        await wait(100);
      }
    })();
    // A failure of the reader ends the test at the end.
    reading.catch(() => {});
    const killedAt = new Map<string, number>();
    for (let kill = 1; kill <= KILLS; kill++) {
      const edition = editions[kill % 2]!;
      const operation = await killedAfter(1 + Math.floor(CALLS * random()), edition);
      killedAt.set(operation, 1 + (killedAt.get(operation) ?? 0));
      await endLease(aws.direct, BUCKET);
      await publishNow(edition);
      expect((await answerOf(ADDRESS)).index.version).toBe(versions[kill % 2]);
    }
    isOver = true;
    await reading;
    expect(seen).toEqual(new Set(versions));
    expect(answers).toBeGreaterThan(KILLS / 2);
    // While it compares, writes, and looks for what to delete. A few kills may miss one of these.
    if (KILLS >= 30)
      expect([...killedAt.keys()], JSON.stringify([...killedAt])).toEqual(
        expect.arrayContaining(['GetObject', 'PutObject', 'ListObjectsV2']),
      );
    expect(killedAt.get('') ?? 0, 'commands that ended before').toBeLessThan(KILLS / 3);
    for (const edition of [editions[1]!, editions[0]!]) {
      await passMinute(aws.direct, BUCKET);
      await publishNow(edition);
    }
    expect((await published(aws.direct, BUCKET)).leftovers).toEqual([]);
  });
});
