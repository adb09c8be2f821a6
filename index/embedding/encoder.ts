/** The seam to the inference engine: rows in, one vector out. */
export interface Encoder {
  /** @param rows `tokens * columns` numbers @returns the normalized vector */
  run(rows: Float32Array): Promise<Float32Array>;
}
