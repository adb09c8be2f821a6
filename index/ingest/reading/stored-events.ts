import { createHash } from 'node:crypto';
import type { Notice, ReadOptions } from '../../documents/file.ts';
import type { Cache } from '../cache/cache.ts';
import { codeHash } from '../cache/code-hash.ts';
import type { SourceFile } from '../sources/source.ts';
import type { ReadEvent, ReadLimits } from './reading-process.ts';

/** What reading a file returned is stored for the next build if it has at most this many characters of JSON. */
const MAX_STORED = 32 * 2 ** 20;
/** Builds that give up the same content of a file. Later ones do not try again. */
const TRIES = 2;
/** Kinds in the cache, by a hash of the file's name, content and options. */
const [COMPLETE, PARTIAL] = ['documents of a file', 'documents of a file with failures'];
/** The hash of the content that a build read last, by a hash of the file's name and options. */
const LAST = 'last content of a file';

interface GivenUp {
  tries: number;
  events: ReadEvent[];
}

/** A hash of the readers' code, which takes milliseconds to compute. */
let readers: string | undefined;

/** What reading a file returned, for the next build. A file with failures is read again each time. */
export function storedEvents(
  cache: Cache | undefined,
  file: SourceFile,
  options: ReadOptions,
  limits: ReadLimits,
) {
  const { source, path, url, extension, charset, version } = file;
  readers ??= codeHash('index/documents');
  const name = JSON.stringify([readers, source, path, url, extension, charset, options]);
  const givenUp = `file that was given up ${JSON.stringify(limits)}`;
  let key: Buffer | undefined;
  let tries = 0;
  let events: ReadEvent[] | undefined = [];
  let characters = 0;

  const read = <Value>(kind: string, key: Buffer): Value | undefined => {
    const bytes = cache?.get(kind, key);
    return bytes && (JSON.parse(bytes.toString()) as Value);
  };
  /** A file with failures is read by each build. Equal values would fill the cache. */
  const write = (kind: string, key: string | Buffer, value: Buffer) => {
    if (!cache?.get(kind, key)?.equals(value)) cache?.put(kind, key, value);
  };

  return {
    /**
     * What an earlier build stored for this file with this content.
     * @param content streams the content of a file without a version
     */
    async find(content: () => AsyncIterable<Uint8Array>): Promise<ReadEvent[] | undefined> {
      if (!cache) return undefined;
      const hash = createHash('sha256').update(JSON.stringify([name, version]));
      if (version === undefined) for await (const chunk of content()) hash.update(chunk);
      key = hash.digest();
      const complete = read<ReadEvent[]>(COMPLETE, key);
      if (complete) {
        write(LAST, name, key);
        return complete;
      }
      const before = read<GivenUp>(givenUp, key);
      tries = before?.tries ?? 0;
      return tries < TRIES ? undefined : before?.events;
    },

    add(event: ReadEvent, length: number): void {
      characters += length;
      if (characters > MAX_STORED) events = undefined;
      events?.push(event);
    },

    store(): void {
      if (!key || !events) return;
      const hasFailures = events.some((event) => 'notice' in event && event.notice.kind === 'failed');
      write(hasFailures ? PARTIAL : COMPLETE, key, Buffer.from(JSON.stringify(events)));
      write(LAST, name, key);
    },

    /** The documents of the content that a build read last. */
    last(): ReadEvent[] | undefined {
      const key = cache?.get(LAST, name);
      const last = key && (read<ReadEvent[]>(COMPLETE, key) ?? read<ReadEvent[]>(PARTIAL, key));
      return last?.filter((event) => 'document' in event);
    },

    /**
     * Stores that the file was given up, and what the index has of it.
     * @param last replaces the events so far
     */
    giveUp(notice: Notice, last: ReadEvent[] | undefined): void {
      const value: GivenUp = { tries: tries + 1, events: [...(last ?? events ?? []), { notice }] };
      if (key) write(givenUp, key, Buffer.from(JSON.stringify(value)));
    },
  };
}
