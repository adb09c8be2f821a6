import { dirname, join } from 'node:path';
import { Bucket } from '../../index/aws/s3.ts';
import type { Architecture } from '../../index/engine/native-sources.ts';
import { writeIndexChecks } from '../../index/format/manifest.ts';
import { parseAddress } from '../../index/store/s3vectors/address.ts';
import { OBJECTS } from '../../index/store/s3vectors/objects.ts';
import { zipPackaged } from '../deployed/asset.ts';
import { push } from '../deployed/push.ts';
import { readDescription } from '../deployed/version-description.ts';
import { readAlias, readConfiguration } from '../deployed/versions.ts';
import type { Builder, Run } from './run.ts';

/** Milliseconds to wait for a publication of another process, or for the lease of one that was killed. */
const PATIENCE = 90_000;

interface Published {
  /** The version of the function that is live, or the current generation in S3 Vectors. */
  live: string;
  /** Whether it was live before. */
  unchanged: boolean;
  /** What happened: a sentence. */
  message: string;
}

/**
 * Makes an index live.
 * @param index its folder, as `makeIndex` returns it
 * @throws TimeIsUp if S3 Vectors has only a part of the rows, and if the lock is lost
 */
export function publishIndex(run: Run, index: string): Promise<Published> {
  return run.builder.store === 'bundle' ? publishVersion(run, index) : publishGeneration(run, index);
}

/** Publishes a version of the search function that contains the index. */
async function publishVersion({ builder, lock, deadline }: Run, index: string): Promise<Published> {
  // From here on, the time that was reserved is used.
  deadline.end();
  writeIndexChecks(index);
  const packaged = dirname(index);
  const packageFor = async (architecture: Architecture) => {
    // Zipping blocks this process, which cannot renew the lock meanwhile.
    await lock.renew();
    return zipPackaged(packaged, architecture);
  };
  const { live, was, message } = await push(builder.remote, {
    index,
    packageFor,
    model: join(packaged, 'model'),
    keep: builder.keep,
    guard: () => lock.renew(),
  });
  return { live, unchanged: live === was, message };
}

/** Publishes a generation in S3 Vectors. The search function finds it by itself. */
async function publishGeneration(run: Run, index: string): Promise<Published> {
  const { publish } = await import('../../index/store/s3vectors/publish/publish.ts');
  run.deadline.reserve(0);
  await run.lock.renew();
  const { generation, status, address } = await publish(index, parseAddress(run.builder.store), {
    patience: PATIENCE,
    signal: run.signal,
    progress: ({ phase, done }) => {
      if (phase === 'uploading' && done > 0) run.uploaded = true;
    },
  });
  const unchanged = status === 'unchanged';
  const message = `Generation ${generation} of ${address} is current${unchanged ? ', and has the same index' : ''}.`;
  return { live: String(generation), unchanged, message };
}

/** Whether callers get answers from an index now. */
export async function hasIndex({ remote, store }: Builder): Promise<boolean> {
  if (store !== 'bundle') {
    const { bucket, name } = parseAddress(store);
    return (await new Bucket(bucket, remote.s3).find(`${name}/${OBJECTS.current}`)) !== undefined;
  }
  const { version } = await readAlias(remote);
  const { description } = await readConfiguration(remote, version);
  return readDescription(description) !== undefined;
}
