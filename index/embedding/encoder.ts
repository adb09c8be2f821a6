import type { EncoderHandle, EngineLibrary } from '../engine/library.ts';
import { damaged, readHead } from '../format/container.ts';

/** A text's vector, and a vector for each of its tokens. */
export interface EncodedTokens {
  /** Normalized. */
  vector: Float32Array;
  /** The output of one layer, `tokens * columns` numbers. */
  states: Float32Array;
}

/** The interface to an inference engine: rows in, vectors out. */
export interface Encoder {
  /** @param rows `tokens * columns` numbers @returns the normalized vector */
  run(rows: Float32Array): Promise<Float32Array>;
  /** @throws if the model was compiled without token states */
  runWithStates(rows: Float32Array): Promise<EncodedTokens>;
}

/** `encoder.bin`: an encoder with 8-bit weights for the native engine. FORMAT.md describes its layout. */
export const ENCODER = { magic: 'PSEN', version: 1, sections: 4 } as const;

/** Bytes of the settings in section 0. */
const SETTINGS = 32;

/** An encoder that the project's own engine runs, on the calling thread. */
export class PackedEncoder implements Encoder {
  /** Numbers in a row, and in the vector. */
  readonly columns: number;
  /** Most rows of a run. */
  readonly maxTokens: number;
  readonly #library: EngineLibrary;
  readonly #layer: number | undefined;
  readonly #handle: EncoderHandle;

  /**
   * @param path of an `encoder.bin`, for errors
   * @param bytes of the file. They must not change
   * @param layer the layer of the token states, from 1
   * @param kernel one of `library.kernels`; the fastest by default
   * @throws if the file is damaged or has another format
   */
  constructor(
    path: string,
    bytes: Uint8Array,
    library: EngineLibrary,
    { layer, kernel }: { layer?: number; kernel?: string } = {},
  ) {
    this.#library = library;
    this.#layer = layer;
    const sections = readHead(bytes, ENCODER, path, bytes.length);
    const { start, length } = sections[0]!;
    if (length !== SETTINGS) throw damaged(path, `its settings have ${length} bytes instead of ${SETTINGS}`);
    const settings = new DataView(bytes.buffer, bytes.byteOffset + start, SETTINGS);
    this.columns = settings.getUint32(0, true);
    this.maxTokens = settings.getUint32(20, true);
    const places = Float64Array.from(sections.flatMap(({ start, length }) => [start, length]));
    this.#handle = kernel ? library.open(path, bytes, places, kernel) : library.open(path, bytes, places);
  }

  async run(rows: Float32Array): Promise<Float32Array> {
    return this.#library.run(this.#handle, rows);
  }

  async runWithStates(rows: Float32Array): Promise<EncodedTokens> {
    if (this.#layer === undefined) throw new Error('The model was compiled without token states.');
    const states = new Float32Array(rows.length);
    const vector = this.#library.run(this.#handle, rows, this.#layer, states);
    return { vector, states };
  }
}
