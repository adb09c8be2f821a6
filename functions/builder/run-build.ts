import { NoText } from '../../index/ingest/build.ts';
import type { NoticeGroup } from '../../index/ingest/reading/notices.ts';
import { type BuildRecord, newBuildId, shortened } from './builds.ts';
import { CacheSync } from './cache-sync.ts';
import { Deadline, TimeIsUp } from './deadline.ts';
import { CountedSource } from './documents.ts';
import type { BuildRequest } from './event.ts';
import { Lock } from './lock.ts';
import { foldersOf, makeIndex, prepareFolders } from './make-index.ts';
import { withBuildMetrics } from './metrics.ts';
import { hasIndex, publishIndex } from './publish-index.ts';
import type { Setup } from './setup.ts';

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
 * @param remaining milliseconds until Lambda ends the invocation
 * @throws why the build failed; its record says so too, and the live index stays
 */
export async function runBuild(
  setup: Setup,
  request: BuildRequest,
  remaining: () => number,
): Promise<Outcome> {
  let { lock, ...attempt } = await Lock.take(setup.bucket, request.id);
  if (!lock) {
    const holder = 'heldBy' in attempt ? attempt.heldBy : undefined;
    // Lambda may deliver an event twice.
    if (holder === request.id) return 'running';
    await setup.bucket.write(AGAIN, JSON.stringify({ build: request.id }));
    // If the lock was released before the note was there, nobody else reads the note.
    ({ lock, ...attempt } = await Lock.take(setup.bucket, request.id));
    if (!lock) return refuse(setup, request, holder);
  }
  const { builds, log } = setup;
  const record: BuildRecord = {
    id: request.id,
    started: new Date().toISOString(),
    status: 'running',
    cause: request.cause,
    notices: [],
  };
  const deadline = new Deadline(remaining, setup.memory);
  const sync = new CacheSync(setup.bucket, foldersOf(setup).cache);
  const parts: Parts = { lock, deadline, sync, uploaded: false };
  try {
    await bury(setup, 'died' in attempt ? attempt.died : undefined, request.id);
    const known = request.kind === 'batch' ? undefined : await builds.read(request.id);
    if (known?.ended) {
      // Lambda may deliver an event twice.
      await lock.release();
      return known.status;
    }
    if (known) Object.assign(record, known, { status: 'running' });
    await builds.write(record);
    log('INFO', { message: 'The build starts.', cause: record.cause });

    await build(setup, record, parts);
    record.ended = new Date().toISOString();
    await builds.write(record);
  } catch (error) {
    deadline.end();
    if (error instanceof TimeIsUp) return await goOn(setup, record, parts);
    await fail(setup, record, parts, error);
    throw error;
  }
  deadline.end();
  const { notices: _, ...summary } = record;
  log('INFO', { ...summary, ...withBuildMetrics(record, setup.name, new Date()) });
  await cleanUp(setup, lock);
  return record.status;
}

interface Parts {
  lock: Lock;
  deadline: Deadline;
  sync: CacheSync;
  /** Whether rows were uploaded to S3 Vectors. */
  uploaded: boolean;
}

/** Builds and publishes, and writes into the record what came of it. */
async function build(setup: Setup, record: BuildRecord, parts: Parts): Promise<void> {
  const { lock, deadline, sync } = parts;
  const source = new CountedSource(setup.documents);
  prepareFolders(setup);
  await sync.download();
  const before = record.embedded ?? 0;
  const embedded = (count: number) => {
    record.embedded = before + count;
  };
  const noticed = (groups: NoticeGroup[]) => {
    record.notices = shortened(groups);
  };
  const save = () => setup.builds.write(record);
  const built = await makeIndex(setup, {
    source,
    sync,
    deadline,
    lost: lock.signal,
    embedded,
    noticed,
    save,
  }).catch(async (error) => {
    if (!(error instanceof NoText)) throw error;
    if (source.count === 0 && !(await hasIndex(setup))) return undefined;
    throw new Error(
      `${setup.address}: ${source.count === 0 ? 'there are no documents' : `no text in ${source.count} documents`}. The live index stays. To remove it, destroy the stack.`,
    );
  });
  if (!built) {
    Object.assign(record, { status: 'unchanged', reason: `${setup.address}: there are no documents yet.` });
    return;
  }
  const { documents, passages, manifest } = built;
  record.embedded ??= 0;
  const unchanged = Math.max(0, passages - record.embedded);
  const index = manifest.version;
  Object.assign(record, { documents, passages, unchanged, index });
  await sync.save();
  deadline.signal.throwIfAborted();
  if (setup.store === 'bundle') {
    // From here on, the time that was reserved is used.
    deadline.end();
  } else deadline.reserve(0);
  const published = await publishIndex(setup, {
    guard: () => lock.confirm(),
    signal: AbortSignal.any([deadline.signal, lock.signal]),
    uploaded: () => {
      parts.uploaded = true;
    },
  });
  record.live = published.live;
  record.status = published.unchanged ? 'unchanged' : 'succeeded';
  record.reason = published.message;
}

