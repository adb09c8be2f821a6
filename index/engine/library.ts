/** An encoder that `open` returned. */
export type EncoderHandle = object & { readonly __encoder: unique symbol };

/** The exports of the native library (`native/engine.cc`). Every function checks its arguments and throws one sentence. */
export interface EngineLibrary {
  /** Instruction sets that this processor supports, fastest first: `amx`, `vnni`, `avx2`, `neon`, `plain`. All return the same bits. */
  kernels: string[];
  /**
   * Opens an `encoder.bin`.
   * @param sections start and length of each of its four sections, in bytes
   * @param kernel one of `kernels`; the fastest by default
   * @throws {Error} if the file cannot be mapped, its sections are damaged, or memory is short
   */
  open(path: string, sections: Float64Array, kernel?: string): EncoderHandle;
  /**
   * Embeds the rows of a text's tokens.
   * @param rows `tokens * columns` numbers
   * @returns `columns` numbers, of length 1
   * @throws {Error} on another size, if the result contains NaN, or if memory is short; the encoder remains usable
   */
  run(handle: EncoderHandle, rows: Float32Array): Float32Array;
  /**
   * Maps a file into memory. The system reads only the pages that are used.
   * @throws {Error} if the file cannot be mapped
   */
  map(path: string): Uint8Array;
}
