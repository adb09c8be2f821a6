import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { publish } from '../../index/store/s3vectors/publish/publish.ts';
import { startMoto } from '../fixtures/aws.ts';
import { writeEditions } from '../fixtures/editions.ts';
import { smallModel, temporaryFolder } from '../fixtures/index.ts';
import { type Published, passMinute, published } from '../fixtures/published.ts';
import { type S3Vectors, startS3Vectors } from '../fixtures/s3-vectors.ts';
import { missingTools } from '../fixtures/tools.ts';

const BUCKET = 'two-stand-ins';

describe.skipIf(missingTools('moto'))('Publications to moto and to the stand-in of this project', () => {
  const folder = temporaryFolder();
  let s3Vectors: S3Vectors;
  let moto: S3Vectors;

  beforeAll(async () => {
    [s3Vectors, moto] = await Promise.all([startS3Vectors(), startS3Vectors({ behind: startMoto })]);
    writeEditions(folder);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await Promise.all([s3Vectors?.stop(), moto?.stop()]);
  });

  /** Publishes three editions, the last of which deletes vectors and objects, and returns what each leaves. */
  async function publications(aws: S3Vectors): Promise<Published[]> {
    for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
    await aws.createIndex(BUCKET, 'passages', smallModel().model.dimensions);
    const left: Published[] = [];
    for (const edition of ['first', 'second', 'first']) {
      await publish(join(folder, edition), { bucket: BUCKET, name: 'passages' }, { batch: 12 });
      left.push(await published(aws, BUCKET));
      await passMinute(aws, BUCKET);
    }
    return left;
  }

  test('leave the same vectors and objects', async () => {
    const inMoto = await publications(moto);
    const inMemory = await publications(s3Vectors);
    expect(inMoto.map(({ rows }) => Object.keys(rows).length)).toEqual([40, 49, 40]);
    expect(rounded(inMoto)).toEqual(rounded(inMemory));
  });
});

/** As float32, which S3 Vectors stores. */
function rounded(all: Published[]): Published[] {
  return all.map(({ rows, ...rest }) => ({
    ...rest,
    rows: Object.fromEntries(
      Object.entries(rows).map(([key, { data, metadata }]) => [
        key,
        { metadata, data: [...Float32Array.from(data)] },
      ]),
    ),
  }));
}
