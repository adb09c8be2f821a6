import { createHash } from 'node:crypto';
import type { Notice } from '../../documents/file.ts';
import type { Cache } from '../cache/cache.ts';
import { codeHash } from '../cache/code-hash.ts';
import type { Source, SourceFile } from '../sources/source.ts';
import type { ReadEvent, ReadLimits } from './reading-process.ts';

/** What reading a file returned is stored for the next build if it has at most this many characters of JSON. */
const MAX_STORED = 32 * 2 ** 20;
/** Builds that give up the same content of a file. Later ones do not try again. */
const TRIES = 2;
/** Kinds in the cache, by a hash of the file's name, content and options. */
const [COMPLETE, PARTIAL] = ['documents of a file', 'documents of a file with failures'];
/** The hash of the content that a build read last, by a hash of the file's name and options. */
const LAST = 'last content of a file';

/** What a build that gave up a file stores. */
interface GivenUp {
  tries: number;
  events: ReadEvent[];
}

/** What reading a file returned, for the next build. A file with failures is read again each time. */
export class StoredEvents {
  readonly #cache: Cache | undefined;
  readonly #file: SourceFile;
  readonly #name: string;
  readonly #givenUpKind: string;
  #key: Buffer | undefined;
  #tries = 0;
  #events: ReadEvent[] | undefined = [];
  #length = 0;

  constructor(cache: Cache | undefined, file: SourceFile, { options }: Source, limits: ReadLimits) {
    const { source, path, url, extension, charset } = file;
    this.#cache = cache;
    this.#file = file;
    this.#name = JSON.stringify([
      ...[codeHash('index/documents'), source, path, url, extension, charset, options],
    ]);
    this.#givenUpKind = `file that was given up ${JSON.stringify(limits)}`;
  }

  /**
   * What an earlier build stored for this file with this content.
   * @param content streams the content of a file without a version
   */
  async find(content: () => AsyncIterable<Uint8Array>): Promise<ReadEvent[] | undefined> {
    if (!this.#cache) return undefined;
    const { version } = this.#file;
    const hash = createHash('sha256').update(JSON.stringify([this.#name, version]));
    if (version === undefined) for await (const chunk of content()) hash.update(chunk);
    this.#key = hash.digest();
    const complete = this.#read<ReadEvent[]>(COMPLETE, this.#key);
    if (complete) {
      this.#rememberLast();
      return complete;
    }
    const { tries, events } = this.#read<GivenUp>(this.#givenUpKind, this.#key) ?? { tries: 0, events: [] };
    this.#tries = tries;
    return tries < TRIES ? undefined : events;
  }

  /** @param length characters of the event as JSON */
  add(event: ReadEvent, length: number): void {
    this.#length += length;
    if (this.#length > MAX_STORED) this.#events = undefined;
    this.#events?.push(event);
  }

  /** Stores the events of a file that was read to its end. */
  store(): void {
    if (!this.#key || !this.#events) return;
    const hasFailures = this.#events.some((event) => 'notice' in event && event.notice.kind === 'failed');
    this.#write(hasFailures ? PARTIAL : COMPLETE, this.#key, this.#events);
    this.#rememberLast();
  }

  /** The documents of the content that a build read last. */
  last(): ReadEvent[] | undefined {
    const key = this.#cache?.get(LAST, this.#name);
    const events = key && (this.#read<ReadEvent[]>(COMPLETE, key) ?? this.#read<ReadEvent[]>(PARTIAL, key));
    return events?.filter((event) => 'document' in event);
  }

  /**
   * Stores that the file was given up, and what the index has of it.
   * @param last replaces the events so far
   */
  giveUp(notice: Notice, last: ReadEvent[] | undefined): void {
    const events = [...(last ?? this.#events ?? []), { notice }];
    if (this.#key)
      this.#write(this.#givenUpKind, this.#key, { tries: this.#tries + 1, events } satisfies GivenUp);
  }

  #rememberLast(): void {
    if (this.#key && !this.#cache?.get(LAST, this.#name)?.equals(this.#key))
      this.#cache?.put(LAST, this.#name, this.#key);
  }

  #read<Value>(kind: string, key: Buffer): Value | undefined {
    const bytes = this.#cache?.get(kind, key);
    return bytes && (JSON.parse(bytes.toString()) as Value);
  }

  /** A file with failures is read by each build. Equal values would fill the cache. */
  #write(kind: string, key: Buffer, value: ReadEvent[] | GivenUp): void {
    const bytes = Buffer.from(JSON.stringify(value));
    if (!this.#cache?.get(kind, key)?.equals(bytes)) this.#cache?.put(kind, key, bytes);
  }
}
