import { join } from 'node:path';
import type { Architecture } from '../../index/engine/architecture.ts';
import { checkAsset, requireIndex } from '../../infra/asset.ts';
import { readAlias, readConfiguration } from '../../infra/remote/connect.ts';
import { push } from '../../infra/remote/push.ts';
import { zipFolder } from '../../infra/remote/zip.ts';
import { readDescription } from '../../infra/version-description.ts';
import { foldersOf } from './make-index.ts';
import type { Setup } from './setup.ts';

export interface Published {
  /** The version of the function that is live. */
  live: string;
  /** Whether it was live before. */
  unchanged: boolean;
  /** What happened: a sentence. */
  message: string;
}

/**
 * Makes the index that was built live.
 * @param guard throws if this build must not publish any more
 */
export async function publishIndex(setup: Setup, guard: () => Promise<void>): Promise<Published> {
  const { packaged, index } = foldersOf(setup);
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

/** Whether callers get answers from an index now. */
export async function hasIndex({ remote }: Setup): Promise<boolean> {
  const { version } = await readAlias(remote);
  const { description } = await readConfiguration(remote, version);
  return readDescription(description) !== undefined;
}
