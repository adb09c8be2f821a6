import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { type Format, headBytes, readHead } from '../embedding/sections.ts';

/** A file of sections (see embedding/sections.ts) of which parts are read as they are needed. */
export class SectionsFile {
  readonly #fd: number;
  readonly #sections: { start: number; length: number }[];

  /** @throws if magic, version or length are not those of the format */
  constructor(path: string, format: Format) {
    this.#fd = openSync(path, 'r');
    const head = new Uint8Array(headBytes(format.sections));
    readSync(this.#fd, head, 0, head.length, 0);
    this.#sections = readHead(head, format, basename(path), fstatSync(this.#fd).size);
  }

  length(section: number): number {
    return this.#sections[section]!.length;
  }

  /** The bytes `[start, start + length)` of a section, fewer where it ends before. */
  read(section: number, start: number, length: number): Buffer {
    const { start: base, length: whole } = this.#sections[section]!;
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, whole - start)));
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, bytes.length, base + start));
  }

  /** Fills `bytes` with what stands in a section from `start`. */
  fill(bytes: Uint8Array, section: number, start: number): void {
    readSync(this.#fd, bytes, 0, bytes.length, this.#sections[section]!.start + start);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
