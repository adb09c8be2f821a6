import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Document } from '../../documents/document.ts';
import { type Notice, RanOut, type ReadOptions, Unreadable } from '../../documents/file.ts';
import { formatOf, mayBeKnown, unknownFormat } from '../../documents/formats.ts';
import { SiteChrome } from '../../documents/site/site-chrome.ts';
import { removeAtExit } from '../../format/drafts.ts';
import { codeOf } from '../../format/writable.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Cache } from '../cache/cache.ts';
import { type ListedFile, listFiles, type Memory, type Source, type SourceFile } from '../sources/source.ts';
import { type DescribedFile, describeFiles } from './described-files.ts';
import type { ReadJob } from './reading-child.ts';
import { NOT_STARTED, type ReadEvent, ReadingProcess, type ReadLimits, TOO_LONG } from './reading-process.ts';
import { SpooledList } from './spooled-list.ts';
import { storedEvents } from './stored-events.ts';

/**
 * The time of a build is over, and another build goes on. The reason of a signal: a file during whose reading this happens in two
 * builds is given up, since it would happen for ever.
 */
export class OutOfTime extends Error {}

export interface ReadProgress {
  done: number;
  total: number;
  documents: number;
}

export interface ReadSettings {
  cache?: Cache;
  /** Called with what cannot be read. Reading ends if it throws. */
  report?: (notice: Notice) => void;
  progress?: (progress: ReadProgress) => void;
  /** Stops reading at once, with its reason. The cache keeps the files that were read. */
  signal?: AbortSignal | undefined;
  /** Limits of each file, for tests. */
  limits?: Partial<ReadLimits>;
}

export interface ReadSummary {
  files: number;
  /** Those whose content is as in an earlier build. */
  unchangedFiles: number;
}

/**
 * Reads the documents of sources, in their order. Reports what cannot be read, and goes on. Reads only files that changed since the
 * last build with this cache. Of a file that runs out of time or memory, it returns the documents of the last build.
 */
export async function* readSources(
  sources: readonly Source[],
  settings: ReadSettings = {},
): AsyncGenerator<Document, ReadSummary> {
  const { cache, report = () => {}, progress = () => {}, signal } = settings;
  const reader = new SourceReader(settings);
  const { documents } = reader;
  try {
    const context = { memory: memoryIn(cache), report };
    const listed: ListedFile[] = [];
    for await (const one of listFiles(sources, context)) {
      signal?.throwIfAborted();
      listed.push(one);
    }
    const files = await describeFiles(listed, { ...context, signal });
    for (const [done, one] of files.entries()) {
      progress({ done, total: files.length, documents: documents.length });
      signal?.throwIfAborted();
      await reader.read(one);
    }
    progress({ done: files.length, total: files.length, documents: documents.length });
    for (const document of documents.values()) yield reader.sites.filter(document);
    return reader.summary;
  } finally {
    reader.close();
  }
}

