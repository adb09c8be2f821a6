import type { ReadableBucket } from '../../aws/s3.ts';
import type { FileList } from '../../format/checks.ts';
import type { Lru } from '../../kit/lru.ts';
import { checkObject, damagedInS3 } from './objects.ts';

/** Objects up to this many bytes are read whole: one call instead of many, and their checksum is verified. */
const WHOLE = 1 << 20;
/** Larger objects are read in blocks of this many bytes. S3 sends one in the time in which it sends a byte. */
const BLOCK = 16 << 10;

/** Parts of objects by the object's name, and the part's start and length. */
export type Parts = Lru<Promise<Buffer>>;

/** An object in S3 that never changes. Reads of the same blocks at the same time share one call. */
export class RemoteFile {
  readonly name: string;
  readonly #file: FileList[string];
  readonly #objects: Pick<ReadableBucket, 'get'>;
  readonly #parts: Parts;

  /** Reads nothing. The name is below the index's name; `file` is its entry in a manifest. */
  constructor(objects: Pick<ReadableBucket, 'get'>, name: string, file: FileList[string], parts: Parts) {
    this.name = name;
    this.#file = file;
    this.#objects = objects;
    this.#parts = parts;
  }

  get bytes(): number {
    return this.#file.bytes;
  }

  /** The bytes `[start, start + length)`, or fewer at the end. Callers must not write to them. */
  async read(start: number, length: number): Promise<Buffer> {
    const end = Math.min(start + length, this.bytes);
    if (start >= end) return Buffer.alloc(0);
    const block = this.bytes <= WHOLE ? this.bytes : BLOCK;
    const first = start - (start % block);
    const last = Math.min(Math.ceil(end / block) * block, this.bytes);
    return (await this.#part(first, last - first)).subarray(start - first, end - first);
  }

  /** The error for content that contradicts the format. */
  damaged(problem: string): Error {
    return damagedInS3(this.name, problem);
  }

  #part(start: number, length: number): Promise<Buffer> {
    const key = `${this.name} ${start} ${length}`;
    const known = this.#parts.get(key);
    if (known) return known;
    const reading = this.#download(start, length);
    this.#parts.set(key, reading, length);
    // The next read tries again.
    reading.catch(() => this.#parts.delete(key));
    return reading;
  }

  async #download(start: number, length: number): Promise<Buffer> {
    const isWhole = length === this.bytes;
    const { bytes } = await this.#objects.get(this.name, isWhole ? {} : { range: { start, length } });
    if (isWhole) checkObject(bytes, this.#file, this.name);
    else if (bytes.length !== length)
      throw this.damaged(`it has ${bytes.length} of the ${length} bytes from byte ${start}`);
    return bytes;
  }
}
