import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadLibrary } from '#engine-library';
import type { FolderChecks } from '../format/block-checks.ts';
import { checkFiles } from '../format/checksums.ts';
import type { CompiledModel } from '../format/compiled-model.ts';
import { damaged } from '../format/damaged.ts';
import type { Encoder } from './encoder.ts';
import { PackedEncoder } from './packed-encoder.ts';

/**
 * Opens a compiled model's encoder with the engine that it was compiled for. The other engine is not loaded.
 * @param checks of the folder, which nobody changes then: the encoder stays in the file and needs no memory of its own
 * @throws if the encoder is damaged, or does not belong to the model
 */
export async function openEncoder(
  dir: string,
  model: CompiledModel,
  checks?: FolderChecks,
): Promise<Encoder> {
  const { dimensions, maxTokens, optimize, tokens } = model;
  if (model.engine === 'onnx') {
    const { OnnxEncoder } = await import('./onnx-encoder.ts');
    const { 'encoder.onnx': graph, 'weights.bin': weights } = model.files;
    // Node's CRC-32 is faster than our CRC-32C without the native library.
    if (checks) checkFiles(dir, { 'encoder.onnx': graph!, 'weights.bin': weights! }, true);
    return OnnxEncoder.open(join(dir, 'encoder.onnx'), dimensions, optimize);
  }
  const path = join(dir, 'encoder.bin');
  const library = await loadLibrary();
  const bytes = checks ? library.map(path, true) : readFileSync(path);
  checks?.of('encoder.bin').checkAll(bytes);
  const encoder = new PackedEncoder(path, bytes, library, { layer: tokens?.layer });
  if (encoder.columns !== dimensions || encoder.maxTokens < maxTokens) {
    throw damaged(
      path,
      `it has ${encoder.columns} columns and ${encoder.maxTokens} tokens, but the model has ${dimensions} dimensions and ${maxTokens} tokens`,
    );
  }
  return encoder;
}
