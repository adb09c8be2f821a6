import { createHash } from 'node:crypto';
import { GetFunctionCommand, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { type Configuration, type Remote, readAlias, readConfiguration, waitForUpdate } from './connect.ts';

/** SHA-256 of a zip in base64, as Lambda tells it. */
export function codeSha256(zip: Uint8Array): string {
  return createHash('sha256').update(zip).digest('base64');
}

/**
 * Makes a zip the code of `$LATEST`. It goes through the bucket, as a call of Lambda may carry 50 MB only; there its name is its
 * SHA-256.
 */
export async function updateLatest(
  remote: Remote,
  zip: Uint8Array,
  { architecture, bootstrapBucket }: Configuration,
): Promise<void> {
  const { lambda, s3, functionName, bucket = bootstrapBucket, step } = remote;
  const key = `polyseek/${Buffer.from(codeSha256(zip), 'base64').toString('hex')}.zip`;
  await step(`upload to ${bucket}/${key}`, () =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: zip })),
  );
  await step('update the code of $LATEST', async () => {
    await lambda.send(
      new UpdateFunctionCodeCommand({
        FunctionName: functionName,
        S3Bucket: bucket,
        S3Key: key,
        // Without it Lambda takes x86_64.
        Architectures: [architecture],
      }),
    );
    await waitForUpdate(remote);
  });
}

/**
 * Puts the code that `live` runs into `$LATEST`, if it holds other code: a `cdk deploy` that changes only configuration publishes
 * what is there.
 */
export async function alignLatest(remote: Remote): Promise<void> {
  const { version } = await readAlias(remote);
  const [live, latest] = await Promise.all([readConfiguration(remote, version), readConfiguration(remote)]);
  if (live.codeSha256 === latest.codeSha256) return;
  const zip = await remote.step(`fetch the code of version ${version}`, () => fetchCode(remote, live));
  await updateLatest(remote, zip, live);
  // The alias may have moved meanwhile.
  await alignLatest(remote);
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
      `The code of version ${version} could not be fetched from where lambda:GetFunction says it is (${why}): run the command again.`,
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
