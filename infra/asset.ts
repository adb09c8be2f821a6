import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { BUNDLE_LIMIT, type BundleSpace, bundleSpace, REMEDY, rounded } from '../index/bundle-space.ts';
import type { Architecture } from '../index/engine/architecture.ts';
import { checkLibrary } from '../index/engine/elf.ts';
import { readCompiledModel } from '../index/format/compiled-model.ts';
import { readManifest } from '../index/format/manifest.ts';
import type { IndexSummary } from './version-description.ts';

/** Files that every packaged function contains, as `packageFunction` writes them. */
const PARTS = ['lambda.mjs', 'THIRD_PARTY_NOTICES.txt', 'model/model.json', 'index/manifest.json'];
/** The library that runs the model, by engine. */
const LIBRARIES = { packed: 'native/engine.node', onnx: 'native/onnxruntime_binding.node' };

/** A packaged function that Lambda accepts. */
export interface Asset {
  space: BundleSpace;
  index: IndexSummary;
}

/**
 * Checks that a folder is a packaged function, that its native libraries load in Lambda, and that it fits Lambda's quota.
 * @throws with the fault found and the remedy
 */
export function checkAsset(folder: string, architecture: Architecture): Asset {
  const check = (parts: string[]) => {
    const missing = parts.find((part) => !existsSync(join(folder, part)));
    if (missing)
      throw new Error(
        `${folder} is not a packaged function (no ${missing}). Create it with npx polyseek package --arch ${architecture} --out ${folder}.`,
      );
  };
  check(PARTS);
  const model = readCompiledModel(join(folder, 'model'), false);
  check([LIBRARIES[model.engine]]);
  const native = join(folder, 'native');
  const libraries = readdirSync(native);
  for (const name of libraries)
    checkLibrary(join(native, name), readFileSync(join(native, name)), architecture, libraries);

  const { version, counts } = readManifest(join(folder, 'index'), model, false);
  const collections = join(folder, 'collections');
  const further = (existsSync(collections) ? readdirSync(collections) : []).map(
    (name) => readManifest(join(collections, name), model, false).counts.passages,
  );
  const sizes = sizesOf(folder);
  const passages = counts.passages + sum(further);
  const ofIndexes = sum([...sizes].filter(([part]) => part.includes('/')).map(([, size]) => size));
  const beside = sum(sizes.values()) - ofIndexes;
  const space = bundleSpace(beside, { bytes: ofIndexes, passages });
  if (space.bytes >= BUNDLE_LIMIT) throw new Error(tooLarge(folder, sizes, space));
  return { space, index: { version, passages: counts.passages, model: model.name } };
}

/** Bytes of each part: each file of the default index, each collection, and each other file or folder. */
function sizesOf(folder: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const [first = '', second] = relative(folder, path).split(sep);
    const part = first === 'index' || first === 'collections' ? `${first}/${second}` : first;
    sizes.set(part, (sizes.get(part) ?? 0) + statSync(path).size);
  }
  return sizes;
}

function tooLarge(
  folder: string,
  sizes: Map<string, number>,
  { bytes, limit, passages, passagesLeft }: BundleSpace,
): string {
  const biggest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 5);
  const parts = biggest.map(([part, size]) => `${part} ${megabytes(size)}`).join(', ');
  const fitting = passages + passagesLeft;
  return (
    `${folder}: ${megabytes(bytes)} unzipped, but Lambda's limit is ${megabytes(limit)} (${parts}). ` +
    (fitting >= 1
      ? `About ${rounded(fitting)} of these ${passages.toLocaleString('en')} passages fit. ${REMEDY}`
      : 'Choose a smaller model: this one leaves no space for passages.')
  );
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
