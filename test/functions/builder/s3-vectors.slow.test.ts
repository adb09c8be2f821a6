import { join } from 'node:path';
import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Builds, newBuildId } from '../../../functions/builder/builds.ts';
import type { BuildRequest } from '../../../functions/builder/event.ts';
import type { Builder } from '../../../functions/builder/run.ts';
import { type Outcome, runBuild } from '../../../functions/builder/run-build.ts';
import { connect } from '../../../functions/deployed/connect.ts';
import { Bucket } from '../../../index/aws/s3.ts';
import { readCompiledModel } from '../../../index/format/compiled-model.ts';
import { S3Source } from '../../../index/ingest/sources/s3-source.ts';
import { TIMEOUT } from '../../../index/search/current-search.ts';
import { openModel, searchStore } from '../../../index/search/index-search.ts';
import { parseAddress } from '../../../index/store/s3vectors/address.ts';
import { Generations } from '../../../index/store/s3vectors/generations.ts';
import { emptyFunction } from '../../fixtures/builder.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { published } from '../../fixtures/published.ts';
import { type S3Vectors, startS3Vectors } from '../../fixtures/s3-vectors.ts';

const BUCKET = 'builder-vectors';
const ADDRESS = `s3vectors://${BUCKET}`;

// Its lines are no part of this test's output.
vi.mock('../../../functions/search/log.ts', () => ({ writeEntry: () => {} }));

describe('a builder of an index in S3 Vectors', () => {
  const folder = temporaryFolder();
  let functionFolder = '';
  let aws: S3Vectors;
  let builder: Builder;
  const continued: object[] = [];

  beforeAll(async () => {
    aws = await startS3Vectors();
    for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
    functionFolder = await emptyFunction();
    const { dimensions } = readCompiledModel(join(functionFolder, 'model'), false);
    await aws.createIndex(BUCKET, 'passages', dimensions);
    // The only call of Lambda lets another invocation go on.
    const send = async ({ input }: InvokeCommand) => continued.push(JSON.parse(String(input.Payload)));
    const lambda = { send } as unknown as LambdaClient;
    const remote = connect({ functionName: 'unused', bucket: BUCKET, step: (_, run) => run() });
    builder = {
      name: 'builder',
      memory: 3008,
      remote: { ...remote, lambda },
      bucket: new Bucket(BUCKET, remote.s3),
      documents: new S3Source(`s3://${BUCKET}/documents`, {}, remote.s3),
      address: `s3://${BUCKET}/documents`,
      store: ADDRESS,
      keep: 2,
      functionFolder,
      work: join(folder, 'work'),
    };
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await aws?.stop();
  });

  const put = (name: string, Body: string) =>
    aws.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `documents/${name}`, Body }));
  /** @param remaining what the clock shows whenever the builder looks, in milliseconds; the last one stays */
  const build = (id = newBuildId(), remaining = [900_000]): Promise<Outcome> =>
    runBuild(builder, { id, cause: 'events', kind: 'batch', messages: [] }, contextOf(remaining));
  const contextOf = (remaining: number[]) => ({
    awsRequestId: 'request',
    getRemainingTimeInMillis: () => (remaining.length > 1 ? remaining.shift()! : remaining[0]!),
  });
  const record = async () => (await new Builds(builder.bucket).list(1))[0];

  /** The sources that the current generation finds. */
  async function sources(q: string): Promise<string[]> {
    const generations = new Generations(parseAddress(ADDRESS), TIMEOUT);
    try {
      const store = await generations.open((await generations.current())!);
      const search = searchStore(store, ADDRESS, await openModel(join(functionFolder, 'model'), false));
      const { results } = await search.search({ q, k: 10, mode: 'lexical' });
      return results.map(({ source }) => source);
    } finally {
      generations.close();
    }
  }

  test('publishes documents as a generation', async () => {
    await put('lamps.md', '# Lamps\n\nThe lamp of the lighthouse turns twice a minute.');
    await put('bread.md', '# Bread\n\nThe baker bakes bread before the sun rises.');
    expect(await build()).toBe('succeeded');
    expect(await record()).toMatchObject({ documents: 2, embedded: 2, live: '1' });
    expect(await sources('lighthouse')).toEqual(['lamps.md']);
  });

  test('publishes nothing if nothing changed', async () => {
    const { leftovers: _, ...before } = await published(aws, BUCKET);
    expect(await build()).toBe('unchanged');
    expect(await record()).toMatchObject({ embedded: 0, unchanged: 2, live: '1' });
    expect(await published(aws, BUCKET)).toMatchObject(before);
  });

  test('publishes what changed, and removes what was deleted', async () => {
    await put('bread.md', '# Bread\n\nThe baker bakes rolls at noon.');
    await aws.s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'documents/lamps.md' }));
    expect(await build()).toBe('succeeded');
    expect(await record()).toMatchObject({ documents: 1, embedded: 1, live: '2' });
    expect(await sources('lighthouse')).toEqual([]);
    expect(await sources('rolls')).toEqual(['bread.md']);
  });

  test('keeps the generation if all documents are gone, and says why', async () => {
    await aws.s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'documents/bread.md' }));
    await expect(build()).rejects.toThrow(
      `s3://${BUCKET}/documents: there are no documents. The live index stays.`,
    );
    expect(await record()).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('no documents'),
    });
    expect(await sources('rolls')).toEqual(['bread.md']);
  });

  test('continues in another invocation when its time is over', async () => {
    for (let i = 0; i < 20; i++)
      await put(`note-${i}.md`, `# Note ${i}\n\nNumber ${i} of the notes is about sails.`);
    const id = newBuildId();
    // The builder looks at the clock when it starts, and before it uploads the rows.
    expect(await build(id, [900_000, 1000])).toBe('continues');
    expect(await sources('sails')).toEqual([]);
    expect(continued).toEqual([{ continue: id }]);
    const next: BuildRequest = { id, cause: 'request', kind: 'continuation', messages: [] };
    expect(await runBuild(builder, next, contextOf([900_000]))).toBe('succeeded');
    expect(await record()).toMatchObject({ id, cause: 'events', documents: 20 });
    expect(await sources('sails')).toHaveLength(10);
  });
});
