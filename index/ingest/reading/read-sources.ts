import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Document } from '../../documents/document.ts';
import { type Notice, RanOut, Unreadable } from '../../documents/file.ts';
import { formatOf, mayBeKnown, unknownFormat } from '../../documents/formats.ts';
import { SiteChrome } from '../../documents/site/chrome.ts';
import type { Cache } from '../cache/cache.ts';
import { listFiles } from '../sources/read.ts';
import type { Memory, Source, SourceFile } from '../sources/source.ts';
import { NOT_STARTED, type ReadEvent, ReadingProcess, type ReadLimits, TOO_LONG } from './reading-process.ts';
import { Spool, SpooledList } from './spool.ts';
import { StoredEvents } from './stored-events.ts';

/**
 * The time of a build is over, and another build goes on. The reason of a signal: a file during whose reading this happens in two
 * builds is given up, since it would happen for ever.
 */
export class OutOfTime extends Error {}

/** The files that were read, of all files. */
export interface ReadProgress {
  done: number;
  total: number;
  /** Documents in them. */
  documents: number;
}

export interface ReadSettings {
  /** Keeps what earlier builds read. */
  cache?: Cache;
  /** Called with what cannot be read. Reading ends if it throws. */
  report?: (notice: Notice) => void;
  progress?: (progress: ReadProgress) => void;
  /** Stops reading at once, with its reason. The cache keeps the files that were read. */
  signal?: AbortSignal | undefined;
  /** Limits of each file, for tests. */
  limits?: Partial<ReadLimits>;
}

/** What reading sources returns at its end. */
export interface ReadSummary {
  /** Files with documents. */
  files: number;
  /** Those whose content is as in an earlier build. */
  unchangedFiles: number;
}

/**
 * Reads the documents of sources, in their order. Reports what cannot be read, and goes on. Reads only files that changed since the
 * last build with this cache. Of a file that runs out of time or memory, it returns the documents of the last build.
 * @returns how many files were read
 */
export async function* readSources(
  sources: readonly Source[],
  { cache, report = () => {}, progress = () => {}, signal, limits }: ReadSettings = {},
): AsyncGenerator<Document, ReadSummary> {
  const spool = new Spool();
  const reading = new ReadingProcess(limits);
  const summary: ReadSummary = { files: 0, unchangedFiles: 0 };
  try {
    const files: { file: SourceFile; source: Source }[] = [];
    for await (const one of listFiles(sources, { memory: memoryIn(cache), report })) {
      signal?.throwIfAborted();
      files.push(one);
    }
    const documents = new SpooledList<Document>(join(spool.folder, 'documents.jsonl'));
    const sites = new Sites();
    for (const [done, { file, source }] of files.entries()) {
      progress({ done, total: files.length, documents: documents.length });
      signal?.throwIfAborted();
      if (!mayBeKnown(file.extension ?? file.source)) {
        report(unknownFormat(file));
        continue;
      }
      const before = documents.length;
      const stored = new StoredEvents(cache, file, source, reading.limits);
      const take = async (event: ReadEvent) => {
        if ('notice' in event) return report(event.notice);
        sites.observe(event.document, file, source);
        await documents.add(event.document);
      };
      const giveUp = async (notice: Notice) => {
        const last = stored.last();
        if (last) {
          documents.drop(before);
          for (const event of last) await take(event);
        }
        const fix = last ? `${notice.fix} Until then, the index keeps its last version.` : notice.fix;
        if (notice.reason !== NOT_STARTED) stored.giveUp({ ...notice, fix }, last);
        report({ ...notice, fix });
      };
      let local = file;
      let isReading = false;
      try {
        // The content of a file without a version is compared, and not all files can be opened twice.
        if (file.version === undefined) local = await orAborted(localCopy(file, spool), signal);
        const known = await orAborted(stored.find(local.open), signal);
        if (!known) local = await orAborted(localCopy(local, spool), signal);
        isReading = !known;
        const { open: _, version: __, localPath = '', ...job } = local;
        const events = known ?? reading.read({ ...job, localPath, options: source.options }, signal);
        for await (const event of events) {
          signal?.throwIfAborted();
          const length = lengthOf(event);
          if (length === undefined) report(tooLong(file, event));
          else {
            if (!known) stored.add(event, length);
            await take(event);
          }
        }
        if (documents.length > before && known) summary.unchangedFiles++;
        if (!known) stored.store();
      } catch (error) {
        if (isReading && signal?.reason instanceof OutOfTime)
          await giveUp({
            kind: 'failed',
            place: file.path,
            reason: TOO_LONG,
            fix: 'Split it into smaller files.',
          });
        signal?.throwIfAborted();
        if (isDiskFull(error)) throw error;
        if (error instanceof RanOut) await giveUp(error.notice);
        else report(error instanceof Unreadable ? error.notice : unopened(file, error));
      } finally {
        if (local.localPath !== file.localPath) await rm(local.localPath!, { force: true });
      }
      if (documents.length > before) summary.files++;
    }
    progress({ done: files.length, total: files.length, documents: documents.length });
    for await (const document of documents.values()) yield sites.filter(document);
    return summary;
  } finally {
    reading.close();
    spool.close();
  }
}

