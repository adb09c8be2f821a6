import { join } from 'node:path';
import { loadLibrary } from '#engine-library';
import type { CompiledModel } from '../format/compiled-model.ts';
import { damaged } from '../format/damaged.ts';
import type { Encoder } from './encoder.ts';
import { PackedEncoder } from './packed-encoder.ts';

/**
 * Opens a compiled model's encoder with the engine that it was compiled for. The other engine is not loaded.
 * @throws if the encoder is damaged, or does not belong to the model
 */
export async function openEncoder(dir: string, model: CompiledModel): Promise<Encoder> {
  const { dimensions, maxTokens, optimize, tokens } = model;
  if (model.engine === 'onnx') {
    const { OnnxEncoder } = await import('./onnx-encoder.ts');
    return OnnxEncoder.open(join(dir, 'encoder.onnx'), dimensions, optimize);
  }
  const path = join(dir, 'encoder.bin');
  const encoder = new PackedEncoder(path, await loadLibrary(), { layer: tokens?.layer });
  if (encoder.columns !== dimensions || encoder.maxTokens < maxTokens) {
    throw damaged(
      path,
      `it has ${encoder.columns} columns and ${encoder.maxTokens} tokens, but the model has ${dimensions} dimensions and ${maxTokens} tokens`,
    );
  }
  return encoder;
}
