import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cache } from '../cache/cache.ts';
import { codeHash } from '../cache/code-hash.ts';
import type { Document } from '../documents/document.ts';
import { type Notice, Unreadable } from '../documents/file.ts';
import { formatOf } from '../documents/formats.ts';
import { SiteChrome } from '../documents/site/chrome.ts';
import { listFiles } from '../sources/read.ts';
import type { Memory, Source, SourceFile } from '../sources/source.ts';
import { type ReadEvent, ReadingProcess } from './reading-process.ts';
import { Spool, SpooledList } from './spool.ts';

/** Documents of a file are stored for the next build if they are at most this long, in bytes of JSON. */
const MAX_STORED = 32 * 2 ** 20;
/** Their kind in the cache. */
const KIND = 'documents of a file';

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
  /** Stops reading between two files or documents, with its reason. The cache keeps what was read. */
  signal?: AbortSignal | undefined;
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
 * last build with this cache.
 * @returns how many files were read
 */
export async function* readSources(
  sources: readonly Source[],
  { cache, report = () => {}, progress = () => {}, signal }: ReadSettings = {},
): AsyncGenerator<Document, ReadSummary> {
  const spool = new Spool();
  const reading = new ReadingProcess();
  const summary: ReadSummary = { files: 0, unchangedFiles: 0 };
  try {
    const files: { file: SourceFile; source: Source }[] = [];
    for await (const one of listFiles(sources, { memory: memoryIn(cache), report })) {
      signal?.throwIfAborted();
      files.push(one);
    }
    const documents = new SpooledList<Document>(join(spool.folder, 'documents.jsonl'));
    const sites = new Sites();
    let count = 0;
    for (const [done, { file, source }] of files.entries()) {
      progress({ done, total: files.length, documents: count });
      signal?.throwIfAborted();
      if (!formatOf(file.extension ?? file.source)) {
        report({ kind: 'skipped', place: file.path, reason: 'unknown format' });
        continue;
      }
      const events = new StoredEvents(cache);
      let some = false;
      try {
        // The content of a file without a version is compared, and not all files can be opened twice.
        const local = file.version === undefined ? await localCopy(file, spool) : file;
        const known = await events.find(local, source);
        for await (const event of known ?? read(local, source, reading, spool)) {
          signal?.throwIfAborted();
          if (!known) events.add(event);
          if ('notice' in event) report(event.notice);
          else {
            some = true;
            count++;
            sites.observe(event.document, file, source);
            await documents.add(event.document);
          }
        }
        if (some && known) summary.unchangedFiles++;
        if (!known) events.store();
        if (local !== file) await rm(local.localPath!);
      } catch (error) {
        signal?.throwIfAborted();
        report(error instanceof Unreadable ? error.notice : unopened(file, error));
      }
      if (some) summary.files++;
    }
    progress({ done: files.length, total: files.length, documents: count });
    for await (const document of documents.values()) yield sites.filter(document);
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
  const { open: _, version: __, localPath = '', ...local } = await localCopy(file, spool);
  yield* reading.read({ ...local, localPath, options });
  if (file.localPath === undefined) await rm(localPath);
}

/** The file on this machine: itself, or a copy. */
async function localCopy(file: SourceFile, spool: Spool): Promise<SourceFile> {
  if (file.localPath !== undefined) return file;
  const localPath = await spool.save(file.open());
  return { ...file, localPath, open: () => createReadStream(localPath) };
}

/** The notice for a file that cannot be opened or fetched. */
function unopened({ path }: SourceFile, error: unknown): Notice {
  const { code, message } = error as NodeJS.ErrnoException;
  const fix = code === 'EACCES' ? 'Change its permissions.' : 'Try again.';
  return { kind: 'failed', place: path, reason: `cannot be opened (${code ?? message})`, fix };
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

/** What reading a file returned, for the next build. A file with failures is read again each time. */
class StoredEvents {
  readonly #cache: Cache | undefined;
  #key: Buffer | undefined;
  #events: ReadEvent[] | undefined = [];
  #bytes = 0;

  constructor(cache: Cache | undefined) {
    this.#cache = cache;
  }

  /** What an earlier build stored for this file with this content. */
  async find(file: SourceFile, source: Source): Promise<ReadEvent[] | undefined> {
    if (!this.#cache) return undefined;
    this.#key = await keyOf(file, source);
    const bytes = this.#cache.get(KIND, this.#key);
    return bytes && (JSON.parse(Buffer.from(bytes).toString()) as ReadEvent[]);
  }

  add(event: ReadEvent): void {
    this.#bytes += JSON.stringify(event).length;
    const isFailure = 'notice' in event && event.notice.kind === 'failed';
    if (isFailure || this.#bytes > MAX_STORED) this.#events = undefined;
    this.#events?.push(event);
  }

  store(): void {
    if (this.#key && this.#events)
      this.#cache?.put(KIND, this.#key, Buffer.from(JSON.stringify(this.#events)));
  }
}

/** A hash of what the documents of a file depend on. */
async function keyOf(file: SourceFile, { options }: Source): Promise<Buffer> {
  const { source, path, url, extension, charset, version } = file;
  const hash = createHash('sha256');
  hash.update(
    JSON.stringify([codeHash('index/documents'), source, path, url, extension, charset, version, options]),
  );
  if (version === undefined) for await (const chunk of file.open()) hash.update(chunk);
  return hash.digest();
}
