import { closeSync, fstatSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import type { FileChecks } from './checks.ts';
import {
  bytesOf,
  damaged,
  type Format,
  headBytes,
  type Place,
  readHead,
  startsOf,
  writeHead,
} from './container.ts';

/** Bytes written at once, and read at once in order. */
const CHUNK = 1 << 20;
/** The most bytes of one call. Node reads at most 2 GB. */
const MOST = 1 << 30;

/** A file up to this many bytes is read in full with this read. The first question needs fewer reads, and less memory. */
const SMALL = 4 << 20;
const MANY_READS = 256;

/** An open file of sections (see container.ts), read in parts as needed. */
export class ContainerFile {
  readonly #fd: number;
  readonly #size: number;
  readonly #path: string;
  readonly #checks: FileChecks | undefined;
  readonly #places: Place[];
  #reads = 0;
  /** The whole file, if it is small and was read often. */
  #bytes: Buffer | undefined;

  /**
   * @param checks of the file's blocks: each is compared when it is first read
   * @throws if the file is damaged or has another format
   */
  constructor(path: string, format: Format, checks?: FileChecks) {
    this.#fd = openSync(path, 'r');
    this.#size = fstatSync(this.#fd).size;
    this.#path = path;
    this.#checks = checks;
    try {
      checks?.checkSize(this.#size);
      const head = Buffer.allocUnsafe(Math.min(this.#size, headBytes(format.sections)));
      this.#read(head, 0);
      this.#places = readHead(head, format, path, this.#size);
    } catch (error) {
      this.close();
      throw error;
    }
  }

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
    this.#read(bytes, base + start);
    return bytes;
  }

  fill(bytes: Uint8Array, section: number, start: number): void {
    const { start: base, length } = this.#places[section]!;
    if (start + bytes.length > length)
      throw this.damaged(
        `bytes up to ${start + bytes.length} of section ${section} are needed, but it has ${length}`,
      );
    const from = base + start;
    const file = this.#whole();
    if (file) bytes.set(file.subarray(from, from + bytes.length));
    else this.#read(bytes, from);
  }

  /** Counts a read. Returns the whole file if it is small and this is not one of the first reads. */
  #whole(): Buffer | undefined {
    if (!this.#bytes && this.#size <= SMALL && ++this.#reads > MANY_READS) {
      const bytes = Buffer.allocUnsafeSlow(this.#size);
      this.#read(bytes, 0);
      this.#bytes = bytes;
    }
    return this.#bytes;
  }

  /** Fills `bytes` from a position of the file. Throws if the file ends before, or is damaged there. */
  #read(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    const end = position + bytes.length;
    if (!this.#checks || this.#checks.knows(position, end)) {
      readExactly(this.#fd, bytes, position, this.#path);
      return;
    }
    this.#checks.check(position, end, (from, to) => {
      const blocks = Buffer.allocUnsafe(to - from);
      readExactly(this.#fd, blocks, from, this.#path);
      bytes.set(blocks.subarray(position - from, end - from));
      return blocks;
    });
  }

  /** Closes the file and throws, unless a condition of its format holds. */
  require(holds: boolean, problem: string): void {
    if (holds) return;
    this.close();
    throw this.damaged(problem);
  }

  damaged(problem: string): Error {
    return damaged(this.#path, problem);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Writes a file of sections (see container.ts), one of which is too large for memory. */
export class ContainerWriter {
  readonly #format: Format;
  readonly #lengths: number[];
  readonly #streamed: number;
  readonly #content: Spool;

  /**
   * @param lengths bytes of each section. Without the last, the last is streamed and may have any length
   * @param streamed the section that `append` writes
   */
  constructor(path: string, format: Format, lengths: readonly number[], streamed = format.sections - 1) {
    this.#format = format;
    this.#lengths = [...lengths];
    this.#streamed = streamed;
    this.#content = new Spool(path, startsOf(lengths, format.sections)[streamed]!);
  }

  append(bytes: Uint8Array): void {
    this.#content.append(bytes);
  }

  /**
   * Writes the other sections and the head, and closes the file.
   * @param others all sections but the streamed one, in order
   * @throws if a section has another length than announced
   */
  finish(others: readonly ArrayBufferView[]): void {
    this.#content.flush();
    const { fd, written } = this.#content;
    const lengths = others.map(({ byteLength }) => byteLength);
    lengths.splice(this.#streamed, 0, written);
    if (this.#lengths.some((length, i) => length !== lengths[i]))
      throw new Error(
        `The sections have ${lengths.join(', ')} bytes instead of ${this.#lengths.join(', ')}.`,
      );
    const starts = startsOf(lengths);
    others.forEach((section, i) => {
      writeFully(fd, bytesOf(section), starts[i < this.#streamed ? i : i + 1]!);
    });
    // The zeros after sections are holes.
    ftruncateSync(fd, starts.at(-1)!);
    writeFully(fd, writeHead(this.#format, lengths), 0);
    closeSync(fd);
  }
}

/** A file that is written in large pieces, such as a temporary one: a build writes what it needs later and cannot keep in memory. */
export class Spool {
  readonly fd: number;
  readonly #path: string;
  readonly #start: number;
  /** Bytes that are not written yet. */
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  #used = 0;
  #written = 0;

  /** @param start position of the first byte in the file */
  constructor(path: string, start = 0) {
    this.fd = openSync(path, 'w+');
    this.#path = path;
    this.#start = start;
  }

  get written(): number {
    return this.#written;
  }

  get length(): number {
    return this.#written + this.#used;
  }

  append(bytes: Uint8Array): void {
    if (this.#used + bytes.length > CHUNK) this.flush();
    if (bytes.length > CHUNK) this.#write(bytes);
    else {
      this.#buffer.set(bytes, this.#used);
      this.#used += bytes.length;
    }
  }

  read(start: number, length: number): Buffer {
    if (start + length > this.written) this.flush();
    const bytes = Buffer.allocUnsafe(length);
    readExactly(this.fd, bytes, this.#start + start, this.#path);
    return bytes;
  }

  /** All bytes, in pieces of a whole number of units. The next piece overwrites the one before. */
  *pieces(unit: number): Generator<Buffer> {
    this.flush();
    const piece = Buffer.allocUnsafeSlow(Math.max(unit, Math.floor(CHUNK / unit) * unit));
    for (let at = 0; at < this.written; at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, this.written - at));
      readExactly(this.fd, part, this.#start + at, this.#path);
      yield part;
    }
  }

  /** Removes the last bytes, so that this many are left. */
  truncate(length: number): void {
    this.flush();
    this.#written = length;
  }

  flush(): void {
    this.#write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  remove(): void {
    closeSync(this.fd);
    rmSync(this.#path, { force: true });
  }

  #write(bytes: Uint8Array): void {
    writeFully(this.fd, bytes, this.#start + this.#written);
    this.#written += bytes.length;
  }
}

/**
 * Fills `bytes` from a position of an open file.
 * @throws if the file ends before
 */
export function readExactly(fd: number, bytes: Uint8Array, position: number, path: string): void {
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(fd, bytes, at, Math.min(bytes.length - at, MOST), position + at);
    if (count === 0)
      throw damaged(path, `it ends at byte ${position + at}, before byte ${position + bytes.length}`);
    at += count;
  }
}

function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}

/** The vectors `[first, end)` of a file of vectors (f32). Each is valid until the next. */
export function* readVectors(
  path: string,
  dimensions: number,
  first: number,
  end: number,
): Generator<Float32Array> {
  const fd = openSync(path, 'r');
  try {
    const rows = new Float32Array(Math.max(1, Math.floor(CHUNK / (4 * dimensions))) * dimensions);
    for (let at = first; at < end; at += rows.length / dimensions) {
      const count = Math.min(rows.length / dimensions, end - at);
      const bytes = new Uint8Array(rows.buffer, 0, 4 * count * dimensions);
      readExactly(fd, bytes, 4 * at * dimensions, path);
      for (let i = 0; i < count; i++) yield rows.subarray(i * dimensions, (i + 1) * dimensions);
    }
  } finally {
    closeSync(fd);
  }
}
