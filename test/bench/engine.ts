import { join } from 'node:path';
import { OnnxEncoder } from '../../index/embedding/onnx-encoder.ts';

/** Tokens of the question that `model.ts` embeds, and numbers in each row. */
const TOKENS = 13;
const COLUMNS = 384;

/** The bare engine: opens the encoder's file and runs it once on rows of that question's size. */
export async function run(model: string): Promise<void> {
  const encoder = await OnnxEncoder.open(join(model, 'encoder.onnx'), COLUMNS, false);
  await encoder.run(new Float32Array(TOKENS * COLUMNS).fill(0.01));
}
