import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { s3Client } from '../../index/aws/s3.ts';
import { S3Source } from '../../index/ingest/sources/s3.ts';
import { connect } from '../deployed/connect.ts';
import { DEFAULT_KEEP } from '../deployed/prune.ts';
import { writeEntry } from '../search/log.ts';
import { Bucket } from './bucket.ts';
import { Builds } from './builds.ts';
import { readEvent } from './event.ts';
import { runBuild } from './run-build.ts';
import type { Setup } from './setup.ts';

const {
  FUNCTION_NAME = '',
  DOCUMENTS = '',
  BUCKET = '',
  STORE = 'bundle',
  KEEP = String(DEFAULT_KEEP),
  FUNCTION_DIR = fileURLToPath(new URL('function', import.meta.url)),
  WORK_DIR = join(tmpdir(), 'polyseek'),
  // Set by Lambda.
  AWS_LAMBDA_FUNCTION_NAME = 'builder',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE = '3008',
} = process.env;

// Whatever is written to a temporary folder lies where the next invocation cleans up.
process.env.TMPDIR = join(WORK_DIR, 'tmp');
mkdirSync(process.env.TMPDIR, { recursive: true });

/** What Lambda tells of an invocation. */
export interface Context {
  awsRequestId: string;
  getRemainingTimeInMillis: () => number;
}

/** The answer to a batch: messages that come again. */
export interface BatchAnswer {
  batchItemFailures: { itemIdentifier: string }[];
}

/** The clients are kept between invocations, with their connections. */
const remote = connect({
  functionName: FUNCTION_NAME,
  bucket: BUCKET,
  step: async (name, run) => {
    const started = performance.now();
    const result = await run();
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    writeEntry({ timestamp: new Date().toISOString(), level: 'INFO', step: name, seconds });
    return result;
  },
});
/** Errors of this client are described by the source. */
const documents = s3Client({ followRegionRedirects: true, maxAttempts: 1 });

/**
 * Entry point of the builder: `builder.handler`. Events: a batch of the queue, `{build: ID}` or `{continue: ID}`.
 * @returns for a batch: all its messages if another build runs, so that they come again
 * @throws if the build fails, so that the queue sends the messages again
 */
export async function handler(event: unknown, context: Context): Promise<BatchAnswer | undefined> {
  const request = readEvent(event);
  const outcome = await runBuild(setupOf(request.id, context), request, () =>
    context.getRemainingTimeInMillis(),
  );
  if (request.kind !== 'batch') return undefined;
  const again = outcome === 'busy' ? request.messages : [];
  return { batchItemFailures: again.map((itemIdentifier) => ({ itemIdentifier })) };
}

function setupOf(build: string, { awsRequestId: requestId }: Context): Setup {
  const bucket = new Bucket(BUCKET, remote.s3);
  return {
    name: AWS_LAMBDA_FUNCTION_NAME,
    remote,
    bucket,
    builds: new Builds(bucket),
    address: DOCUMENTS,
    documents: new S3Source(DOCUMENTS, {}, documents),
    store: STORE,
    keep: Number(KEEP),
    functionFolder: FUNCTION_DIR,
    work: WORK_DIR,
    memory: Number(AWS_LAMBDA_FUNCTION_MEMORY_SIZE),
    invokeSelf: async (event) => {
      const input = { FunctionName: AWS_LAMBDA_FUNCTION_NAME, InvocationType: 'Event' as const };
      await remote.lambda.send(new InvokeCommand({ ...input, Payload: JSON.stringify(event) }));
    },
    log: (level, fields) =>
      writeEntry({ timestamp: new Date().toISOString(), level, requestId, build, ...fields }),
  };
}
