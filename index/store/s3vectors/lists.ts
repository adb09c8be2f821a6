import { headBytes, type Place, readHead } from '../../format/container.ts';
import { KEYS, LOOKUP, LookupReader } from '../../format/lookup-file.ts';
import type { Lists } from '../store.ts';
import type { GoneRows } from './generation.ts';
import { damagedInS3 } from './objects.ts';
import type { RemoteFile } from './remote-file.ts';

/** A segment of a generation. */
export interface SegmentLists {
  lookup: SegmentLookup;
  /** The ordinal of its first row. */
  start: number;
  gone: GoneRows;
}

/** The lists of a generation: those of its segments, joined, without the rows that are gone. */
export class RangeLists implements Lists {
  readonly #segments: readonly SegmentLists[];
  readonly #name: string;

  /** The segments are in the order of their ordinals. `name` of the generation is for errors. */
  constructor(segments: readonly SegmentLists[], name: string) {
    this.#segments = segments;
    this.#name = name;
  }

  async list(key: string): Promise<{ ordinals: Uint32Array; rest: Uint8Array } | undefined> {
    const found = await Promise.all(
      this.#segments.map(async ({ lookup, start, gone }) => {
        const list = await lookup.list(key);
        return list && gone.remove(list.ordinals, start, list.rest);
      }),
    );
    const parts = found.filter((part) => part !== undefined).filter(({ ordinals }) => ordinals.length > 0);
    if (parts.length === 0) return undefined;
    const ordinals = new Uint32Array(parts.reduce((sum, part) => sum + part.ordinals.length, 0));
    let at = 0;
    for (const part of parts) {
      ordinals.set(part.ordinals, at);
      at += part.ordinals.length;
    }
    return { ordinals, rest: Buffer.concat(parts.map(({ rest }) => rest)) };
  }

  async ordinal(id: string): Promise<number | undefined> {
    const ordinals = await this.single(KEYS.id + id);
    if (ordinals.length > 1) throw this.damaged('two of its rows have the same id');
    return ordinals[0];
  }

  /** The ordinals under a key of single passages: at most one of each segment. */
  async single(key: string): Promise<number[]> {
    const found = await Promise.all(
      this.#segments.map(async ({ lookup, start, gone }) => {
        const row = await lookup.row(key);
        return row === undefined || gone.has(row) ? [] : [start + row];
      }),
    );
    return found.flat();
  }

  damaged(problem: string): Error {
    return damagedInS3(this.#name, problem);
  }
}

/** The `lookup.bin` of a segment in S3. Its ordinals are the numbers of the segment's rows. */
export class SegmentLookup {
  readonly #file: RemoteFile;
  readonly #rows: number;
  #opened: { reader: LookupReader; places: Place[] } | undefined;

  /** Reads nothing. `rows` of the segment are the bound of all ordinals. */
  constructor(file: RemoteFile, rows: number) {
    this.#file = file;
    this.#rows = rows;
  }

  /** Reads what every lookup needs: all of a small file, or the head of a large one. */
  async prefetch(): Promise<{ reader: LookupReader; places: Place[] }> {
    if (this.#opened) return this.#opened;
    const { name, bytes } = this.#file;
    const places = readHead(await this.#file.read(0, headBytes(LOOKUP.sections)), LOOKUP, name, bytes);
    const reader = new LookupReader({
      lengths: [places[0]!.length, places[1]!.length],
      passages: this.#rows,
      damaged: (problem) => this.#file.damaged(problem),
    });
    this.#opened = { reader, places };
    return this.#opened;
  }

  /** The list under a key: numbers of rows, ascending, and the bytes after it. Undefined if the key is absent. */
  async list(key: string): Promise<{ ordinals: Uint32Array; rest: Buffer } | undefined> {
    const { reader, data } = await this.#find(key);
    if (!data) return undefined;
    const list = reader.list(data);
    if (list.rest.length !== 0 && list.rest.length !== list.ordinals.length)
      throw this.#file.damaged(`a list has ${list.ordinals.length} rows, but ${list.rest.length} bytes`);
    return list;
  }

  /** The row under a key, or undefined. */
  async row(key: string): Promise<number | undefined> {
    const { reader, data } = await this.#find(key);
    return data && reader.ordinal(data);
  }

  async #find(key: string): Promise<{ reader: LookupReader; data: Buffer | undefined }> {
    const { reader, places } = await this.prefetch();
    const search = reader.find(key);
    let step = search.next();
    while (!step.done) {
      const { section, start, length } = step.value;
      const place = places[section]!;
      const count = Math.max(0, Math.min(length, place.length - start));
      step = search.next(await this.#file.read(place.start + start, count));
    }
    return { reader, data: step.value };
  }
}
