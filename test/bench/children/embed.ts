// Embedding alone, for `timed.mjs`: without search, answer and the cache of repeated questions.
import { Embedder } from '../../../index/embedding/embedder.ts';

const embedder = await Embedder.open(process.argv[3]!, { verify: false });

export function embed(text: string): Promise<Float32Array> {
  return embedder.embed(text, 'query');
}
