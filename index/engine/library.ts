/** An encoder that `open` returned. */
export type EncoderHandle = object & { readonly __encoder: unique symbol };

/** The exports of the native library (`native/engine.cc`). Every function checks its arguments and throws one sentence. */
export interface EngineLibrary {
  /** Instruction sets that this processor supports, fastest first: `amx`, `vnni`, `avx2`, `neon`, `plain`. All return the same bits. */
  kernels: string[];
  /**
   * Opens an `encoder.bin`.
   * @param path of the file, for errors
   * @param bytes of the file, from a multiple of 8. They must not change
   * @param sections start and length of each of its four sections, in bytes
   * @param kernel one of `kernels`; the fastest by default
   * @throws {Error} if its sections are damaged, or memory is short
   */
  open(path: string, bytes: Uint8Array, sections: Float64Array, kernel?: string): EncoderHandle;
  /**
   * Embeds the rows of a text's tokens.
   * @param rows `tokens * columns` numbers
   * @param layer the number of a layer, from 1
   * @param states filled with that layer's output, `tokens * columns` numbers
   * @returns `columns` numbers, of length 1
   * @throws {Error} on another size, if the result contains NaN, or if memory is short; the encoder remains usable
   */
  run(handle: EncoderHandle, rows: Float32Array): Float32Array;
  run(handle: EncoderHandle, rows: Float32Array, layer: number, states: Float32Array): Float32Array;
  /**
   * Prepares a question's token states for `matchTokens`.
   * @param states `tokens * columns` numbers
   * @param codewords 16 codewords of 4 numbers for each of `columns / 4` parts
   * @returns tables for this library only
   * @throws {Error} on another size, or if memory is short
   */
  tabulate(states: Float32Array, codewords: Float32Array): Uint8Array;
  /**
   * Finds each question token's most similar token in each passage.
   * @param tables of `tokens` question tokens
   * @param codes of the passages, as tokens.bin contains them, without gaps
   * @param counts each passage's tokens
   * @param kernel one of `kernels`; the fastest by default
   * @returns for each passage, for each question token: the similarity, and the number of the token in the passage
   * @throws {Error} on another size, or if memory is short
   */
  matchTokens(
    tables: Uint8Array,
    tokens: number,
    codes: Uint8Array,
    counts: Uint32Array,
    kernel?: string,
  ): Float32Array;
  /**
   * Maps a file into memory. Writing to it, or reading it after the file became shorter, ends the process.
   * @param whole reads the whole file; otherwise the system reads the pages that are used
   * @throws {Error} if the file cannot be mapped
   */
  map(path: string, whole?: boolean): Uint8Array;
  /**
   * Compares the CRC-32C of each 4,096 bytes with an expected one. The last block may be shorter.
   * @param kernel one of `kernels`; the fastest by default
   * @returns the number of the first block that differs, or -1
   * @throws {Error} if there are not as many numbers as blocks
   */
  compareBlocks(bytes: Uint8Array, checksums: Uint32Array, kernel?: string): number;
}
