import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { type Format, headBytes, readHead } from './container.ts';

/** A file of at most so many bytes is read whole: that takes no longer than the hundred reads of a question, and later ones need none. */
const SMALL = 1 << 20;

/** A file of sections (see embedding/sections.ts) of which parts are read as they are needed. */
export class SectionsFile {
  readonly #fd: number;
  readonly #sections: { start: number; length: number }[];
  /** The whole file, if it is small. */
  readonly #bytes: Buffer | undefined;

  /** @throws if magic, version or length are not those of the format */
  constructor(path: string, format: Format) {
    this.#fd = openSync(path, 'r');
    try {
      const { size } = fstatSync(this.#fd);
      const first = Buffer.allocUnsafeSlow(size <= SMALL ? size : headBytes(format.sections));
      readSync(this.#fd, first, 0, first.length, 0);
      this.#sections = readHead(first, format, basename(path), size);
      if (first.length === size) this.#bytes = first;
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  length(section: number): number {
    return this.#sections[section]!.length;
  }

  /** The bytes `[start, start + length)` of a section, fewer where it ends before. Not to be written to. */
  read(section: number, start: number, length: number): Buffer {
    const { start: base, length: whole } = this.#sections[section]!;
    const count = Math.max(0, Math.min(length, whole - start));
    if (this.#bytes) return this.#bytes.subarray(base + start, base + start + count);
    const bytes = Buffer.allocUnsafe(count);
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, count, base + start));
  }

  /** Fills `bytes` with what stands in a section from `start`. */
  fill(bytes: Uint8Array, section: number, start: number): void {
    const from = this.#sections[section]!.start + start;
    if (this.#bytes) bytes.set(this.#bytes.subarray(from, from + bytes.length));
    else readSync(this.#fd, bytes, 0, bytes.length, from);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
