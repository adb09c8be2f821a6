import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { env, pipeline } from '@xenova/transformers';
import hnswlib from 'hnswlib-node';
import { Passages } from '../../../index/bundle/passages.ts';
import { DEFAULT_MODEL } from '../../../index/compile/compile.ts';

/** Builds the index of the plain function, the way tutorials do, from the passages of a polyseek index. */
export async function buildPlain(index: string, out: string): Promise<void> {
  env.localModelPath = dirname(DEFAULT_MODEL);
  env.allowRemoteModels = false;
  const extract = await pipeline('feature-extraction', 'model', { quantized: true });
  const stored = new Passages(join(index, 'passages.bin'));
  const passages = Array.from({ length: stored.count }, (_, i) => stored.get(i));
  const graph = new hnswlib.HierarchicalNSW('cosine', 384);
  graph.initIndex(passages.length);
  for (const [i, { text }] of passages.entries()) {
    const vector = await extract(`passage: ${text}`, { pooling: 'mean', normalize: true });
    graph.addPoint(Array.from(vector.data as Float32Array), i);
  }
  mkdirSync(out, { recursive: true });
  graph.writeIndexSync(join(out, 'graph.hnsw'));
  writeFileSync(
    join(out, 'passages.json'),
    JSON.stringify(passages.map(({ id, title, text }) => ({ id, title, text }))),
  );
  writeFileSync(join(out, 'model.json'), JSON.stringify(dirname(DEFAULT_MODEL)));
  writeFileSync(join(out, 'index.mjs'), readFileSync(new URL('./handler.mjs', import.meta.url)));
}
