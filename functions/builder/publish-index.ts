import { join } from 'node:path';
import type { Architecture } from '../../index/engine/native-sources.ts';
import { writeIndexChecks } from '../../index/format/manifest.ts';
import { parseAddress } from '../../index/store/s3vectors/address.ts';
import { OBJECTS } from '../../index/store/s3vectors/objects.ts';
import { checkAsset, requireIndex } from '../deployed/asset.ts';
import { readAlias, readConfiguration } from '../deployed/connect.ts';
import { push } from '../deployed/push.ts';
import { readDescription } from '../deployed/version-description.ts';
import { zipFolder } from '../deployed/zip.ts';
import { Bucket } from './bucket.ts';
import { foldersOf } from './make-index.ts';
import type { Setup } from './setup.ts';

/** Milliseconds to wait for a publication of another process, or for the lease of one that was killed. */
const PATIENCE = 90_000;

export interface Published {
  /** The version of the function that is live, or the current generation in S3 Vectors. */
  live: string;
  /** Whether it was live before. */
  unchanged: boolean;
  /** What happened: a sentence. */
  message: string;
}

export interface Publishing {
  /** Throws if this build must not publish any more. */
  guard: () => Promise<void>;
  /** Stops the upload of rows to S3 Vectors, which another invocation continues. */
  signal: AbortSignal;
  /** Called when rows were uploaded. */
  uploaded: () => void;
}

/** Makes the index that was built live. */
export function publishIndex(setup: Setup, publishing: Publishing): Promise<Published> {
  return setup.store === 'bundle' ? publishVersion(setup, publishing) : publishGeneration(setup, publishing);
}

/** Publishes a version of the search function that contains the index. */
async function publishVersion(setup: Setup, { guard }: Publishing): Promise<Published> {
  const { packaged, index } = foldersOf(setup);
  writeIndexChecks(index);
  const packageFor = async (architecture: Architecture) => {
    const summary = requireIndex(packaged, checkAsset(packaged, architecture));
    // Zipping blocks this process, which cannot renew the lock meanwhile.
    await guard();
    return { zip: zipFolder(packaged), summary };
  };
  const { live, was, message } = await push(setup.remote, {
    index,
    packageFor,
    model: join(packaged, 'model'),
    keep: setup.keep,
    guard,
  });
  return { live, unchanged: live === was, message };
}

/** Publishes a generation in S3 Vectors. The search function finds it by itself. */
async function publishGeneration(setup: Setup, { guard, signal, uploaded }: Publishing): Promise<Published> {
  const { publish } = await import('../../index/store/s3vectors/publish/publish.ts');
  await guard();
  const { generation, status, address } = await publish(foldersOf(setup).index, parseAddress(setup.store), {
    patience: PATIENCE,
    signal,
    progress: ({ phase, done }) => phase === 'uploading' && done > 0 && uploaded(),
  });
  const unchanged = status === 'unchanged';
  const message = `Generation ${generation} of ${address} is current${unchanged ? ', and has the same index' : ''}.`;
  return { live: String(generation), unchanged, message };
}

/** Whether callers get answers from an index now. */
export async function hasIndex({ remote, store }: Setup): Promise<boolean> {
  if (store !== 'bundle') {
    const { bucket, name } = parseAddress(store);
    return (await new Bucket(bucket, remote.s3).read(`${name}/${OBJECTS.current}`)) !== undefined;
  }
  const { version } = await readAlias(remote);
  const { description } = await readConfiguration(remote, version);
  return readDescription(description) !== undefined;
}
