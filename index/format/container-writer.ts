import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { type Format, startsOf, writeHead } from './container.ts';
import { writeFully } from './spool.ts';

/** Bytes written at once. */
const CHUNK = 1 << 20;

/** Writes a file of sections (see container.ts), one of which is too large for memory. */
export class ContainerWriter {
  readonly #fd: number;
  readonly #format: Format;
  readonly #lengths: number[];
  readonly #streamed: number;
  readonly #start: number;
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  #used = 0;
  #written = 0;

  /**
   * @param lengths bytes of each section. Without the last, the last is streamed and may have any length
   * @param streamed the section that `append` writes
   */
  constructor(path: string, format: Format, lengths: readonly number[], streamed = format.sections - 1) {
    this.#fd = openSync(path, 'w');
    this.#format = format;
    this.#lengths = [...lengths];
    this.#streamed = streamed;
    this.#start = startsOf(lengths, format.sections)[streamed]!;
  }

  /** Appends bytes to the streamed section. */
  append(bytes: Uint8Array): void {
    if (this.#used + bytes.length > CHUNK) this.#flush();
    if (bytes.length > CHUNK) {
      writeFully(this.#fd, bytes, this.#start + this.#written);
      this.#written += bytes.length;
      return;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /**
   * Writes the other sections and the head, and closes the file.
   * @param others all sections but the streamed one, in order
   * @throws if a section has another length than announced
   */
  finish(others: readonly ArrayBufferView[]): void {
    this.#flush();
    const lengths = others.map(({ byteLength }) => byteLength);
    lengths.splice(this.#streamed, 0, this.#written);
    if (this.#lengths.some((length, i) => length !== lengths[i]))
      throw new Error(
        `The sections have ${lengths.join(', ')} bytes instead of ${this.#lengths.join(', ')}.`,
      );
    const starts = startsOf(lengths);
    others.forEach(({ buffer, byteOffset, byteLength }, i) => {
      const section = i < this.#streamed ? i : i + 1;
      writeFully(this.#fd, new Uint8Array(buffer, byteOffset, byteLength), starts[section]!);
    });
    // The zeros after sections are holes.
    ftruncateSync(this.#fd, starts.at(-1)!);
    writeFully(this.#fd, writeHead(this.#format, lengths), 0);
    closeSync(this.#fd);
  }

  #flush(): void {
    writeFully(this.#fd, this.#buffer.subarray(0, this.#used), this.#start + this.#written);
    this.#written += this.#used;
    this.#used = 0;
  }
}