/** After the time of this invocation: lets another one go on. */
async function goOn(setup: Setup, record: BuildRecord, parts: Parts): Promise<Outcome> {
  const { lock, sync, uploaded } = parts;
  try {
    await sync.save();
    if (sync.uploads === 0 && !uploaded)
      throw new Error(
        'One invocation is too short for this build, although nothing is left to embed. Raise builderMemory, which gives the builder more processors.',
      );
    record.status = 'continues';
    await setup.builds.write(record);
    await lock.handOver();
    await setup.invokeSelf({ continue: record.id });
    setup.log('INFO', { message: 'The build continues in another invocation.', embedded: record.embedded });
    return 'continues';
  } catch (error) {
    await fail(setup, record, parts, error);
    throw error;
  }
}

/** Records a failure, and saves what was embedded. Nothing here may hide the reason. */
async function fail(setup: Setup, record: BuildRecord, { lock, sync }: Parts, error: unknown): Promise<void> {
  const now = new Date();
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const reason = isFull(error) ? FULL : message;
  Object.assign(record, { status: 'failed', reason, ended: now.toISOString() });
  const { notices: _, ...summary } = record;
  setup.log('ERROR', { ...summary, error: stack, ...withBuildMetrics(record, setup.name, now) });
  try {
    await sync.save();
    await setup.builds.write(record);
    await lock.release();
  } catch (other) {
    // The next build finds the lock when its lease has ended, and completes the record.
    await lock.abandon();
    setup.log('ERROR', {
      message: `The failure was not recorded: ${other instanceof Error ? other.message : other}`,
    });
  }
}

/** Whether an error, or its cause, is the system's error of a full disk. */
function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === 'ENOSPC') || isFull(error.cause);
}

/** After a build that succeeded: frees the lock, deletes old records, and starts another build if one was refused meanwhile. */
async function cleanUp({ bucket, builds, invokeSelf, log }: Setup, lock: Lock): Promise<void> {
  try {
    await lock.release();
    await builds.prune();
    const note = await bucket.read(AGAIN);
    if (!note || note.text === DONE) return;
    await invokeSelf({ build: newBuildId(), cause: 'events' });
    // A note that was written meanwhile stays: the build that it belongs to may not see its documents.
    await bucket.write(AGAIN, DONE, { ifMatch: note.etag });
  } catch (error) {
    // The lease of the lock ends, and messages that were refused come again, only later.
    log('INFO', { message: `The build did not clean up: ${error instanceof Error ? error.message : error}` });
  }
}

/** Another build runs. A request gets a record that says so. */
async function refuse(setup: Setup, request: BuildRequest, holder: string | undefined): Promise<Outcome> {
  const known = request.kind === 'batch' ? undefined : await setup.builds.read(request.id);
  if (known?.ended) return known.status;
  const now = new Date().toISOString();
  const reason = `${holder ? `Build ${holder}` : 'Another build'} is running. When it ends, a new one starts by itself: see npx polyseek remote builds.`;
  if (request.kind !== 'batch') {
    const record: BuildRecord = {
      id: request.id,
      started: now,
      cause: request.cause,
      notices: [],
      ...known,
      status: 'failed',
      reason,
      ended: now,
    };
    await setup.builds.write(record);
  }
  setup.log('INFO', { message: reason });
  return 'busy';
}

/** Completes the record of a build that died. */
async function bury({ builds }: Setup, died: string | undefined, heir: string): Promise<void> {
  const record = died === undefined || died === heir ? undefined : await builds.read(died);
  if (!record || record.ended) return;
  const reason = `${DIED} Build ${heir} took over.`;
  await builds.write({ ...record, status: 'failed', reason, ended: new Date().toISOString() });
}
