import { alignAfterMove } from './code.ts';
import { moveAlias, type Outcome, type Remote, readAlias } from './connect.ts';
import { listVersions } from './versions.ts';

/**
 * Moves `live` back, which takes effect at once, then copies that version's code into `$LATEST`.
 * @param wanted the version; default: the newest one before the live version that has an index. The live version itself is accepted if an
 * interrupted push or rollback left other code in `$LATEST`.
 */
export async function rollback(remote: Remote, wanted?: string): Promise<Outcome> {
  const { version: live, revision } = await readAlias(remote);
  const { versions, aligned } = await listVersions(remote);
  const numbers = versions.map(({ version }) => version);
  const older = versions.find(({ version, empty }) => Number(version) < Number(live) && !empty);
  const target = wanted ?? older?.version;
  const existing = `Versions: ${numbers.join(', ')}.`;
  if (target === undefined)
    throw new Error(`No version with an index is older than ${live}, which is live. ${existing}`);
  if (!numbers.includes(target)) throw new Error(`Version ${target} does not exist. ${existing}`);
  if (target === live && aligned) throw new Error(`Version ${target} is already live. ${existing}`);
  if (target !== live)
    await remote.step(`move live to version ${target}`, () => moveAlias(remote, target, revision));
  await alignAfterMove(remote, target);
  const message =
    target === live
      ? `$LATEST contains the code of version ${live} again, which was already live.`
      : `Version ${target} is live. Before: version ${live}.`;
  return { live: target, was: live, message };
}
