import { headBytes, type Place, readHead } from '../../format/container.ts';
import { KEYS, LOOKUP, LookupReader } from '../../format/lookup-file.ts';
import type { Lists } from '../store.ts';
import type { GoneRows } from './generation.ts';
import { damagedInS3 } from './objects.ts';
import type { RemoteFile } from './remote-file.ts';

/** A segment of a generation. */
export interface SegmentLists {
  lookup: Pick<SegmentLookup, 'list' | 'row'>;
  /** The ordinal of its first row. */
  start: number;
  gone: GoneRows;
}

/** The lists of a generation: those of its segments, joined, without the rows that are gone. */
export class RangeLists implements Lists {
  readonly #segments: readonly SegmentLists[];
  readonly #name: string;

  /**
   * @param segments in the order of their ordinals
   * @param name of the generation, for errors
   */
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
    const parts = found.flatMap((part) => (part && part.ordinals.length > 0 ? [part] : []));
    if (parts.length === 0) return undefined;
    const count = parts.reduce((sum, { ordinals }) => sum + ordinals.length, 0);
    const [ordinals, rest] = [new Uint32Array(count), Buffer.concat(parts.map((part) => part.rest))];
    let at = 0;
    for (const part of parts) {
      ordinals.set(part.ordinals, at);
      at += part.ordinals.length;
    }
    return { ordinals, rest };
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
  #opened: Promise<{ reader: LookupReader; places: Place[] }> | undefined;

  /**
   * Reads nothing.
   * @param rows of the segment, the bound of all ordinals
   */
  constructor(file: RemoteFile, rows: number) {
    this.#file = file;
    this.#rows = rows;
  }

  /** Reads what every lookup needs: all of a small file, or the head of a large one. */
  async prefetch(): Promise<void> {
    await this.#open();
  }

  /** The list under a key: numbers of rows, ascending, and the bytes after it. Undefined if the key is absent. */
  async list(key: string): Promise<{ ordinals: Uint32Array; rest: Buffer } | undefined> {
    const { reader } = await this.#open();
    const data = await this.#find(key);
    if (!data) return undefined;
    const list = reader.list(data);
    if (list.rest.length !== 0 && list.rest.length !== list.ordinals.length)
      throw this.#file.damaged(`a list has ${list.ordinals.length} rows, but ${list.rest.length} bytes`);
    return list;
  }

  /** The row under a key, or undefined. */
  async row(key: string): Promise<number | undefined> {
    const { reader } = await this.#open();
    const data = await this.#find(key);
    return data && reader.ordinal(data);
  }

  async #find(key: string): Promise<Buffer | undefined> {
    const { reader, places } = await this.#open();
    const search = reader.find(key);
    let step = search.next();
    while (!step.done) {
      const { section, start, length } = step.value;
      const place = places[section]!;
      const count = Math.max(0, Math.min(length, place.length - start));
      step = search.next(await this.#file.read(place.start + start, count));
    }
    return step.value;
  }

  #open(): Promise<{ reader: LookupReader; places: Place[] }> {
    if (this.#opened) return this.#opened;
    const opening = this.#readLayout();
    this.#opened = opening;
    // The next lookup tries again.
    opening.catch(() => {
      this.#opened = undefined;
    });
    return opening;
  }

  async #readLayout(): Promise<{ reader: LookupReader; places: Place[] }> {
    const { name, bytes } = this.#file;
    const head = await this.#file.read(0, headBytes(LOOKUP.sections));
    const places = readHead(head, LOOKUP, name, bytes);
    const reader = new LookupReader({
      lengths: [places[0]!.length, places[1]!.length],
      passages: this.#rows,
      damaged: (problem) => this.#file.damaged(problem),
    });
    return { reader, places };
  }
}
