import '../place-hnswlib.ts';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { env, pipeline } from '@xenova/transformers';
import hnswlib from 'hnswlib-node';
import { DEFAULT_MODEL } from '../../../index/compile/compile.ts';
import type { Passage } from '../../../index/format/passage.ts';

/** Builds the index of the plain function, as in tutorials. Reuses an existing index of the same passages. */
export async function buildPlain(passages: readonly Passage[], out: string): Promise<void> {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'index.mjs'), readFileSync(new URL('./handler.mjs', import.meta.url)));
  const [stored, graphFile] = [join(out, 'passages.json'), join(out, 'graph.hnsw')];
  const json = JSON.stringify(passages.map(({ id, title, text }) => ({ id, title, text })));
  if (existsSync(stored) && readFileSync(stored, 'utf8') === json) return;
  env.localModelPath = dirname(DEFAULT_MODEL);
  env.allowRemoteModels = false;
  const extract = await pipeline('feature-extraction', 'model', { quantized: true });
  const graph = new hnswlib.HierarchicalNSW('cosine', 384);
  graph.initIndex(passages.length);
  for (const [i, { text }] of passages.entries()) {
    const vector = await extract(`passage: ${text}`, { pooling: 'mean', normalize: true });
    graph.addPoint(Array.from(vector.data as Float32Array), i);
  }
  graph.writeIndexSync(graphFile);
  writeFileSync(join(out, 'model.json'), JSON.stringify(dirname(DEFAULT_MODEL)));
  // Written last: its presence shows that the rest is complete.
  writeFileSync(stored, json);
}
