import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { COMPILED, compileModel, DEFAULT_MODEL, modelName } from '../compile/compile.ts';
import { Embedder } from '../embedding/embedder.ts';
import { readCompiledModel } from '../format/compiled-model.ts';
import { readFolder } from '../format/drafts.ts';
import { type Manifest, readManifest } from '../format/manifest.ts';
import type { ClosableSearch } from '../search/answer.ts';
import { CurrentSearch, folderGenerations, TIMEOUT } from '../search/current-search.ts';
import { openSearch, searchStore } from '../search/index-search.ts';
import { isAddress, parseAddress } from '../store/s3vectors/address.ts';

/** Open models by their folder: an index is opened again whenever a build replaces it. */
const models = new Map<string, Promise<Embedder>>();

function openModel(dir: string): Promise<Embedder> {
  const model = models.get(dir) ?? Embedder.open(dir, { verify: false });
  models.set(dir, model);
  return model;
}

/**
 * Opens an index with the model that it was built with. Changes nothing on disk.
 * @param index a folder on the machine that built it, or an address in S3 Vectors. If a build was killed while it replaced the index in
 *   a folder, opens the old one. A build may replace the folder meanwhile.
 */
export async function openLocal(index: string): Promise<ClosableSearch> {
  if (isAddress(index)) return openAddress(index, () => {});
  return readFolder(
    index,
    async (folder) => {
      const model = await openModel(findModel(folder));
      return openSearch({ index: folder, model, verify: true });
    },
    (search) => search.close(),
  );
}

/** Opens an index like `openLocal`, and opens it again when it is replaced. */
export async function openFollowing(
  index: string,
  report: (message: string) => void,
): Promise<ClosableSearch> {
  if (isAddress(index)) return openAddress(index, report);
  return new CurrentSearch(
    folderGenerations(index, () => openLocal(index)),
    { report },
  ).refresh();
}

async function openAddress(index: string, report: (message: string) => void): Promise<ClosableSearch> {
  // Loaded on demand: most commands need no code of AWS.
  const { Generations } = await import('../store/s3vectors/generations.ts');
  const generations = new Generations(parseAddress(index), TIMEOUT);
  const search = new CurrentSearch(
    {
      current: () => generations.current(),
      open: async (generation) => {
        const store = await generations.open(generation);
        const embedder = await openModel(findModelOf(store.manifest.model));
        return searchStore(store, index, embedder);
      },
      close: () => generations.close(),
    },
    { timeout: TIMEOUT, report },
  );
  return search.refresh();
}

/**
 * Finds the compiled model that an index was built with: the default model, or another model compiled on this machine. Skips
 * models that are damaged or have an older format. Without a match, returns the default model, so that opening the index fails
 * with the names of both models.
 * @returns the folder of the verified model
 */
export function findModel(index: string): string {
  return findModelOf(readManifest(index, undefined, false).model);
}

function findModelOf(model: Manifest['model']): string {
  // Verifying the default model hashes its source and its files, 160 MB. An index of another model does not need it.
  if (model.name === modelName(DEFAULT_MODEL)) {
    const standard = compileModel(DEFAULT_MODEL);
    if (isModel(standard, model)) return standard;
  }
  // Drafts of models have a dot in their names.
  const names = existsSync(COMPILED) ? readdirSync(COMPILED).filter((name) => !name.includes('.')) : [];
  const other = names.map((name) => join(COMPILED, name)).find((dir) => isModel(dir, model));
  if (other === undefined) return compileModel(DEFAULT_MODEL);
  readCompiledModel(other, true);
  return other;
}

function isModel(dir: string, model: Manifest['model']): boolean {
  try {
    const { hash, neutral, tokens } = readCompiledModel(dir, false);
    return (
      hash === model.hash &&
      neutral === model.neutral &&
      (model.tokens === null || model.tokens === tokens?.hash)
    );
  } catch {
    // The folder has an older format, or is damaged.
    return false;
  }
}
