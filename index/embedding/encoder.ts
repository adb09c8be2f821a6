import { join } from 'node:path';
import type { CompiledModel } from './compiled-model.ts';
import { loadLibrary } from './library.ts';
import { PackedEncoder } from './packed-encoder.ts';

/** The seam to the inference engine: rows in, one vector out. */
export interface Encoder {
  /** @param rows `tokens * columns` numbers @returns the normalized vector */
  run(rows: Float32Array): Promise<Float32Array>;
}

/** Opens the encoder of a compiled model with the engine that it was compiled for; the other is not loaded. */
export async function openEncoder(dir: string, model: CompiledModel): Promise<Encoder> {
  if (model.engine === 'packed') return new PackedEncoder(join(dir, 'encoder.bin'), await loadLibrary());
  const { OnnxEncoder } = await import('./onnx-encoder.ts');
  return OnnxEncoder.open(join(dir, 'encoder.onnx'), model.dimensions, model.optimize);
}
