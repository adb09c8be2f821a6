import '../place-hnswlib.ts';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, insertMultiple, save } from '@orama/orama';
import hnswlib from 'hnswlib-node';

const schema = { id: 'string', title: 'string', text: 'string', embedding: 'vector[384]' } as const;

/** Builds the Orama function's folder from the plain function's: the same passages and vectors. */
export async function buildOrama(plain: string, out: string): Promise<void> {
  const graph = new hnswlib.HierarchicalNSW('cosine', 384);
  graph.readIndexSync(join(plain, 'graph.hnsw'));
  const passages = JSON.parse(readFileSync(join(plain, 'passages.json'), 'utf8')) as {
    id: string;
    title: string;
    text: string;
  }[];
  const db = create({ schema });
  await insertMultiple(
    db,
    passages.map((passage, i) => ({ ...passage, embedding: graph.getPoint(i) })),
  );
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'orama.json'), JSON.stringify({ schema, data: save(db) }));
  cpSync(join(plain, 'model.json'), join(out, 'model.json'));
  writeFileSync(join(out, 'index.mjs'), readFileSync(new URL('./handler.mjs', import.meta.url)));
}
