// Hybrid search with Orama in this process, over the plain function's passages and vectors.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { create, load, search } from '@orama/orama';
import { env, pipeline } from '@xenova/transformers';

const beside = (name) => fileURLToPath(new URL(name, import.meta.url));

env.localModelPath = JSON.parse(readFileSync(beside('model.json'), 'utf8'));
env.allowRemoteModels = false;
const extract = await pipeline('feature-extraction', 'model', { quantized: true });
const { schema, data } = JSON.parse(readFileSync(beside('orama.json'), 'utf8'));
const db = create({ schema });
load(db, data);

export async function handler(event) {
  const query = event.queryStringParameters.q;
  const { data: vector } = await extract(`query: ${query}`, { pooling: 'mean', normalize: true });
  const { hits } = await search(db, {
    mode: 'hybrid',
    term: query,
    vector: { value: Array.from(vector), property: 'embedding' },
    limit: 10,
  });
  const results = hits.map(({ document: { id, title, text }, score }) => ({ id, title, text, score }));
  return { statusCode: 200, body: JSON.stringify({ query, results }) };
}
