// The plain function compared with polyseek: @xenova/transformers, hnswlib-node and passages as JSON.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { env, pipeline } from '@xenova/transformers';
import hnswlib from 'hnswlib-node';

const beside = (name) => fileURLToPath(new URL(name, import.meta.url));

env.localModelPath = JSON.parse(readFileSync(beside('model.json'), 'utf8'));
env.allowRemoteModels = false;
const extract = await pipeline('feature-extraction', 'model', { quantized: true });
const passages = JSON.parse(readFileSync(beside('passages.json'), 'utf8'));
const graph = new hnswlib.HierarchicalNSW('cosine', 384);
graph.readIndexSync(beside('graph.hnsw'));

export async function handler(event) {
  const query = event.queryStringParameters.q;
  const vector = await embed(query);
  const { neighbors, distances } = graph.searchKnn(Array.from(vector), 10);
  const results = neighbors.map((i, n) => ({ ...passages[i], score: 1 - distances[n] }));
  return { statusCode: 200, body: JSON.stringify({ query, results }) };
}

/** Returns the vector of a question. The benchmark also times this alone. */
export async function embed(query) {
  const { data } = await extract(`query: ${query}`, { pooling: 'mean', normalize: true });
  return data;
}

/** Returns the vectors of passages, in one batch, as in a build. */
export async function embedBatch(texts) {
  const { data } = await extract(
    texts.map((text) => `passage: ${text}`),
    { pooling: 'mean', normalize: true },
  );
  return data;
}
