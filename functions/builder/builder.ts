import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bucket, s3Client } from '../../index/aws/s3.ts';
import { S3Source } from '../../index/ingest/sources/s3-source.ts';
import { connect } from '../deployed/connect.ts';
import { DEFAULT_KEEP } from '../deployed/prune.ts';
import { readEvent } from './event.ts';
import { type Builder, type Context, log } from './run.ts';
import { runBuild } from './run-build.ts';

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

/** The clients are kept between invocations, with their connections. */
const remote = connect({
  functionName: FUNCTION_NAME,
  bucket: BUCKET,
  step: async (step, run) => {
    const started = performance.now();
    const result = await run();
    log('INFO', { step, seconds: Math.round((performance.now() - started) / 100) / 10 });
    return result;
  },
});
/** Errors of this client are described by the source. */
const documents = s3Client({ followRegionRedirects: true, maxAttempts: 1 });
const builder: Builder = {
  name: AWS_LAMBDA_FUNCTION_NAME,
  memory: Number(AWS_LAMBDA_FUNCTION_MEMORY_SIZE),
  remote,
  bucket: new Bucket(BUCKET, remote.s3),
  documents: new S3Source(DOCUMENTS, {}, documents),
  address: DOCUMENTS,
  store: STORE,
  keep: Number(KEEP),
  functionFolder: FUNCTION_DIR,
  work: WORK_DIR,
};

/**
 * Entry point of the builder: `builder.handler`. Events: a batch of the queue, `{build: ID}` or `{continue: ID}`.
 * @returns for a batch: all its messages if another build runs, so that they come again
 * @throws if the build fails, so that the queue sends the messages again
 */
export async function handler(event: unknown, context: Context) {
  const request = readEvent(event);
  const outcome = await runBuild(builder, request, context);
  if (request.kind !== 'batch') return undefined;
  const again = outcome === 'busy' ? request.messages : [];
  return { batchItemFailures: again.map((itemIdentifier) => ({ itemIdentifier })) };
}
