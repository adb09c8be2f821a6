import { join } from 'node:path';
import { Embedder, type QuestionEmbedder } from '../embedding/embedder.ts';
import { damaged } from '../format/damaged.ts';
import { openGraph } from '../format/graph-file.ts';
import { Languages } from '../format/languages-file.ts';
import { Lookup } from '../format/lookup-file.ts';
import { readManifest } from '../format/manifest.ts';
import { Passages } from '../format/passages-file.ts';
import { SentenceVectors } from '../format/sentences-file.ts';
import { PART } from '../format/token-codes-file.ts';
import { Tokens } from '../format/tokens-file.ts';
import type { ClosableSearch } from './answer.ts';
import { IndexSearch } from './index-search.ts';

/** The locations of an index and its model. */
export interface OpenOptions {
  /** Folder of the index. */
  index: string;
  /** Folder of the compiled model, or an open model. */
  model: string | QuestionEmbedder;
  /** Whether to verify the checksums of all files, which reads them whole. The packaged function does not: Lambda verified the archive. */
  verify: boolean;
}

/** Opens a compiled model, so that several indexes can share it. Throws if it is missing or damaged. */
export const openModel = (folder: string, verify: boolean): Promise<QuestionEmbedder> =>
  Embedder.open(folder, { verify });

/**
 * Opens an index for questions.
 * @throws if the index is missing, damaged, has another format, or was built with another model
 */
export async function openSearch({ index, model, verify }: OpenOptions): Promise<ClosableSearch> {
  const embedder = typeof model === 'string' ? await openModel(model, verify) : model;
  const manifest = readManifest(index, embedder.model, verify);
  const { dimensions, counts } = manifest;
  const [graphPath, passagesPath] = [join(index, 'graph.bin'), join(index, 'passages.bin')];
  const graph = openGraph(graphPath, dimensions);
  const passages = new Passages(passagesPath);
  for (const [path, count] of [
    [graphPath, graph.nodes],
    [passagesPath, passages.count],
  ] as const)
    if (count !== counts.passages)
      throw damaged(path, `it has ${count} passages, but the manifest says ${counts.passages}`);
  return new IndexSearch(embedder, {
    manifest,
    graph,
    lookup: new Lookup(join(index, 'lookup.bin'), counts.passages),
    sentences: new SentenceVectors(join(index, 'sentences.bin'), dimensions),
    languages: new Languages(join(index, 'languages.bin'), dimensions, counts.passages),
    passages,
    tokens:
      manifest.model.tokens === null
        ? undefined
        : new Tokens(join(index, 'tokens.bin'), dimensions / PART, counts.passages),
  });
}
