import type { ReadableBucket } from '../../aws/s3.ts';
import type { FileList } from '../../format/checks.ts';
import { headBytes, type Place, readHead } from '../../format/container.ts';
import { KEYS, LOOKUP, LookupReader } from '../../format/lookup-file.ts';
import type { Lru } from '../../kit/lru.ts';
import type { Lists } from '../store.ts';
import { isGone, type LoadedSegment, withoutGone } from './generation.ts';
import { checkObject, damagedInS3 } from './objects.ts';

/** A segment whose lists can be read. */
export type SegmentLists = Pick<LoadedSegment, 'start' | 'gone'> & { lookup: SegmentLookup };

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
        return list && withoutGone(gone, list.ordinals, start, list.rest);
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
        return row === undefined || isGone(gone, row) ? [] : [start + row];
      }),
    );
    return found.flat();
  }

  damaged(problem: string): Error {
    return damagedInS3(this.#name, problem);
  }
}

/** Objects up to this many bytes are read whole: one call instead of many, and their checksum is verified. */
const WHOLE = 1 << 20;
/** Larger objects are read in blocks of this many bytes. S3 sends one in the time in which it sends a byte. */
const BLOCK = 16 << 10;

/** Parts of objects by the object's name, and the part's start and length. */
export type Parts = Lru<Promise<Buffer>>;

/** The `lookup.bin` of a segment in S3, which never changes. Its ordinals are the numbers of the segment's rows. */
export class SegmentLookup {
  readonly #objects: Pick<ReadableBucket, 'get'>;
  readonly #name: string;
  readonly #file: FileList[string];
  readonly #rows: number;
  readonly #parts: Parts;
  #opened: { reader: LookupReader; places: Place[] } | undefined;

  /** Reads nothing. `file` is its entry in a manifest, and `rows` of the segment are the bound of all ordinals. */
  constructor(
    objects: Pick<ReadableBucket, 'get'>,
    name: string,
    file: FileList[string],
    rows: number,
    parts: Parts,
  ) {
    this.#objects = objects;
    this.#name = name;
    this.#file = file;
    this.#rows = rows;
    this.#parts = parts;
  }

  /** Reads what every lookup needs: all of a small file, or the head of a large one. */
  async prefetch(): Promise<{ reader: LookupReader; places: Place[] }> {
    if (this.#opened) return this.#opened;
    const head = await this.#read(0, headBytes(LOOKUP.sections));
    const places = readHead(head, LOOKUP, this.#name, this.#file.bytes);
    const reader = new LookupReader({
      lengths: [places[0]!.length, places[1]!.length],
      passages: this.#rows,
      damaged: (problem) => damagedInS3(this.#name, problem),
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
      throw damagedInS3(this.#name, `a list has ${list.ordinals.length} rows, but ${list.rest.length} bytes`);
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
      step = search.next(await this.#read(place.start + start, count));
    }
    return { reader, data: step.value };
  }

  /** The bytes `[start, start + length)`, or fewer at the end. Reads of the same blocks at the same time share one call. */
  async #read(start: number, length: number): Promise<Buffer> {
    const { bytes } = this.#file;
    const end = Math.min(start + length, bytes);
    if (start >= end) return Buffer.alloc(0);
    const block = bytes <= WHOLE ? bytes : BLOCK;
    const first = start - (start % block);
    const last = Math.min(Math.ceil(end / block) * block, bytes);
    const key = `${this.#name} ${first} ${last - first}`;
    let reading = this.#parts.get(key);
    if (!reading) {
      reading = this.#download(first, last - first);
      this.#parts.set(key, reading, last - first);
      // The next read tries again.
      reading.catch(() => this.#parts.delete(key));
    }
    return (await reading).subarray(start - first, end - first);
  }

  async #download(start: number, length: number): Promise<Buffer> {
    const isWhole = length === this.#file.bytes;
    const { bytes } = await this.#objects.get(this.#name, isWhole ? {} : { range: { start, length } });
    if (isWhole) checkObject(bytes, this.#file, this.#name);
    else if (bytes.length !== length)
      throw damagedInS3(this.#name, `it has ${bytes.length} of the ${length} bytes from byte ${start}`);
    return bytes;
  }
}
