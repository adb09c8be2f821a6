import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkFiles, type FileList, type FolderChecks, isFileList, writeChecks } from './checks.ts';
import type { CompiledModel, Logistic } from './compiled-model.ts';
import { damaged } from './container.ts';
import { readDigestedObject } from './json-file.ts';
import {
  type Check,
  isListOf,
  isNumber,
  isOptional,
  isRecordOf,
  isShaped,
  isText,
  isWhole,
} from './shapes.ts';

export const FORMAT = 4;

/** The default folder of the index for all commands, in the current folder. */
export const DEFAULT_INDEX = '.polyseek/index';

/** The folder in an index with the indexes that only some groups may search, whose names are numbers from 00. */
export const RESTRICTED = 'restricted';

const REQUIRED_FILES = ['graph.bin', 'sentences.bin', 'languages.bin', 'passages.bin', 'lookup.bin'];

/** The files that an index may have. */
export const INDEX_FILES = ['manifest.json', ...REQUIRED_FILES, 'tokens.bin'];

/** `manifest.json` of an index: its model, its counts and its files. */
export interface Manifest {
  format: number;
  /** `digestOf` all other keys. It names the index's contents. */
  version: string;
  /** `tokens` is the hash of the compression of token states; null for an index without tokens.bin. */
  model: { name: string; hash: string; neutral: string | null; tokens: string | null };
  dimensions: number;
  counts: { documents: number; passages: number; sentences: number; terms: number };
  /** Passages in each language, most first. */
  languages: Record<string, number>;
  /** Fields that a search can filter on. */
  fields: string[];
  /** How `npx polyseek tune` fitted the confidence to questions about this index; see search/confidence.ts. */
  tuning?: Logistic;
  /** The groups that may search it, in the order of their names. Without it, everyone may. */
  access?: string[];
  files: FileList;
}

const isTextOrNull: Check = (value) => value === null || isText(value);

/** The checks of a manifest's keys. */
export const MANIFEST_SHAPE: Record<Exclude<keyof Manifest, 'format' | 'version'>, Check> = {
  model: isShaped({ name: isText, hash: isText, neutral: isTextOrNull, tokens: isTextOrNull }),
  dimensions: isWhole(1),
  counts: isShaped({
    documents: isWhole(0),
    // Ordinals are stored in 32 bits.
    passages: isWhole(1, 2 ** 32 - 1),
    sentences: isWhole(0),
    terms: isWhole(0),
  }),
  languages: isRecordOf(isWhole(1)),
  fields: isListOf(isText),
  tuning: isOptional(isShaped({ slope: isNumber, intercept: isNumber })),
  access: isOptional(isListOf(isText)),
  files: (value) => isFileList(value) && REQUIRED_FILES.every((name) => name in (value as FileList)),
};

export const manifestText = (manifest: Manifest): Buffer =>
  Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);

/**
 * Reads the manifest of an index and checks it.
 * @param model the compiled model that will embed the questions; undefined skips the comparison
 * @param verify compare all files' checksums too; false compares sizes only. Or the checks of the folder, for this file
 * @throws if there is no index, its format or model differs, or a file is missing or damaged
 */
export function readManifest(
  dir: string,
  model: CompiledModel | undefined,
  verify: boolean | FolderChecks,
): Manifest {
  const path = join(dir, 'manifest.json');
  if (!existsSync(path)) {
    const problem = existsSync(dir)
      ? `${dir} is not an index: it has no manifest.json.`
      : `There is no index in ${dir}.`;
    const place = dir === DEFAULT_INDEX ? '' : ` --index ${dir}`;
    throw new Error(`${problem} Build one with npx polyseek index PATH${place}.`);
  }
  const checks = typeof verify === 'object' ? verify.of('manifest.json') : undefined;
  const manifest = readDigestedObject(path, FORMAT, 'version', MANIFEST_SHAPE, checks) as unknown as Manifest;
  if ((manifest.model.tokens === null) !== !('tokens.bin' in manifest.files))
    throw damaged(path, 'its files and its model differ about token states');
  if (model) checkModel(dir, manifest, model);
  checkFiles(dir, manifest.files, verify === true);
  return manifest;
}

/**
 * Checks that questions are embedded by the model of an index.
 * @param dir folder or address of the index, for errors
 * @throws if the models differ
 */
export function checkModel(
  dir: string,
  { model: built, dimensions }: Pick<Manifest, 'model' | 'dimensions'>,
  model: CompiledModel,
): void {
  const short = (hash: string | null) => hash?.slice(0, 12) ?? 'none';
  if (built.hash !== model.hash || dimensions !== model.dimensions) {
    throw new Error(
      `${dir} was built with the model ${built.name} (${short(built.hash)}, ${dimensions} dimensions), but the model is ${model.name} ` +
        `(${short(model.hash)}, ${model.dimensions} dimensions). Run npx polyseek index again, or use the model of the index.`,
    );
  }
  if (built.neutral !== model.neutral) {
    throw new Error(
      `${dir} was built with the language axes ${short(built.neutral)}, but the model has ${short(model.neutral)}. Run npx polyseek index again.`,
    );
  }
  if (built.tokens !== null && built.tokens !== model.tokens?.hash) {
    throw new Error(
      `${dir} was built with the token states ${short(built.tokens)}, but the model has ${short(model.tokens?.hash ?? null)}. Run npx polyseek index again.`,
    );
  }
}

/** The folder in an index of one of the indexes that only some groups may search, from 0. */
export function restrictedFolder(index: string, number: number): string {
  return join(index, RESTRICTED, String(number).padStart(2, '0'));
}

/** The folders of the indexes in an index that only some groups may search. */
export function restrictedIn(index: string): string[] {
  const folder = join(index, RESTRICTED);
  return existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map((name) => join(folder, name))
    : [];
}

/** Writes the `checks.bin` of an index and of those in it, with which a function verifies its files as it reads them. */
export function writeIndexChecks(folder: string): void {
  for (const restricted of restrictedIn(folder)) writeIndexChecks(restricted);
  writeChecks(folder, ['manifest.json', ...Object.keys(readManifest(folder, undefined, false).files)]);
}
