import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Answer } from '../../index/search/answer.ts';
import { parseAddress } from '../../index/store/s3vectors/address.ts';
import { publish } from '../../index/store/s3vectors/publish/publish.ts';
import { topicsIndex } from '../fixtures/index.ts';
import { command, startServer } from '../fixtures/processes.ts';
import { type S3Vectors, startS3Vectors } from '../fixtures/s3-vectors.ts';

let index: string;
const ADDRESS = 's3vectors://commands-test';
const QUESTION = 'How often does the light of the Korvane lighthouse flash?';

describe('with the address of an index in S3 Vectors', () => {
  let aws: S3Vectors;

  beforeAll(async () => {
    index = await topicsIndex(['en'], 'default');
    aws = await startS3Vectors();
    for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
    await aws.createIndex('commands-test');
    await publish(index, parseAddress(ADDRESS));
    await aws.createIndex('empty-test');
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await aws?.stop();
  });

  const run = (name: string, ...args: string[]) => command(name, args, undefined, aws.env);

  test('search answers as with the folder of the index', async () => {
    const [own, other] = await Promise.all(
      [ADDRESS, index].map((place) => run('search', QUESTION, '--index', place, '--json')),
    );
    expect(own!.code, own!.stderr).toBe(other!.code);
    const [answer, expected] = [own, other].map((one) => JSON.parse(one!.stdout) as Answer);
    expect(answer).toMatchObject({ verdict: expected!.verdict, index: expected!.index });
    expect(answer!.results[0]!.id).toBe(expected!.results[0]!.id);
  });

  test('inspect shows the same contents as with the folder', async () => {
    for (const name of [[], ['en/lighthouse.md']]) {
      const [own, other] = await Promise.all(
        [ADDRESS, index].map((place) => run('inspect', ...name, '--index', place, '--json')),
      );
      expect(JSON.parse(own!.stdout)).toEqual(JSON.parse(other!.stdout));
    }
  });

  test('start serves the index', async () => {
    const server = await startServer(ADDRESS, aws.env);
    try {
      const response = await fetch(`${server.url}/search?${new URLSearchParams({ q: QUESTION })}`);
      expect(((await response.json()) as Answer).results[0]!.source).toBe('en/lighthouse.md');
    } finally {
      await server.stop();
    }
  });

  test('commands fail with one sentence if there is no index yet', async () => {
    const { code, stderr } = await run('search', QUESTION, '--index', 's3vectors://empty-test');
    expect(code).toBe(1);
    expect(stderr).toBe('There is no index yet. Try again when one has been built and published.\n');
  });
});
