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
