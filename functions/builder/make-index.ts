import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Notice } from '../../index/documents/file.ts';
import { NoText } from '../../index/ingest/build.ts';
import { buildFromSources } from '../../index/ingest/build-from-sources.ts';
import type { BuildProgress } from '../../index/ingest/read-passages.ts';
import { Notices } from '../../index/ingest/reading/notices.ts';
import { PASSING_REASONS } from '../../index/ingest/sources/s3-source.ts';
import type { Source } from '../../index/ingest/sources/source.ts';
import { messageOf } from '../../index/kit/errors.ts';
import { shortened } from './builds.ts';
import type { Builder, Run } from './run.ts';

/** Attempts to read all documents while some of them change. */
const ATTEMPTS = 3;
/** Milliseconds between two uploads of the cache: at least this, or ten times as long as the last one took. */
const SAVE_INTERVAL = 60_000;
/** Typical bytes of a passage in an index with token states. */
const PASSAGE_BYTES = 4000;
/** Passages after which the time for publishing is computed again. */
const STEP = 1000;

/** Documents could not be read, although they exist. Without them, the index would lose what it has. */
class Unread extends Error {
  constructor({ place, reason }: Notice) {
    super(`${place}: ${reason}. The build runs again.`);
  }
}

/**
 * Builds the index of the documents, and notes in the run's record what it read and embedded. Saves the cache and the record meanwhile.
 * @returns the folder of the index, in the search function's own if it belongs there; undefined if there are no documents
 * @throws TimeIsUp, and other errors of a build
 */
export async function makeIndex(run: Run): Promise<string | undefined> {
  const index = prepareFolders(run.builder);
  await run.cache.download();
  const ended = new AbortController();
  const saving = saveRegularly(run, ended.signal);
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await makeOnce(run, index, attempt === ATTEMPTS)) ? index : undefined;
      } catch (error) {
        if (!(error instanceof Unread) || attempt === ATTEMPTS) throw error;
        run.log('INFO', { message: error.message });
      }
    }
  } finally {
    ended.abort();
    await saving;
  }
}

/** Removes what an earlier run left, except the cache. @returns the folder for the index */
function prepareFolders({ work, functionFolder, store }: Builder): string {
  mkdirSync(join(work, 'cache'), { recursive: true });
  for (const name of readdirSync(work)) if (name !== 'cache') rmSync(join(work, name), { recursive: true });
  // The process's TMPDIR.
  mkdirSync(join(work, 'tmp'));
  if (store !== 'bundle') return join(work, 'index');
  cpSync(functionFolder, join(work, 'function'), { recursive: true });
  return join(work, 'function/index');
}

/**
 * @param isLast whether to leave out documents that change, as they may change for ever
 * @returns whether there are documents
 */
async function makeOnce(run: Run, index: string, isLast: boolean): Promise<boolean> {
  const { builder, record, deadline } = run;
  const bundled = builder.store === 'bundle';
  const code = bundled ? bytesOf(builder.functionFolder) : 0;
  deadline.reserve(code);
  let reserved = 0;
  const before = record.embedded ?? 0;
  const progress = ({ phase, done, passages = 0 }: BuildProgress) => {
    if (phase === 'embedding') record.embedded = before + done;
    if (passages < reserved + STEP) return;
    reserved = passages;
    deadline.reserve(code + passages * PASSAGE_BYTES);
  };
  const notices = new Notices();
  const unread = new AbortController();
  const report = (notice: Notice) => {
    notices.add(notice);
    const isChanged = notice.reason === PASSING_REASONS.changed;
    const isUndelivered = notice.reason === PASSING_REASONS.failed;
    if (isUndelivered || (isChanged && !isLast)) unread.abort(new Unread(notice));
  };
  let listed = 0;
  const source: Source = {
    options: builder.documents.options,
    async *files(context) {
      for await (const file of builder.documents.files(context)) {
        listed++;
        yield file;
      }
    },
  };
  try {
    const { documents, passages, manifest } = await buildFromSources([source], index, {
      model: join(builder.functionFolder, 'model'),
      bundled,
      cache: run.cache.folder,
      report,
      progress,
      signal: AbortSignal.any([run.signal, unread.signal]),
    });
    record.embedded ??= 0;
    const unchanged = Math.max(0, passages - record.embedded);
    Object.assign(record, { documents, passages, unchanged, index: manifest.version });
    return true;
  } catch (error) {
    if (!(error instanceof NoText)) throw error;
    if (listed === 0) return false;
    throw new Error(
      `${builder.address}: no text in ${listed} documents. The live index stays. To remove it, destroy the stack.`,
    );
  } finally {
    record.notices = shortened(notices.groups());
  }
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

/** Saves again and again, until the signal. A failure is only logged, as the next time may succeed. */
async function saveRegularly(run: Run, signal: AbortSignal): Promise<void> {
  let wait = SAVE_INTERVAL;
  for (;;) {
    try {
      await sleep(wait, undefined, { signal });
    } catch {
      return;
    }
    const started = performance.now();
    await run
      .save()
      .catch((error) => run.log('INFO', { message: `The cache was not saved: ${messageOf(error)}` }));
    wait = Math.max(SAVE_INTERVAL, 10 * (performance.now() - started));
  }
}
