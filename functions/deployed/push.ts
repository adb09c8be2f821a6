import { isDeepStrictEqual } from 'node:util';
import type { Architecture } from '../../index/engine/native-sources.ts';
import { messageOf } from '../../index/kit/errors.ts';
import type { PackagedFunction } from './asset.ts';
import { Interrupted, type Remote } from './connect.ts';
import {
  alignAfterMove,
  alignLatest,
  codeSha256,
  endCanary,
  moveAlias,
  type Outcome,
  publishLatest,
  updateLatest,
  waitForUpdate,
} from './go-live.ts';
import { DEFAULT_KEEP, deleteVersion, type Pruned, prune } from './prune.ts';
import { chooseProbes, smoke } from './smoke.ts';
import { describeVersion } from './version-description.ts';
import { listVersions, readAlias, readConfiguration } from './versions.ts';

export interface PushOptions {
  /** Folder of the index, from which the smoke test takes questions. */
  index: string;
  /** Packages the function with the index. */
  packageFor: (architecture: Architecture) => Promise<PackagedFunction>;
  /** Folder of the index's compiled model; default: the one found on this machine. */
  model?: string;
  /** Questions that the new version must answer, besides finding passages of its own. */
  questions?: string[];
  /** Number of versions to keep. */
  keep?: number;
  /** Share of 100 requests that the new version gets, while `live` stays. Default: it becomes live. */
  canary?: number | undefined;
  /** Called before `$LATEST` changes, and right before `live` moves. The push fails if it throws. */
  guard?: () => Promise<void>;
}

interface Pushed extends Outcome {
  /** Missing if there was nothing to push. */
  pruned?: Pruned;
}

/**
 * Makes an index live without CloudFormation: publishes a new version, moves `live` to it after the smoke test, and deletes old versions.
 * The version gets the settings of `$LATEST`, such as its memory: with the same code but other settings, it is published too.
 * If a step before the move fails, `live` stays, and `$LATEST` gets back the code of the live version.
 */
export async function push(
  remote: Remote,
  {
    index,
    packageFor,
    model,
    questions = [],
    keep = DEFAULT_KEEP,
    canary: percent,
    guard = () => Promise.resolve(),
  }: PushOptions,
): Promise<Pushed> {
  const { functionName, step } = remote;
  const latest = await readConfiguration(remote);
  // Read before any change, so that the move fails if someone else moves the alias meanwhile.
  const { version: live, revision, canary: before } = await readAlias(remote);
  const { zip, summary } = await step(`package ${index} for ${latest.architecture}`, () =>
    packageFor(latest.architecture),
  );
  const sha256 = codeSha256(zip);
  const nothing = async (): Promise<Pushed> => {
    if (before) await endCanary(remote, live, revision, before);
    await alignLatest(remote);
    const message = `Nothing to push: version ${live}, which is live, has the same code.`;
    return { live, was: live, message };
  };
  const current = await readConfiguration(remote, live);
  if (sha256 === current.codeSha256 && isDeepStrictEqual(latest.settings, current.settings)) return nothing();
  const probes = await step('choose questions for the smoke test', () => chooseProbes(index, model));
  const existing = new Set((await listVersions(remote)).versions.map(({ version }) => version));
  let version: string | undefined;
  try {
    await guard();
    await updateLatest(remote, zip, latest);
    const published = await step('publish a version', () => publishLatest(remote, sha256, summary));
    // To Lambda, the settings are the same.
    if (published === live) return await nothing();
    version = published;
    await step(`wait for version ${published}`, () => waitForUpdate(remote, published));
    await step(`smoke test of version ${published}`, () =>
      smoke(remote, published, summary.version, probes, questions),
    );
    await guard();
    if (percent === undefined)
      await step(`move live to version ${published}`, () => moveAlias(remote, published, revision));
    else
      await step(`send ${percent} % of requests to version ${published}`, () =>
        moveAlias(remote, live, revision, { version: published, percent }),
      );
  } catch (error) {
    const own = version !== undefined && !existing.has(version) ? version : undefined;
    throw new Error(`${messageOf(error)} ${await undo(remote, sha256, own)}`, { cause: error });
  }
  const named = `Version ${version} of ${functionName}`;
  const content = describeVersion(summary);
  if (percent === undefined) {
    const message = `${named} is live (${content}). Before: version ${live}.`;
    return complete(remote, keep, { live: version, was: live, message });
  }
  const message = `${named} gets ${percent} % of requests (${content}), and version ${live} the others. Go on with npx polyseek push --promote, or go back with npx polyseek rollback.`;
  return complete(remote, keep, { live, was: live, canary: { version, percent }, message });
}

/** Makes the version live that `push` with `canary` published, and deletes old versions. Throws if there is none. */
export async function promote(remote: Remote, keep = DEFAULT_KEEP): Promise<Pushed> {
  const { version: was, revision, canary } = await readAlias(remote);
  if (!canary)
    throw new Error(
      `Version ${was} gets all requests, so there is nothing to promote. Publish a version with npx polyseek push --canary 10 first.`,
    );
  const { version: live } = canary;
  await remote.step(`move live to version ${live}`, () => moveAlias(remote, live, revision));
  const message = `Version ${live} of ${remote.functionName} is live. Before: version ${was}.`;
  return complete(remote, keep, { live, was, message });
}

/**
 * Aligns `$LATEST` with the live version, and deletes old versions. A failure of that is part of the result, as the push has succeeded;
 * an interrupt still ends the command.
 */
async function complete(remote: Remote, keep: number, outcome: Outcome): Promise<Pushed> {
  await alignAfterMove(remote, outcome.live);
  try {
    return { ...outcome, pruned: await prune(remote, keep) };
  } catch (error) {
    if (error instanceof Interrupted)
      throw new Error(`${error.message} ${outcome.message}`, { cause: error });
    const failures = [`Old versions were not deleted: ${messageOf(error)}`];
    return { ...outcome, pruned: { dryRun: false, deleted: [], kept: [], bytes: 0, failures } };
  }
}

/**
 * Undoes a failed push.
 * @param sha256 of the code that the push put into `$LATEST`; other code there is left alone, as another push put it there
 * @param version that the push published
 * @returns the resulting state, as a sentence to follow the error's
 */
async function undo(remote: Remote, sha256: string, version: string | undefined): Promise<string> {
  try {
    const { version: live, canary } = await readAlias(remote);
    // The call that moved the alias can succeed although its response is lost.
    if (live === version) return `Version ${live} is live nevertheless. Check with npx polyseek versions.`;
    if (version !== undefined && canary?.version === version)
      return `Version ${version} gets ${canary.percent} % of requests nevertheless. End that with npx polyseek rollback.`;
    if ((await readConfiguration(remote)).codeSha256 === sha256) await alignLatest(remote);
    if (version === undefined) return `Version ${live} stays live; the push left nothing behind.`;
    await deleteVersion(remote, version);
    return `Version ${live} stays live; version ${version} was deleted.`;
  } catch (error) {
    const remains = version ? ` Version ${version} still exists.` : '';
    return `Undoing the push failed too: ${messageOf(error)} The live version did not change, but $LATEST may contain the pushed code.${remains} Run npx polyseek versions, and follow its note before the next cdk deploy.`;
  }
}
