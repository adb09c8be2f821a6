import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Notice } from '../../index/documents/file.ts';
import { type Built, buildFromSources } from '../../index/ingest/build-from-sources.ts';
import type { BuildProgress } from '../../index/ingest/read-passages.ts';
import { type NoticeGroup, Notices } from '../../index/ingest/reading/notices.ts';
import type { CacheSync } from './cache-sync.ts';
import type { Deadline } from './deadline.ts';
import { type CountedSource, isChanged, isUndelivered, Unread } from './documents.ts';
import type { Setup } from './setup.ts';

/** Attempts to read all documents while some of them change. */
const ATTEMPTS = 3;
/** Milliseconds between two uploads of the cache: at least this, or ten times as long as the last one took. */
const SAVE_INTERVAL = 60_000;
/** Typical bytes of a passage in an index with token states. */
const PASSAGE_BYTES = 4000;
/** Passages after which the time for publishing is computed again. */
const STEP = 1000;

/** The folders of a builder. */
export function foldersOf({ work, store }: Setup) {
  const packaged = join(work, 'function');
  return {
    cache: join(work, 'cache'),
    temporary: join(work, 'tmp'),
    packaged,
    index: store === 'bundle' ? join(packaged, 'index') : join(work, 'index'),
  };
}

/** Removes what an earlier invocation left, except the cache. */
export function prepareFolders(setup: Setup): void {
  const { cache, temporary, packaged, index } = foldersOf(setup);
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(setup.work))
    if (join(setup.work, name) !== cache) rmSync(join(setup.work, name), { recursive: true });
  mkdirSync(temporary);
  if (index.startsWith(packaged)) cpSync(setup.functionFolder, packaged, { recursive: true });
}

export interface Making {
  source: CountedSource;
  sync: CacheSync;
  deadline: Deadline;
  /** Stops the build if the lock is lost. */
  lost: AbortSignal;
  /** Called with the number of passages embedded so far. */
  embedded: (count: number) => void;
  /** Called with what could not be read, whether the index was built or not. */
  noticed: (groups: NoticeGroup[]) => void;
  /** Saves what is known of the build so far. Called now and then. */
  save: () => Promise<void>;
}

/**
 * Builds the index of the documents. Saves the cache while it runs.
 * @throws TimeIsUp, LockLost, Unread, NoText, and other errors of a build
 */
export async function makeIndex(setup: Setup, making: Making): Promise<Built> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await makeOnce(setup, making, attempt === ATTEMPTS);
    } catch (error) {
      if (!(error instanceof Unread) || attempt === ATTEMPTS) throw error;
      setup.log('INFO', { message: error.message });
    }
  }
}

/** @param isLast whether to leave out documents that change, as they may change for ever */
async function makeOnce(
  setup: Setup,
  { source, sync, deadline, lost, embedded, noticed, save }: Making,
  isLast: boolean,
): Promise<Built> {
  const { cache, index } = foldersOf(setup);
  const notices = new Notices();
  const unread = new AbortController();
  const report = (notice: Notice) => {
    notices.add(notice);
    if (isUndelivered(notice) || (isChanged(notice) && !isLast)) unread.abort(new Unread(notice));
  };
  const bundled = setup.store === 'bundle';
  const code = bundled ? bytesOf(setup.functionFolder) : 0;
  deadline.reserve(code);
  let reserved = 0;
  const progress = ({ phase, done, passages = 0 }: BuildProgress) => {
    if (phase === 'embedding') embedded(done);
    if (passages < reserved + STEP) return;
    reserved = passages;
    deadline.reserve(code + passages * PASSAGE_BYTES);
  };
  const ended = new AbortController();
  const saving = saveRegularly(ended.signal, setup, async () => {
    await sync.save();
    await save();
  });
  try {
    const signal = AbortSignal.any([deadline.signal, lost, unread.signal]);
    const model = join(setup.functionFolder, 'model');
    return await buildFromSources([source], index, {
      model,
      bundled,
      cache,
      report,
      progress,
      signal,
    });
  } finally {
    noticed(notices.groups());
    ended.abort();
    await saving;
  }
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

/** Saves again and again, until the signal. A failure is only logged, as the next time may succeed. */
async function saveRegularly(signal: AbortSignal, { log }: Setup, save: () => Promise<void>): Promise<void> {
  let wait = SAVE_INTERVAL;
  for (;;) {
    try {
      await sleep(wait, undefined, { signal });
    } catch {
      return;
    }
    const started = performance.now();
    await save().catch((error: Error) =>
      log('INFO', { message: `The cache was not saved: ${error.message}` }),
    );
    wait = Math.max(SAVE_INTERVAL, 10 * (performance.now() - started));
  }
}
