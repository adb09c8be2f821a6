/** An encoder that the engine has opened. */
export type EncoderHandle = object & { readonly __encoder: unique symbol };

/** What the native library exports (`native/engine.cc`). */
export interface EngineLibrary {
  /** Instruction sets that this processor supports, fastest first: `amx`, `vnni`, `avx2`, `neon`, `plain`. All return the same bits. */
  kernels: string[];
  /**
   * Opens an `encoder.bin`.
   * @param sections start and length of each section of the file, in bytes
   * @param kernel one of `kernels`; the fastest by default
   */
  open(path: string, sections: Float64Array, kernel?: string): EncoderHandle;
  /** @param rows `tokens * columns` numbers @returns the normalized vector */
  run(handle: EncoderHandle, rows: Float32Array): Float32Array;
  /** Maps a file into memory. The system reads only the pages that are used. */
  map(path: string): Uint8Array;
}
