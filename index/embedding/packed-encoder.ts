import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Encoder } from './encoder.ts';
import { headBytes, readHead } from './sections.ts';

/** `encoder.bin`: an encoder with 8-bit weights, for the engine in `native/`. FORMAT.md has its layout. */
export const PACKED = { magic: 'PSEN', version: 1, sections: 4 } as const;

/** An encoder that `native/encoder.cc` has opened. */
type Handle = object & { readonly __encoder: unique symbol };

/** What `native/encoder.cc` exports. */
export interface EngineLibrary {
  /** Kinds of instructions that this processor has, quickest first: `amx`, `vnni`, `avx2`, `neon`, `plain`. All give the same bits. */
  kernels: string[];
  /** @param sections start and length of each section of the file */
  open(path: string, sections: Float64Array, kernel?: string): Handle;
  run(handle: Handle, rows: Float32Array): Float32Array;
  /** A file's bytes, of which only what is used is read. */
  map(path: string): Uint8Array;
}

/** An encoder that the project's own engine runs, on the thread that asks. */
export class PackedEncoder implements Encoder {
  readonly #library: EngineLibrary;
  readonly #handle: Handle;

  /**
   * @param path of an `encoder.bin`
   * @param kernel of `library.kernels`; the quickest unless given
   * @throws if magic, version or length are not those of the format, or its sections do not go together
   */
  constructor(path: string, library: EngineLibrary, kernel?: string) {
    this.#library = library;
    const fd = openSync(path, 'r');
    try {
      const head = new Uint8Array(headBytes(PACKED.sections));
      const read = readSync(fd, head);
      const sections = readHead(head.subarray(0, read), PACKED, 'encoder.bin', fstatSync(fd).size);
      const places = Float64Array.from(sections.flatMap(({ start, length }) => [start, length]));
      this.#handle = kernel ? library.open(path, places, kernel) : library.open(path, places);
    } finally {
      closeSync(fd);
    }
  }

  async run(rows: Float32Array): Promise<Float32Array> {
    return this.#library.run(this.#handle, rows);
  }
}