/** The file on this machine: itself, or a copy. */
async function localCopy(file: SourceFile, spool: Spool): Promise<SourceFile> {
  if (file.localPath !== undefined) return file;
  const localPath = await spool.save(file.open());
  return { ...file, localPath, open: () => createReadStream(localPath) };
}

/** The result of work, or the reason of a signal that is aborted before. Work that waits for a network may never end. */
async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return work;
  signal.throwIfAborted();
  const ended = new AbortController();
  const aborted = once(signal, 'abort', { signal: ended.signal }).then(() => Promise.reject(signal.reason));
  return Promise.race([work, aborted]).finally(() => ended.abort());
}

/** Characters of an event as JSON; undefined if it is longer than a string may be. */
function lengthOf(event: ReadEvent): number | undefined {
  try {
    return JSON.stringify(event).length;
  } catch {
    return undefined;
  }
}

/** The notice for a document that cannot be stored. */
function tooLong(file: SourceFile, event: ReadEvent): Notice {
  const place = 'document' in event ? event.document.source : file.path;
  return { kind: 'failed', place, reason: 'too large', fix: 'Split it into smaller documents.' };
}

/** The notice for a file that cannot be opened or fetched. */
function unopened({ path }: SourceFile, error: unknown): Notice {
  const { code, message } = error as NodeJS.ErrnoException;
  const fix = code === 'EACCES' ? 'Change its permissions.' : 'Try again.';
  return { kind: 'failed', place: path, reason: `cannot be opened (${code ?? message})`, fix };
}

/** Later files would fail too. */
function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC';
}

/** The HTML pages of each source, whose menus and footers are removed. */
class Sites {
  readonly #sites = new Map<Source, SiteChrome>();
  /** The site of each page, by its name in the index. */
  readonly #pages = new Map<string, SiteChrome>();

  observe(document: Document, file: SourceFile, source: Source): void {
    const names = [file.extension ?? file.source, document.source];
    if (!names.some((name) => formatOf(name)?.name === 'HTML')) return;
    const site = this.#sites.get(source) ?? new SiteChrome();
    this.#sites.set(source, site);
    this.#pages.set(document.source, site);
    site.observe(document);
  }

  filter(document: Document): Document {
    return this.#pages.get(document.source)?.filter(document) ?? document;
  }
}

/** What sources remember, in the cache. Without one, for one build only. */
function memoryIn(cache: Cache | undefined): Memory {
  if (!cache) return new Map();
  return {
    get: (key) => cache.get('memory', key)?.toString(),
    set: (key, value) => cache.put('memory', key, Buffer.from(value)),
  };
}
