import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Architecture } from '../../index/engine/native-sources.ts';
import { withTemporaryFolder } from '../../index/format/drafts.ts';
import { packageFunction } from '../package/package-function.ts';
import { type PackagedFunction, zipPackaged } from './asset.ts';

/** Packages an index of this machine as a function, with further indexes by name, and zips it. */
export async function packageZip(
  index: string,
  collections: Record<string, string>,
  architecture: Architecture,
): Promise<PackagedFunction> {
  const folder = mkdtempSync(join(tmpdir(), 'polyseek-push-'));
  return withTemporaryFolder(folder, async () => {
    const packaged = join(folder, 'function');
    await packageFunction(index, packaged, { architecture, collections });
    return zipPackaged(packaged, architecture);
  });
}
