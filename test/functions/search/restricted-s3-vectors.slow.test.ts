import { afterAll, beforeAll, test, vi } from 'vitest';
import { publishedTo } from '../../../index/evaluate/temporary-index.ts';
import { openModel } from '../../../index/search/index-search.ts';
import { type S3Vectors, startS3Vectors } from '../../fixtures/s3-vectors.ts';
import { compareWithNever, dir, embedder } from './restricted.ts';

let aws: S3Vectors;
beforeAll(async () => {
  aws = await startS3Vectors();
  for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
});
afterAll(async () => {
  embedder.close();
  await aws.stop();
});

test('documents restricted to groups are for others as if they were not in S3 Vectors', {
  timeout: 600_000,
}, async () => {
  const model = await openModel(dir, true);
  let indexes = 0;
  const open = async (folder: string) => {
    const bucket = `restricted-${indexes++}`;
    await aws.createIndex(bucket, 'passages', model.model.dimensions);
    return (await publishedTo(`s3vectors://${bucket}`, model))(folder);
  };
  await compareWithNever(open, process.env.ALL_RUNS ? 10 : 1);
});
