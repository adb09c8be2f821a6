import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Format, headBytes, type Place, readHead } from './container.ts';
import { damaged } from './damaged.ts';

/** Files up to this many bytes are read in full, because that is as fast as the hundred reads of one question. */
const SMALL = 1 << 20;

/** An open file of sections (see container.ts). Large files are read in parts, as needed. */
export class ContainerFile {
  readonly #fd: number;
  readonly #path: string;
  readonly #places: Place[];
  /** The whole file, if it is small. */
  readonly #bytes: Buffer | undefined;

  /** @throws if the file is damaged or has another format */
  constructor(path: string, format: Format) {
    this.#fd = openSync(path, 'r');
    this.#path = path;
    try {
      const { size } = fstatSync(this.#fd);
      const first = Buffer.allocUnsafeSlow(size <= SMALL ? size : headBytes(format.sections));
      readExactly(this.#fd, first, 0, path);
      this.#places = readHead(first, format, path, size);
      if (first.length === size) this.#bytes = first;
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
    const { start: base, length: whole } = this.#places[section]!;
    const count = Math.max(0, Math.min(length, whole - start));
    if (this.#bytes) return this.#bytes.subarray(base + start, base + start + count);
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
    if (this.#bytes) bytes.set(this.#bytes.subarray(from, from + bytes.length));
    else readExactly(this.#fd, bytes, from, this.#path);
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
