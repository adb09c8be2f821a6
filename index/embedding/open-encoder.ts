import { join } from 'node:path';
import { loadLibrary } from '#engine-library';
import type { CompiledModel } from '../format/compiled-model.ts';
import type { Encoder } from './encoder.ts';
import { PackedEncoder } from './packed-encoder.ts';

/** Opens a compiled model's encoder with the engine it was compiled for. The other engine is not loaded. */
export async function openEncoder(dir: string, model: CompiledModel): Promise<Encoder> {
  if (model.engine === 'packed') return new PackedEncoder(join(dir, 'encoder.bin'), await loadLibrary());
  const { OnnxEncoder } = await import('./onnx-encoder.ts');
  return OnnxEncoder.open(join(dir, 'encoder.onnx'), model.dimensions, model.optimize);
}
