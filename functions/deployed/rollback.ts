import { alignAfterMove } from './code.ts';
import { endCanary, moveAlias, type Outcome, type Remote, readAlias } from './connect.ts';
import { listVersions } from './versions.ts';

/**
 * Moves `live` back, which takes effect at once, then copies that version's code into `$LATEST`. Ends the share of a canary.
 * @param wanted the version; default: the live version if there is a canary, else the newest one before it that has an index. The live
 * version itself is also accepted if an interrupted push or rollback left other code in `$LATEST`.
 */
export async function rollback(remote: Remote, wanted?: string): Promise<Outcome> {
  const { version: live, revision, canary } = await readAlias(remote);
  const { versions, aligned } = await listVersions(remote);
  const numbers = versions.map(({ version }) => version);
  const older = versions.find(({ version, empty }) => Number(version) < Number(live) && !empty);
  const target = wanted ?? (canary ? live : older?.version);
  const existing = `Versions: ${numbers.join(', ')}.`;
  if (target === undefined)
    throw new Error(`No version with an index is older than ${live}, which is live. ${existing}`);
  if (!numbers.includes(target)) throw new Error(`Version ${target} does not exist. ${existing}`);
  if (target === live && aligned && !canary)
    throw new Error(`Version ${target} is already live. ${existing}`);
  if (target === live && canary) await endCanary(remote, live, revision, canary);
  if (target !== live)
    await remote.step(`move live to version ${target}`, () => moveAlias(remote, target, revision));
  await alignAfterMove(remote, target);
  const message =
    target !== live
      ? `Version ${target} is live. Before: version ${live}.`
      : canary
        ? `Version ${live} gets all requests again. Before, version ${canary.version} got ${canary.percent} %.`
        : `$LATEST contains the code of version ${live} again, which was already live.`;
  return { live: target, was: live, message };
}