class SourceReader {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'polyseek-')));
  readonly #removeFolder = removeAtExit(this.#folder);
  readonly #reading: ReadingProcess;
  readonly #settings: ReadSettings;
  readonly documents = new SpooledList<Document>(join(this.#folder, 'documents.jsonl'));
  readonly sites = new Sites();
  readonly summary: ReadSummary = { files: 0, unchangedFiles: 0 };

  constructor(settings: ReadSettings) {
    this.#reading = new ReadingProcess(settings.limits);
    this.#settings = settings;
  }

  /** Adds the documents of a file. Of a file that runs out of time or memory, adds those of the last build. */
  async read(one: DescribedFile): Promise<void> {
    const { cache, signal } = this.#settings;
    const { file, options } = one;
    if (!mayBeKnown(file.extension ?? file.source)) return this.#report(unknownFormat(file));
    const before = this.documents.length;
    const stored = storedEvents(cache, file, options, this.#reading.limits);
    const giveUp = (notice: Notice) => {
      const last = stored.last();
      if (last) {
        this.documents.drop(before);
        for (const event of last) this.#take(event, one);
      }
      const fix = last ? `${notice.fix} Until then, the index keeps its last version.` : notice.fix;
      if (notice.reason !== NOT_STARTED) stored.giveUp({ ...notice, fix }, last);
      this.#report({ ...notice, fix });
    };
    const path = join(this.#folder, 'file');
    let local = file;
    let isReading = false;
    try {
      // The content of a file without a version is compared, and not all files can be opened twice.
      if (file.version === undefined) local = await orAborted(localCopy(file, path), signal);
      const known = await orAborted(stored.find(local.open), signal);
      if (!known) local = await orAborted(localCopy(local, path), signal);
      isReading = !known;
      for await (const event of known ?? this.#reading.read(jobOf(local, options), signal)) {
        signal?.throwIfAborted();
        const length = this.#take(event, one);
        if (isReading && length !== undefined) stored.add(event, length);
      }
      if (isReading) stored.store();
      else if (this.documents.length > before) this.summary.unchangedFiles++;
    } catch (error) {
      if (isReading && signal?.reason instanceof OutOfTime)
        giveUp(new RanOut(file.path, TOO_LONG, 'Split it into smaller files.').notice);
      signal?.throwIfAborted();
      // Later files would fail too.
      if (codeOf(error) === 'ENOSPC') throw error;
      if (error instanceof RanOut) giveUp(error.notice);
      else this.#report(error instanceof Unreadable ? error.notice : unopened(file, error));
    } finally {
      if (local.localPath !== file.localPath) await rm(local.localPath!, { force: true });
    }
    if (this.documents.length > before) this.summary.files++;
  }

  close(): void {
    this.#reading.close();
    this.documents.close();
    this.#removeFolder();
  }

  /** Returns the length of the event as JSON, or undefined if it is longer than a string may be. */
  #take(event: ReadEvent, { file, source }: DescribedFile): number | undefined {
    let json: string;
    try {
      json = JSON.stringify(event);
    } catch {
      const place = 'document' in event ? event.document.source : file.path;
      const fix = 'Split it into smaller documents.';
      this.#report({ kind: 'failed', place, reason: 'too large', fix });
      return undefined;
    }
    if ('notice' in event) this.#report(event.notice);
    else {
      this.sites.observe(event.document, file, source);
      this.documents.add(Buffer.from(JSON.stringify(event.document)));
    }
    return json.length;
  }

  #report(notice: Notice): void {
    this.#settings.report?.(notice);
  }
}

function jobOf(
  { localPath = '', path, source, url, extension, charset }: SourceFile,
  options: ReadOptions,
): ReadJob {
  return { localPath, path, source, url, extension, charset, options };
}

/** The file on this machine: itself, or a copy. */
async function localCopy(file: SourceFile, path: string): Promise<SourceFile> {
  if (file.localPath !== undefined) return file;
  await pipeline(file.open(), createWriteStream(path));
  return { ...file, localPath: path, open: () => createReadStream(path) };
}

/** The result of work, or the reason of a signal that is aborted before. Work that waits for a network may never end. */
async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return work;
  signal.throwIfAborted();
  const ended = new AbortController();
  const aborted = once(signal, 'abort', { signal: ended.signal }).then(() => Promise.reject(signal.reason));
  return Promise.race([work, aborted]).finally(() => ended.abort());
}

function unopened({ path }: SourceFile, error: unknown): Notice {
  const code = codeOf(error);
  const fix = code === 'EACCES' ? 'Change its permissions.' : 'Try again.';
  return { kind: 'failed', place: path, reason: `cannot be opened (${code || messageOf(error)})`, fix };
}

/** The HTML pages of each source, whose menus and footers are removed. */
class Sites {
  readonly #sites = new Map<Source, SiteChrome>();
  /** The site of each page, by its name in the index. */
  readonly #pages = new Map<string, SiteChrome>();

  observe(document: Document, file: SourceFile, source: Source): void {
    const names = [file.extension ?? file.source, document.source];
    if (!names.some((name) => formatOf(name)?.extensions.includes('.html'))) return;
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
