import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Document } from '../documents/document.ts';
import { type Notice, Unreadable } from '../documents/file.ts';
import { formatOf } from '../documents/formats.ts';
import { listFiles } from '../sources/read.ts';
import type { Memory, Source, SourceFile } from '../sources/source.ts';
import { readersVersion } from './readers-version.ts';
import { type ReadEvent, ReadingProcess } from './reading-process.ts';
import { Spool, SpooledList } from './spool.ts';

/** Documents of a file are stored for the next build if they are at most this long, in bytes of JSON. */
const MAX_STORED = 32 * 2 ** 20;

/** Keeps what earlier builds read, by a key of 32 bytes. */
export interface ReadCache {
  get(key: Buffer): Uint8Array | undefined;
  put(key: Buffer, value: Uint8Array): void;
}

/** How far reading is. */
export interface ReadProgress {
  files: number;
  /** Files of all sources. */
  of: number;
}

export interface ReadSettings {
  cache?: ReadCache;
  memory?: Memory;
  /** Stop at the first failure. */
  strict?: boolean;
  report?: (notice: Notice) => void;
  progress?: (progress: ReadProgress) => void;
}

/** What reading sources returns at its end. */
export interface ReadSummary {
  /** Files with documents. */
  files: number;
  /** Those whose content is as in an earlier build. */
  unchanged: number;
}

/**
 * Reads the documents of sources, in their order. Reports what cannot be read, and goes on. Reads only files that changed since the
 * last build with this cache.
 * @returns how many files were read
 * @throws Unreadable at the first failure, with `strict`
 */
export async function* readSources(
  sources: readonly Source[],
  { cache, memory = new Map(), strict = false, report = () => {}, progress = () => {} }: ReadSettings = {},
): AsyncGenerator<Document, ReadSummary> {
  const checked = (notice: Notice) => {
    const { kind, place, reason, fix = '' } = notice;
    if (strict && kind === 'failed') throw new Unreadable(place, reason, fix);
    report(notice);
  };
  const spool = new Spool();
  const reading = new ReadingProcess();
  const summary: ReadSummary = { files: 0, unchanged: 0 };
  try {
    const files: { file: SourceFile; source: Source }[] = [];
    for await (const one of listFiles(sources, { memory, report: checked })) files.push(one);
    const documents = new SpooledList<Document>(join(spool.folder, 'documents.jsonl'));
    for (const [done, { file, source }] of files.entries()) {
      progress({ files: done, of: files.length });
      if (!formatOf(file.extension ?? file.source)) {
        checked({ kind: 'skipped', place: file.path, reason: 'unknown format' });
        continue;
      }
      const events = new StoredEvents(cache);
      let some = false;
      try {
        const known = await events.find(file, source);
        for await (const event of known ?? read(file, source, reading, spool)) {
          if (!known) events.add(event);
          if ('notice' in event) checked(event.notice);
          else {
            some = true;
            await documents.add(event.document);
          }
        }
        if (some && known) summary.unchanged++;
        if (!known) events.store();
      } catch (error) {
        if (error instanceof Unreadable) throw error;
        checked(unopened(file, error));
      }
      if (some) summary.files++;
    }
    progress({ files: files.length, of: files.length });
    yield* documents.values();
    return summary;
  } finally {
    reading.close();
    spool.close();
  }
}

async function* read(
  file: SourceFile,
  { options }: Source,
  reading: ReadingProcess,
  spool: Spool,
): AsyncGenerator<ReadEvent> {
  const { open, localPath, version: _, ...rest } = file;
  if (localPath !== undefined) yield* reading.read({ ...rest, localPath, options });
  else {
    const copy = await spool.save(open());
    yield* reading.read({ ...rest, localPath: copy, options });
    await rm(copy);
  }
}

/** The notice for a file that cannot be opened or fetched. */
function unopened({ path }: SourceFile, error: unknown): Notice {
  const { code, message } = error as NodeJS.ErrnoException;
  const fix = code === 'EACCES' ? 'Change its permissions.' : 'Try again.';
  return { kind: 'failed', place: path, reason: `cannot be opened (${code ?? message})`, fix };
}

/** What reading a file returned, for the next build. A file with failures is read again each time. */
class StoredEvents {
  readonly #cache: ReadCache | undefined;
  #key: Buffer | undefined;
  #events: ReadEvent[] | undefined = [];
  #bytes = 0;

  constructor(cache: ReadCache | undefined) {
    this.#cache = cache;
  }

  /** What an earlier build stored for this file with this content. */
  async find(file: SourceFile, source: Source): Promise<ReadEvent[] | undefined> {
    if (!this.#cache) return undefined;
    this.#key = await keyOf(file, source);
    const bytes = this.#cache.get(this.#key);
    return bytes && (JSON.parse(Buffer.from(bytes).toString()) as ReadEvent[]);
  }

  add(event: ReadEvent): void {
    this.#bytes += JSON.stringify(event).length;
    const isFailure = 'notice' in event && event.notice.kind === 'failed';
    if (isFailure || this.#bytes > MAX_STORED) this.#events = undefined;
    this.#events?.push(event);
  }

  store(): void {
    if (this.#key && this.#events) this.#cache?.put(this.#key, Buffer.from(JSON.stringify(this.#events)));
  }
}

/** A hash of what the documents of a file depend on. */
async function keyOf(file: SourceFile, { options }: Source): Promise<Buffer> {
  const { source, path, url, extension, version } = file;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([readersVersion(), source, path, url, extension, version, options]));
  if (version === undefined) for await (const chunk of file.open()) hash.update(chunk);
  return hash.digest();
}
