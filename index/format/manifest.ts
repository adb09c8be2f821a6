import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkFiles, type FileList } from './checksums.ts';
import type { CompiledModel } from './compiled-model.ts';

export const FORMAT = 2;

/** All that the folder of an index holds. */
export const INDEX_FILES = [
  'manifest.json',
  'graph.bin',
  'sentences.bin',
  'languages.bin',
  'passages.bin',
  'lookup.bin',
];

/** `manifest.json` of an index: what it was made from, and the files that hold it. */
export interface Manifest {
  format: number;
  /** The first 12 hexadecimal digits of a SHA-256 over all else in the manifest. */
  version: string;
  model: { name: string; hash: string; neutral: string | null };
  dimensions: number;
  counts: { documents: number; passages: number; sentences: number; terms: number };
  /** Passages in each language, most first. */
  languages: Record<string, number>;
  /** What a search can filter on. */
  fields: string[];
  files: FileList;
}

/** The version of an index: it names what the index holds, and guards the manifest as checksums guard the files. */
export function versionOf(manifest: Omit<Manifest, 'version'>): string {
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex').slice(0, 12);
}

/**
 * Reads the manifest of an index and checks it.
 * @param model the compiled model that will embed the questions
 * @param verify compare all files' checksums too; without it only sizes
 * @throws naming found and expected if there is no index, or its format, model or files are not what they must be
 */
export function readManifest(dir: string, model: CompiledModel | undefined, verify: boolean): Manifest {
  const path = join(dir, 'manifest.json');
  if (!existsSync(path))
    throw new Error(
      `${dir} holds no index (no manifest.json): build one with npm run build-index -- PATH --index ${dir}.`,
    );
  const manifest = parse(path);
  if (manifest.format !== FORMAT) {
    throw new Error(
      `${dir} has index format ${manifest.format}, but this polyseek reads ${FORMAT}: build it again with npm run build-index.`,
    );
  }
  const { version, ...rest } = manifest;
  const found = versionOf(rest);
  if (found !== version) {
    throw new Error(
      `${path} hashes to ${found} where it says ${version}: it is damaged, build the index again.`,
    );
  }
  if (model) checkModel(dir, manifest, model);
  checkFiles(dir, manifest.files, verify);
  return manifest;
}

function parse(path: string): Manifest {
  try {
    // Spread, so that what is JSON but no object has no format either.
    return { ...(JSON.parse(readFileSync(path, 'utf8')) as Manifest) };
  } catch {
    throw new Error(`${path} is not JSON: it is damaged, build the index again.`);
  }
}

function checkModel(dir: string, { model: built, dimensions }: Manifest, model: CompiledModel): void {
  const short = (hash: string | null) => hash?.slice(0, 12) ?? 'none';
  if (built.hash !== model.hash || dimensions !== model.dimensions) {
    throw new Error(
      `${dir} was built with the model ${built.name} (${short(built.hash)}, ${dimensions} dimensions), but ${model.name} (${short(model.hash)}, ` +
        `${model.dimensions} dimensions) was opened for it: build it again, or give the model it was built with.`,
    );
  }
  if (built.neutral !== model.neutral) {
    throw new Error(
      `${dir} was built with language axes ${short(built.neutral)}, but the model has ${short(model.neutral)}: build it again with npm run build-index.`,
    );
  }
}
