import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { readExactly } from './data-file.ts';

/** Bytes written at once, and read at once in order. */
const CHUNK = 1 << 20;

/** A temporary file. A build writes what it needs later and cannot keep in memory. */
export class Spool {
  readonly #fd: number;
  readonly #path: string;
  /** Bytes that are not written yet. */
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  #used = 0;
  #written = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'wx+');
    this.#path = path;
  }

  /** Bytes on the disk. */
  get written(): number {
    return this.#written;
  }

  /** Bytes appended so far. */
  get length(): number {
    return this.#written + this.#used;
  }

  append(bytes: Uint8Array): void {
    if (this.#used + bytes.length > CHUNK) this.flush();
    if (bytes.length > CHUNK) {
      writeFully(this.#fd, bytes, this.#written);
      this.#written += bytes.length;
      return;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  read(start: number, length: number): Buffer {
    if (start + length > this.#written) this.flush();
    const bytes = Buffer.allocUnsafe(length);
    readExactly(this.#fd, bytes, start, this.#path);
    return bytes;
  }

  /** All bytes, in pieces of a whole number of units. The next piece overwrites the one before. */
  *pieces(unit: number): Generator<Buffer> {
    this.flush();
    const piece = Buffer.allocUnsafeSlow(Math.max(unit, Math.floor(CHUNK / unit) * unit));
    for (let at = 0; at < this.#written; at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, this.#written - at));
      readExactly(this.#fd, part, at, this.#path);
      yield part;
    }
  }

  /** Closes and removes the file. */
  remove(): void {
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }

  /** Writes all bytes to the disk. */
  flush(): void {
    writeFully(this.#fd, this.#buffer.subarray(0, this.#used), this.#written);
    this.#written += this.#used;
    this.#used = 0;
  }
}

/** Writes all bytes at a position of an open file. */
export function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}
