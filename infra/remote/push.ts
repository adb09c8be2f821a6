import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteFunctionCommand, PublishVersionCommand } from '@aws-sdk/client-lambda';
import { packageFunction } from '../../functions/search/package/package-function.ts';
import type { Architecture } from '../../index/engine/architecture.ts';
import { withTemporaryFolder } from '../../index/format/drafts.ts';
import { checkAsset } from '../asset.ts';
import { describeVersion, type Held } from '../version-description.ts';
import { alignLatest, codeSha256, updateLatest } from './code.ts';
import {
  moveAlias,
  type Outcome,
  type Remote,
  readAlias,
  readConfiguration,
  waitForVersion,
} from './connect.ts';
import { chooseProbes, smoke } from './smoke.ts';
import { listVersions } from './versions.ts';
import { zipFolder } from './zip.ts';

/**
 * Makes an index live without CloudFormation: as a new version, to which `live` moves when it has passed the smoke test.
 * Whatever fails, `live` stays where it was, and `$LATEST` gets back what `live` runs.
 * @param questions that the new version must answer, besides finding passages of its own
 */
export async function push(remote: Remote, index: string, questions: string[]): Promise<Outcome> {
  const { functionName, step } = remote;
  const latest = await readConfiguration(remote);
  // Its revision is read before anything is changed, so that whoever moves it meanwhile is noticed.
  const { version: live, revision } = await readAlias(remote);
  const { zip, held } = await step(`package ${index} for ${latest.architecture}`, () =>
    packageZip(index, latest.architecture),
  );
  const sha256 = codeSha256(zip);
  if (sha256 === (await readConfiguration(remote, live)).codeSha256) {
    await alignLatest(remote);
    const message = `Version ${live}, which is live, is the same to the byte: there is nothing to push.`;
    return { live, was: live, message };
  }
  const probes = await step('choose questions for the smoke test', () => chooseProbes(index));
  const before = new Set((await listVersions(remote)).versions.map(({ version }) => version));
  let version: string | undefined;
  try {
    await updateLatest(remote, zip, latest);
    const published = await step('publish a version', () => publish(remote, sha256, held));
    version = published;
    await step(`wait for version ${published}`, () => waitForVersion(remote, published));
    await step(`smoke test of version ${published}`, () =>
      smoke(remote, published, held.version, probes, questions),
    );
    await step(`move live to version ${published}`, () => moveAlias(remote, published, revision));
  } catch (error) {
    const own = version !== undefined && !before.has(version) ? version : undefined;
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message} ${await undo(remote, sha256, own)}`, { cause: error });
  }
  await alignLatest(remote);
  const message = `Version ${version} of ${functionName} is live (${describeVersion(held)}); it was ${live}.`;
  return { live: version, was: live, message };
}

async function packageZip(
  index: string,
  architecture: Architecture,
): Promise<{ zip: Uint8Array; held: Held }> {
  const folder = mkdtempSync(join(tmpdir(), 'polyseek-push-'));
  return withTemporaryFolder(folder, async () => {
    const packaged = join(folder, 'function');
    await packageFunction(index, packaged, architecture);
    const { index: held } = checkAsset(packaged, architecture);
    return { zip: zipFolder(packaged), held };
  });
}

/** The number of the version; one that is there already where it is the newest and nothing has changed since. */
async function publish({ lambda, functionName }: Remote, sha256: string, held: Held): Promise<string> {
  const { Version } = await lambda.send(
    new PublishVersionCommand({
      FunctionName: functionName,
      CodeSha256: sha256,
      Description: describeVersion(held),
    }),
  );
  return Version!;
}

/**
 * Undoes what a push did that failed.
 * @param sha256 of the code that it put into `$LATEST`; other code there is another push's, whose own business it is
 * @param version that it published
 * @returns how things stand, as a sentence to follow the error's
 */
async function undo(remote: Remote, sha256: string, version: string | undefined): Promise<string> {
  const { lambda, functionName, step } = remote;
  try {
    const { version: live } = await readAlias(remote);
    // The call that moved the alias can succeed and its answer be lost.
    if (live === version)
      return `Version ${live} is live nevertheless: look with npm run remote -- versions.`;
    if ((await readConfiguration(remote)).codeSha256 === sha256) await alignLatest(remote);
    if (version === undefined) return `Version ${live} stays live, and nothing is left of this push.`;
    await step(`delete version ${version}`, () =>
      lambda.send(new DeleteFunctionCommand({ FunctionName: functionName, Qualifier: version })),
    );
    return `Version ${live} stays live; version ${version} was deleted.`;
  } catch (error) {
    const left = version ? `, and version ${version} was left` : '';
    return `Undoing the push failed too: ${error instanceof Error ? error.message : error} What is live did not change, but $LATEST may hold what was pushed${left}: run npm run remote -- versions, and before the next cdk deploy do what its note says.`;
  }
}
