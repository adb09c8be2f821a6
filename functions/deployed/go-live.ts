import { createHash, randomUUID } from 'node:crypto';
import {
  GetFunctionCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describeError } from '../../index/aws/describe-error.ts';
import { messageOf } from '../../index/kit/errors.ts';
import { LIVE, type Remote } from './connect.ts';
import { UPLOADS } from './settings.ts';
import { describeVersion, type IndexSummary } from './version-description.ts';
import { type Canary, type Configuration, listVersions, readAlias, readConfiguration } from './versions.ts';

/** The result of a push or rollback. */
export interface Outcome {
  /** The version that is live now. */
  live: string;
  /** The version that was live before. */
  was: string;
  /** The version that gets a share of the requests. */
  canary?: Canary;
  /** The result as a sentence. */
  message: string;
}

/** How often `alignLatest` updates `$LATEST` before it gives up, as the alias may move during each update. */
const MAX_ALIGNMENTS = 3;

/** SHA-256 of a zip in base64, as Lambda reports it. */
export function codeSha256(zip: Uint8Array): string {
  return createHash('sha256').update(zip).digest('base64');
}

/** Makes a zip the code of `$LATEST`. Uploads it for that, because a call of Lambda carries at most 50 MB. */
export async function updateLatest(
  remote: Remote,
  zip: Uint8Array,
  { architecture, bootstrapBucket }: Configuration,
): Promise<void> {
  const { lambda, s3, functionName, bucket: Bucket = bootstrapBucket, step } = remote;
  const Key = `${UPLOADS}${randomUUID()}.zip`;
  await step(`upload to ${Bucket}`, () => s3.send(new PutObjectCommand({ Bucket, Key, Body: zip })));
  try {
    await step('update the code of $LATEST', async () => {
      await lambda.send(
        new UpdateFunctionCodeCommand({
          FunctionName: functionName,
          S3Bucket: Bucket,
          S3Key: Key,
          // Lambda's default is x86_64.
          Architectures: [architecture],
        }),
      );
      await waitForUpdate(remote);
    });
  } finally {
    // Lambda has its own copy. An upload that stays is no reason to fail.
    await s3.send(new DeleteObjectCommand({ Bucket, Key })).catch(() => {});
  }
}

/** Waits until new code has reached `$LATEST`, or until a new version can be invoked. */
export async function waitForUpdate(
  { lambda: client, functionName: FunctionName }: Remote,
  version?: string,
): Promise<void> {
  const settings = { client, minDelay: 1, maxDelay: 5, maxWaitTime: 300 };
  try {
    if (version === undefined) await waitUntilFunctionUpdatedV2(settings, { FunctionName });
    else await waitUntilPublishedVersionActive(settings, { FunctionName, Qualifier: version });
  } catch (cause) {
    const call = version === undefined ? 'lambda:GetFunction' : 'lambda:GetFunctionConfiguration';
    throw new Error(describeError(cause, { call, functionName: FunctionName }), { cause });
  }
}

/** Publishes `$LATEST`. Lambda returns the newest version instead if that has the same code and settings. */
export async function publishLatest(
  { lambda, functionName }: Remote,
  sha256: string,
  summary: IndexSummary,
): Promise<string> {
  const { Version } = await lambda.send(
    new PublishVersionCommand({
      FunctionName: functionName,
      CodeSha256: sha256,
      Description: describeVersion(summary, true),
    }),
  );
  return Version!;
}

/** Points `live` at a version, and gives a canary its share. Fails if someone else moved it after its revision was read. */
export async function moveAlias(
  { lambda, functionName }: Remote,
  version: string,
  revision: string,
  canary?: Canary,
): Promise<void> {
  const AdditionalVersionWeights = canary ? { [canary.version]: canary.percent / 100 } : {};
  await lambda.send(
    new UpdateAliasCommand({
      FunctionName: functionName,
      Name: LIVE,
      FunctionVersion: version,
      RevisionId: revision,
      // Lambda keeps the shares of before unless they are named.
      RoutingConfig: { AdditionalVersionWeights },
    }),
  );
}

/** Sends all requests to the live version again. */
export function endCanary(
  remote: Remote,
  live: string,
  revision: string,
  { version }: Canary,
): Promise<void> {
  return remote.step(`end the share of version ${version}`, () => moveAlias(remote, live, revision));
}

/**
 * Copies the code of the live version into `$LATEST` if it differs, because a `cdk deploy` that changes only configuration publishes
 * the code of `$LATEST`.
 * @throws if the alias moved during each of `MAX_ALIGNMENTS` updates
 */
export async function alignLatest(remote: Remote): Promise<void> {
  for (let updates = 0; ; updates++) {
    const { version } = await readAlias(remote);
    const [live, latest] = await Promise.all([readConfiguration(remote, version), readConfiguration(remote)]);
    if (live.codeSha256 === latest.codeSha256) return;
    if (updates === MAX_ALIGNMENTS) break;
    const zip = await remote.step(`download the code of version ${version}`, () => fetchCode(remote, live));
    await updateLatest(remote, zip, live);
  }
  throw new Error(
    `$LATEST still differs from the live version after ${MAX_ALIGNMENTS} updates. Wait until other pushes and rollbacks of ${remote.functionName} end.`,
  );
}

/** Aligns `$LATEST` after `live` moved. The error names the live version, and the command that completes the move. */
export async function alignAfterMove(remote: Remote, live: string): Promise<void> {
  try {
    await alignLatest(remote);
  } catch (error) {
    throw new Error(
      `${messageOf(error)} Version ${live} is live, but $LATEST still contains other code, which the next cdk deploy may publish. Run npx polyseek rollback ${live}.`,
      { cause: error },
    );
  }
}

async function fetchCode(
  { lambda, functionName }: Remote,
  { version, codeSha256: expected }: Configuration,
): Promise<Uint8Array> {
  const { Code } = await lambda.send(
    new GetFunctionCommand({ FunctionName: functionName, Qualifier: version }),
  );
  try {
    const response = await fetch(Code!.Location!);
    if (!response.ok) throw new Error(`status ${response.status}`);
    const zip = new Uint8Array(await response.arrayBuffer());
    if (codeSha256(zip) !== expected) throw new Error('its SHA-256 differs from CodeSha256');
    return zip;
  } catch (cause) {
    throw new Error(
      `The code of version ${version} could not be downloaded from the address that lambda:GetFunction returned (${messageOf(cause)}). Run the command again.`,
      { cause },
    );
  }
}

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
