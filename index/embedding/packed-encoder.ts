import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { EncoderHandle, EngineLibrary } from '../engine/library.ts';
import { headBytes, readHead } from '../format/container.ts';
import { ENCODER } from '../format/encoder-file.ts';
import type { Encoder } from './encoder.ts';

/** An encoder that the project's own engine runs, on the thread that asks. */
export class PackedEncoder implements Encoder {
  readonly #library: EngineLibrary;
  readonly #handle: EncoderHandle;

  /**
   * @param path of an `encoder.bin`
   * @param kernel of `library.kernels`; the quickest unless given
   * @throws if magic, version or length are not those of the format, or its sections do not go together
   */
  constructor(path: string, library: EngineLibrary, kernel?: string) {
    this.#library = library;
    const fd = openSync(path, 'r');
    try {
      const head = new Uint8Array(headBytes(ENCODER.sections));
      const read = readSync(fd, head);
      const sections = readHead(head.subarray(0, read), ENCODER, 'encoder.bin', fstatSync(fd).size);
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
