import { alignLatest } from './code.ts';
import { moveAlias, type Outcome, type Remote, readAlias } from './connect.ts';
import { listVersions } from './versions.ts';

/**
 * Moves `live` back, and only then puts that version's code into `$LATEST`: the first takes effect at once.
 * @param wanted the version; without it, the newest that is older than what is live. What is live already is accepted where an
 * interrupted push or rollback left other code in `$LATEST`.
 */
export async function rollback(remote: Remote, wanted?: string): Promise<Outcome> {
  const { version: live, revision } = await readAlias(remote);
  const { versions, aligned } = await listVersions(remote);
  const numbers = versions.map(({ version }) => version);
  const target = wanted ?? numbers.find((version) => Number(version) < Number(live));
  const there = `there are ${numbers.join(', ')}`;
  if (target === undefined) throw new Error(`No version is older than ${live}, which is live: ${there}.`);
  if (!numbers.includes(target)) throw new Error(`There is no version ${target} to go back to: ${there}.`);
  if (target === live && aligned) throw new Error(`Version ${target} is live already: ${there}.`);
  if (target !== live)
    await remote.step(`move live to version ${target}`, () => moveAlias(remote, target, revision));
  try {
    await alignLatest(remote);
  } catch (error) {
    throw new Error(
      `${error instanceof Error ? error.message : error} Version ${target} is live, but $LATEST still holds other code, which the next cdk deploy may publish: run npm run remote -- rollback ${target}.`,
      { cause: error },
    );
  }
  const message =
    target === live
      ? `$LATEST holds the code of version ${live} again, which was live already.`
      : `Version ${target} is live; it was ${live}.`;
  return { live: target, was: live, message };
}
