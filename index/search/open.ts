import { join } from 'node:path';
import { Embedder, type QuestionEmbedder } from '../embedding/embedder.ts';
import { openGraph } from '../format/graph-file.ts';
import { Languages } from '../format/languages-file.ts';
import { Lookup } from '../format/lookup-file.ts';
import { readManifest } from '../format/manifest.ts';
import { Passages } from '../format/passages-file.ts';
import { SentenceVectors } from '../format/sentences-file.ts';
import type { Search } from './answer.ts';
import { IndexSearch } from './index-search.ts';

/** Where an index and its model are. */
export interface OpenOptions {
  /** Folder of the index. */
  index: string;
  /** Folder of the compiled model, or one that is open already. */
  model: string | QuestionEmbedder;
  /** Compare the checksums of all files first, which reads them whole; the packaged function skips that, as Lambda has compared the archive's. */
  verify: boolean;
}

/**
 * Opens an index for questions.
 * @throws in one sentence if the index is missing, damaged, of another format, or was built with another model
 */
export async function openSearch({ index, model, verify }: OpenOptions): Promise<Search> {
  const embedder = typeof model === 'string' ? await Embedder.open(model, { verify }) : model;
  const manifest = readManifest(index, embedder.model, verify);
  return new IndexSearch(embedder, {
    manifest,
    graph: openGraph(join(index, 'graph.bin'), manifest.dimensions),
    lookup: new Lookup(join(index, 'lookup.bin')),
    sentences: new SentenceVectors(join(index, 'sentences.bin'), manifest.dimensions),
    languages: new Languages(join(index, 'languages.bin'), manifest.dimensions),
    passages: new Passages(join(index, 'passages.bin')),
  });
}
