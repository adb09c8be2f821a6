import { messageOf } from '../../index/kit/errors.ts';
import { invokeBuilder } from '../deployed/function-parts.ts';
import { type BuildRecord, Builds, logEntryOf, newBuildId } from './builds.ts';
import type { BuildRequest } from './event.ts';
import { type Attempt, takeLock } from './lock.ts';
import { makeIndex } from './make-index.ts';
import { hasIndex, publishIndex } from './publish-index.ts';
import { type Builder, type Context, log, Run, TimeIsUp } from './run.ts';

/** What became of a request. `busy`: another build runs, so this one did not. */
export type Outcome = BuildRecord['status'] | 'busy';

/** A note that a build was refused, so that one more follows the build that runs. It stays as `DONE` when that has started. */
const AGAIN = 'builder/again.json';
const DONE = '{}';

/** A build of which nothing is left but its record. */
const DIED = 'It ended without a word: it was killed, ran out of memory, or ran out of time.';

/** Lambda offers no larger disk than the builder has. */
const FULL =
  "The builder's disk of 10 GB is full: documents, cache and index need more. Keep fewer documents in the bucket, or build the index on another machine and upload it with npx polyseek push.";

/**
 * Builds and publishes the index, unless another build runs.
 * @throws why the build failed; its record says so too, and the live index stays
 */
export async function runBuild(builder: Builder, request: BuildRequest, context: Context): Promise<Outcome> {
  const attempt = await takeOrNote(builder, request);
  if (!attempt.lock) return refuse(builder, request, context, attempt.heldBy);
  const run = new Run(builder, request, context, attempt.lock);
  const { record } = run;
  try {
    if (await hasEnded(run, request, attempt.died)) return record.status;
    await run.builds.write(record);
    run.log('INFO', { message: 'The build starts.', cause: record.cause });
    await build(run);
    record.ended = new Date().toISOString();
    await run.builds.write(record);
  } catch (error) {
    if (error instanceof TimeIsUp) return await goOn(run);
    await fail(run, error);
    throw error;
  } finally {
    run.deadline.end();
  }
  run.log('INFO', logEntryOf(record, builder.name, new Date()));
  await cleanUp(run);
  return record.status;
}

/** Takes the lock. If another build has it, leaves a note that one more build must follow. */
async function takeOrNote({ bucket }: Builder, { id }: BuildRequest): Promise<Attempt> {
  const attempt = await takeLock(bucket, id);
  if (attempt.lock || attempt.heldBy === id) return attempt;
  await bucket.put(AGAIN, JSON.stringify({ build: id }));
  // If the lock was released before the note was there, nobody else reads the note.
  return takeLock(bucket, id);
}

/** Another build runs. A request gets a record that says so. */
async function refuse(
  { bucket }: Builder,
  { id, cause, kind }: BuildRequest,
  { awsRequestId: requestId }: Context,
  holder: string | undefined,
): Promise<Outcome> {
  // Lambda may deliver an event twice.
  if (holder === id) return 'running';
  const builds = new Builds(bucket);
  const known = kind === 'batch' ? undefined : await builds.read(id);
  if (known?.ended) return known.status;
  const now = new Date().toISOString();
  const reason = `${holder ? `Build ${holder}` : 'Another build'} is running. When it ends, a new one starts by itself: see npx polyseek remote builds.`;
  if (kind !== 'batch') {
    const record = { id, started: now, cause, notices: [], ...known };
    await builds.write({ ...record, status: 'failed', reason, ended: now });
  }
  log('INFO', { requestId, build: id, message: reason });
  return 'busy';
}

/**
 * Completes the record of the build that had the lock and died, and goes on with the record of this build's earlier run.
 * @returns whether this build has ended already, because Lambda may deliver an event twice
 */
async function hasEnded({ builds, record, lock }: Run, { kind, id }: BuildRequest, died = id) {
  const dead = died === id ? undefined : await builds.read(died);
  if (dead && !dead.ended) {
    const reason = `${DIED} Build ${id} took over.`;
    await builds.write({ ...dead, status: 'failed', reason, ended: new Date().toISOString() });
  }
  const known = kind === 'batch' ? undefined : await builds.read(id);
  if (known?.ended) await lock.release(null);
  Object.assign(record, known, !known?.ended && { status: 'running' });
  return known?.ended !== undefined;
}

/** Builds and publishes, and writes into the record what came of it. */
async function build(run: Run): Promise<void> {
  const { builder, record } = run;
  const index = await makeIndex(run);
  if (index === undefined) {
    if (await hasIndex(builder))
      throw new Error(
        `${builder.address}: there are no documents. The live index stays. To remove it, destroy the stack.`,
      );
    Object.assign(record, { status: 'unchanged', reason: `${builder.address}: there are no documents yet.` });
    return;
  }
  await run.cache.save();
  run.deadline.signal.throwIfAborted();
  const { live, unchanged, message } = await publishIndex(run, index);
  Object.assign(record, { live, status: unchanged ? 'unchanged' : 'succeeded', reason: message });
}

/** After the time of this run: lets another one go on. */
async function goOn(run: Run): Promise<Outcome> {
  const { builder, builds, record, lock, cache } = run;
  try {
    await cache.save();
    if (cache.uploads === 0 && !run.uploaded)
      throw new Error(
        'One invocation is too short for this build, although nothing is left to embed. Raise builderMemory, which gives the builder more processors.',
      );
    record.status = 'continues';
    await builds.write(record);
    await lock.handOver();
    await invokeBuilder(builder.remote, builder.name, { continue: record.id });
    run.log('INFO', { message: 'The build continues in another invocation.', embedded: record.embedded });
    return 'continues';
  } catch (error) {
    await fail(run, error);
    throw error;
  }
}

/** Records a failure, and saves what was embedded. Nothing here may hide the reason. */
async function fail(run: Run, error: unknown): Promise<void> {
  const now = new Date();
  const reason = isFull(error) ? FULL : messageOf(error);
  Object.assign(run.record, { status: 'failed', reason, ended: now.toISOString() });
  const { stack } = error instanceof Error ? error : new Error(String(error));
  run.log('ERROR', { ...logEntryOf(run.record, run.builder.name, now), error: stack });
  try {
    await run.save();
    await run.lock.release(null);
  } catch (other) {
    // The next build finds the lock when its lease has ended, and completes the record.
    run.lock.abandon();
    run.log('ERROR', { message: `The failure was not recorded: ${messageOf(other)}` });
  }
}

/** Whether an error, or its cause, is the system's error of a full disk. */
function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === 'ENOSPC') || isFull(error.cause);
}

/** After a build that succeeded: frees the lock, deletes old records, and starts another build if one was refused meanwhile. */
async function cleanUp(run: Run): Promise<void> {
  const { bucket, remote, name } = run.builder;
  try {
    await run.lock.release(null);
    await run.builds.prune();
    const note = await bucket.find(AGAIN);
    if (!note || note.bytes.toString() === DONE) return;
    await invokeBuilder(remote, name, { build: newBuildId(), cause: 'events' });
    // A note that was written meanwhile stays: the build that it belongs to may not see its documents.
    await bucket.putIf(AGAIN, DONE, { etag: note.etag });
  } catch (error) {
    // The lease of the lock ends, and messages that were refused come again, only later.
    run.log('INFO', { message: `The build did not clean up: ${messageOf(error)}` });
  }
}
