import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Format, headBytes, type Place, readHead } from './container.ts';
import { damaged } from './damaged.ts';

/** A file up to this many bytes is read in full with this read. The first question needs fewer reads, and less memory. */
const SMALL = 1 << 20;
const MANY_READS = 256;

/** An open file of sections (see container.ts), read in parts as needed. */
export class ContainerFile {
  readonly #fd: number;
  readonly #path: string;
  readonly #places: Place[];
  readonly #size: number;
  #reads = 0;
  /** The whole file, if it is small and was read often. */
  #bytes: Buffer | undefined;

  /** @throws if the file is damaged or has another format */
  constructor(path: string, format: Format) {
    this.#fd = openSync(path, 'r');
    this.#path = path;
    try {
      this.#size = fstatSync(this.#fd).size;
      const head = Buffer.allocUnsafe(Math.min(this.#size, headBytes(format.sections)));
      readExactly(this.#fd, head, 0, path);
      this.#places = readHead(head, format, path, this.#size);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** Bytes of a section. */
  length(section: number): number {
    return this.#places[section]!.length;
  }

  /** The bytes `[start, start + length)` of a section, or fewer at its end. Callers must not write to them. */
  read(section: number, start: number, length: number): Buffer {
    const { start: base, length: available } = this.#places[section]!;
    const count = Math.max(0, Math.min(length, available - start));
    const file = this.#whole();
    if (file) return file.subarray(base + start, base + start + count);
    const bytes = Buffer.allocUnsafe(count);
    readExactly(this.#fd, bytes, base + start, this.#path);
    return bytes;
  }

  /** Fills `bytes` with the content of a section from `start`. */
  fill(bytes: Uint8Array, section: number, start: number): void {
    const { start: base, length } = this.#places[section]!;
    if (start + bytes.length > length)
      throw this.damaged(
        `bytes up to ${start + bytes.length} of section ${section} are needed, but it has ${length}`,
      );
    const from = base + start;
    const file = this.#whole();
    if (file) bytes.set(file.subarray(from, from + bytes.length));
    else readExactly(this.#fd, bytes, from, this.#path);
  }

  /** Counts a read. Returns the whole file if it is small and this is not one of the first reads. */
  #whole(): Buffer | undefined {
    if (!this.#bytes && this.#size <= SMALL && ++this.#reads > MANY_READS) {
      this.#bytes = Buffer.allocUnsafeSlow(this.#size);
      readExactly(this.#fd, this.#bytes, 0, this.#path);
    }
    return this.#bytes;
  }

  /** The error for content that contradicts the file's format. */
  damaged(problem: string): Error {
    return damaged(this.#path, problem);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/**
 * Fills `bytes` from a position of an open file.
 * @throws if the file ends before
 */
export function readExactly(fd: number, bytes: Uint8Array, position: number, path: string): void {
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(fd, bytes, at, bytes.length - at, position + at);
    if (count === 0)
      throw damaged(path, `it ends at byte ${position + at}, before byte ${position + bytes.length}`);
    at += count;
  }
}
