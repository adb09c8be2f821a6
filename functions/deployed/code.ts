import { createHash } from 'node:crypto';
import { GetFunctionCommand, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { type Configuration, type Remote, readAlias, readConfiguration, waitForUpdate } from './connect.ts';
import { UPLOADS } from './resource-names.ts';

/** How often `alignLatest` updates `$LATEST` before it gives up, as the alias may move during each update. */
const MAX_ALIGNMENTS = 3;

/** SHA-256 of a zip in base64, as Lambda reports it. */
export function codeSha256(zip: Uint8Array): string {
  return createHash('sha256').update(zip).digest('base64');
}

/** Key of an uploaded zip in the bucket: its SHA-256 (given in base64) in hexadecimal. */
export function uploadKey(sha256: string): string {
  return `${UPLOADS}${Buffer.from(sha256, 'base64').toString('hex')}.zip`;
}

/** Makes a zip the code of `$LATEST`. Uploads it to the bucket first, because a call of Lambda carries at most 50 MB. */
export async function updateLatest(
  remote: Remote,
  zip: Uint8Array,
  { architecture, bootstrapBucket }: Configuration,
): Promise<void> {
  const { lambda, s3, functionName, bucket = bootstrapBucket, step } = remote;
  const key = uploadKey(codeSha256(zip));
  await step(`upload to ${bucket}/${key}`, () =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: zip })),
  );
  await step('update the code of $LATEST', async () => {
    await lambda.send(
      new UpdateFunctionCodeCommand({
        FunctionName: functionName,
        S3Bucket: bucket,
        S3Key: key,
        // Lambda's default is x86_64.
        Architectures: [architecture],
      }),
    );
    await waitForUpdate(remote);
  });
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

/**
 * Aligns `$LATEST` after `live` moved.
 * @throws with the live version, and the command that completes the move
 */
export async function alignAfterMove(remote: Remote, live: string): Promise<void> {
  try {
    await alignLatest(remote);
  } catch (error) {
    throw new Error(
      `${error instanceof Error ? error.message : error} Version ${live} is live, but $LATEST still contains other code, which the next cdk deploy may publish. Run npx polyseek rollback ${live}.`,
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
  const failed = (why: string) =>
    new Error(
      `The code of version ${version} could not be downloaded from the address that lambda:GetFunction returned (${why}). Run the command again.`,
    );
  const zip = await fetch(Code!.Location!)
    .then(async (response) => {
      if (!response.ok) throw new Error(`status ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    })
    .catch((error: Error) => {
      throw failed(error.message);
    });
  if (codeSha256(zip) !== expected) throw failed('its SHA-256 differs from CodeSha256');
  return zip;
}
