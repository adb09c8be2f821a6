import type { FileChecks } from './block-checks.ts';
import { type Format, headBytes, type Place, readHead } from './container.ts';
import { damaged } from './damaged.ts';
import { DataFile } from './data-file.ts';

/** A file up to this many bytes is read in full with this read. The first question needs fewer reads, and less memory. */
const SMALL = 1 << 20;
const MANY_READS = 256;

/** An open file of sections (see container.ts), read in parts as needed. */
export class ContainerFile {
  readonly #file: DataFile;
  readonly #path: string;
  readonly #places: Place[];
  #reads = 0;
  /** The whole file, if it is small and was read often. */
  #bytes: Buffer | undefined;

  /**
   * @param checks of the file's blocks
   * @throws if the file is damaged or has another format
   */
  constructor(path: string, format: Format, checks?: FileChecks) {
    this.#file = new DataFile(path, checks);
    this.#path = path;
    try {
      this.#places = readPlaces(this.#file, format, path);
    } catch (error) {
      this.#file.close();
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
    this.#file.fill(bytes, base + start);
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
    else this.#file.fill(bytes, from);
  }

  /** Counts a read. Returns the whole file if it is small and this is not one of the first reads. */
  #whole(): Buffer | undefined {
    if (!this.#bytes && this.#file.size <= SMALL && ++this.#reads > MANY_READS) {
      const bytes = Buffer.allocUnsafeSlow(this.#file.size);
      this.#file.fill(bytes, 0);
      this.#bytes = bytes;
    }
    return this.#bytes;
  }

  /** The error for content that contradicts the file's format. */
  damaged(problem: string): Error {
    return damaged(this.#path, problem);
  }

  close(): void {
    this.#file.close();
  }
}

/** Reads the places of a file's sections, and the head before them. */
export function readPlaces(file: DataFile, format: Format, path: string): Place[] {
  const head = Buffer.allocUnsafe(Math.min(file.size, headBytes(format.sections)));
  file.fill(head, 0);
  return readHead(head, format, path, file.size);
}
