import { Embedder, type QuestionEmbedder } from '../embedding/embedder.ts';
import { openIndexChecks, type Verification } from '../embedding/open-checks.ts';
import { checkModel } from '../format/manifest.ts';
import { BundleStore } from '../store/bundle-store.ts';
import type { Store } from '../store/store.ts';
import type { ClosableSearch } from './answer.ts';
import { IndexSearch } from './index-search.ts';

/** The locations of an index and its model. */
export interface OpenOptions {
  /** Folder of the index. */
  index: string;
  /** Folder of the compiled model, or an open model. */
  model: string | QuestionEmbedder;
  verify: Verification;
}

/** Opens a compiled model, so that several indexes can share it. Throws if it is missing or damaged. */
export const openModel = (folder: string, verify: Verification): Promise<QuestionEmbedder> =>
  Embedder.open(folder, { verify });

/**
 * Searches an open store.
 * @param name of the index, for errors
 * @throws if the index was built with another model
 */
export function searchStore(store: Store, name: string, model: QuestionEmbedder): ClosableSearch {
  checkModel(name, store.manifest, model.model);
  return new IndexSearch(model, store);
}

/**
 * Opens an index for questions.
 * @throws if the index is missing, damaged, has another format, or was built with another model
 */
export async function openSearch({ index, model, verify }: OpenOptions): Promise<ClosableSearch> {
  const embedder = typeof model === 'string' ? await openModel(model, verify) : model;
  const checks = verify === 'blocks' ? await openIndexChecks(index, embedder.model) : undefined;
  return new IndexSearch(embedder, BundleStore.open(index, embedder.model, checks ?? verify !== false));
}
