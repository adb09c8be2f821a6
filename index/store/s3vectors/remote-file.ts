import type { FileList } from '../../format/checks.ts';
import type { Lru } from '../../kit/lru.ts';
import type { Client } from './client.ts';
import { damagedInS3 } from './objects.ts';

/** Objects up to this many bytes are read whole: one call instead of many, and their checksum is verified. */
const WHOLE = 1 << 20;
/** Larger objects are read in blocks of this many bytes. S3 sends one in the time in which it sends a byte. */
const BLOCK = 16 << 10;

/** Blocks of objects by the object's name and the block's number. */
export type Blocks = Lru<Promise<Buffer>>;

/** An object in S3 that never changes. Reads of the same bytes at the same time share one call. */
export class RemoteFile {
  readonly name: string;
  readonly bytes: number;
  readonly #checksum: string;
  readonly #client: Pick<Client, 'object' | 'range'>;
  readonly #blocks: Blocks;
  /** All of a small object. */
  #whole: Promise<Buffer> | undefined;

  /**
   * Reads nothing.
   * @param name of the object below the index's name
   * @param file its size and checksum in a manifest
   * @param blocks the cache for blocks of large objects
   */
  constructor(
    client: Pick<Client, 'object' | 'range'>,
    name: string,
    file: FileList[string],
    blocks: Blocks,
  ) {
    this.name = name;
    this.bytes = file.bytes;
    this.#checksum = file.crc32;
    this.#client = client;
    this.#blocks = blocks;
  }

  /** The bytes `[start, start + length)`, or fewer at the end. Callers must not write to them. */
  async read(start: number, length: number): Promise<Buffer> {
    const end = Math.min(start + length, this.bytes);
    if (start >= end) return Buffer.alloc(0);
    if (this.bytes <= WHOLE) return (await this.whole()).subarray(start, end);
    const first = Math.floor(start / BLOCK);
    const blocks = await Promise.all(this.#read(first, Math.ceil(end / BLOCK)));
    const from = start - first * BLOCK;
    const all = blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks);
    return all.subarray(from, from + end - start);
  }

  /** All bytes, which must be few. Verifies their checksum. */
  whole(): Promise<Buffer> {
    if (this.#whole) return this.#whole;
    const reading = this.#readWhole();
    this.#whole = reading;
    // The next read tries again.
    reading.catch(() => {
      this.#whole = undefined;
    });
    return reading;
  }

  /** The error for content that contradicts the format. */
  damaged(problem: string): Error {
    return damagedInS3(this.name, problem);
  }

  async #readWhole(): Promise<Buffer> {
    const bytes = await this.#client.object(this.name);
    const { crc32 } = process.getBuiltinModule('node:zlib');
    const found = crc32(bytes).toString(16).padStart(8, '0');
    if (bytes.length !== this.bytes)
      throw this.damaged(`it has ${bytes.length} bytes, but its manifest says ${this.bytes}`);
    if (found !== this.#checksum)
      throw this.damaged(`it has the checksum ${found}, but its manifest says ${this.#checksum}`);
    return bytes;
  }

  /** The blocks `[first, end)`. Those that are not in the cache and follow each other are read at once. */
  #read(first: number, end: number): Promise<Buffer>[] {
    const found: Promise<Buffer>[] = [];
    for (let block = first; block < end; ) {
      const known = this.#blocks.get(this.#key(block));
      if (known) {
        found.push(known);
        block++;
        continue;
      }
      let to = block + 1;
      while (to < end && !this.#blocks.get(this.#key(to))) to++;
      const run = this.#readRun(block, to);
      for (; block < to; block++) found.push(this.#keep(run, block, to));
    }
    return found;
  }

  async #readRun(first: number, end: number): Promise<{ bytes: Buffer; first: number }> {
    const start = first * BLOCK;
    const length = Math.min(end * BLOCK, this.bytes) - start;
    const bytes = await this.#client.range(this.name, start, length);
    if (bytes.length !== length)
      throw this.damaged(`it has ${bytes.length} of the ${length} bytes from byte ${start}`);
    return { bytes, first };
  }

  /** Adds a block of a run to the cache. */
  #keep(run: Promise<{ bytes: Buffer; first: number }>, block: number, end: number): Promise<Buffer> {
    const key = this.#key(block);
    const reading = run.then(({ bytes, first }) => {
      const at = (block - first) * BLOCK;
      const part = bytes.subarray(at, at + BLOCK);
      // A view would keep the whole run in memory.
      return end - first > 1 ? Buffer.from(part) : part;
    });
    this.#blocks.set(key, reading, BLOCK);
    reading.catch(() => this.#blocks.delete(key));
    return reading;
  }

  #key(block: number): string {
    return `${this.name} ${block}`;
  }
}
