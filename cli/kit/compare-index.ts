import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DeployedSettings } from '../../functions/deployed/settings.ts';
import { listVersions, type Version, type Versions } from '../../functions/deployed/versions.ts';
import { locateFolder } from '../../index/format/drafts.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { target } from './remote.ts';

/** The live version of a function, compared with the index on this machine. */
export interface Comparison extends Pick<Versions, 'stackVersion'> {
  live: Version;
  /** The version that gets a share of the requests besides. */
  canary: Version | undefined;
  /** Version of the index on this machine; undefined if a deploy packages none. */
  local: string | undefined;
  /** Whether the live version has another index, and was published after the one on this machine was built. */
  isOlder: boolean;
}

/** @throws if the function does not exist, or its versions cannot be read */
export async function compareIndex(settings: DeployedSettings): Promise<Comparison> {
  const { functionName, index, documents, store } = settings;
  const { versions, live: number, stackVersion } = await listVersions(target({ function: functionName }));
  const live = versions.find(({ version }) => version === number)!;
  const canary = versions.find(({ percent }) => percent !== undefined);
  const folder = locateFolder(index);
  if (documents || store !== 'bundle' || !existsSync(folder))
    return { live, canary, stackVersion, local: undefined, isOlder: false };
  const local = readManifest(folder, undefined, false).version;
  const built = statSync(join(folder, 'manifest.json')).mtime.toISOString();
  const isOther = live.index !== undefined && live.index.version !== local;
  return { live, canary, stackVersion, local, isOlder: isOther && live.date > built };
}
