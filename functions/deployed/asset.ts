import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { Zip, type ZipInputFile } from 'fflate';
import { checkLibrary } from '../../index/engine/elf.ts';
import type { Architecture } from '../../index/engine/native-sources.ts';
import { readCompiledModel } from '../../index/format/compiled-model.ts';
import { readManifest, restrictedIn } from '../../index/format/manifest.ts';
import {
  BUNDLE_LIMIT,
  type BundleSpace,
  bundleSpace,
  REMEDY,
  rounded,
} from '../../index/ingest/bundle-space.ts';
import type { IndexSummary } from './version-description.ts';

/** Files that every packaged function contains, as `packageFunction` writes them. */
const PARTS = ['lambda.mjs', 'THIRD_PARTY_NOTICES.txt', 'model/model.json'];
/** The library that runs the model, by engine. */
const LIBRARIES = { packed: 'native/engine.node', onnx: 'native/onnxruntime_binding.node' };

/** Zip's numbers for Unix file attributes, and for compressed files. */
const [UNIX, DEFLATE] = [3, 8];

/** A packaged function that Lambda accepts. */
export interface Asset {
  /** Size of all files, unzipped. */
  bytes: number;
  /** How full it is; undefined for a function without an index. */
  space: BundleSpace | undefined;
  /** The default index; undefined for a function that reads its index from elsewhere, or gets one later. */
  index: IndexSummary | undefined;
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
  check(existsSync(join(folder, 'index')) ? [...PARTS, 'index/manifest.json'] : PARTS);
  const model = readCompiledModel(join(folder, 'model'), false);
  check([LIBRARIES[model.engine]]);
  checkLibraries(join(folder, 'native'), architecture);

  const index = join(folder, 'index');
  const manifest = existsSync(index) ? readManifest(index, model, false) : undefined;
  const collections = join(folder, 'collections');
  const named = (existsSync(collections) ? readdirSync(collections) : []).map((name) =>
    join(collections, name),
  );
  const further = [...named, ...[index, ...named].flatMap(restrictedIn)].map(
    (folder) => readManifest(folder, model, false).counts.passages,
  );
  const sizes = sizesOf(folder, ['index', 'collections']);
  const { passages: own = 0 } = manifest?.counts ?? {};
  const passages = own + sum(further);
  const ofIndexes = sum([...sizes].filter(([part]) => part.includes('/')).map(([, size]) => size));
  const bytes = sum(sizes.values());
  const space = passages === 0 ? undefined : bundleSpace(bytes - ofIndexes, { bytes: ofIndexes, passages });
  if (bytes >= BUNDLE_LIMIT) throw new Error(tooLarge(folder, sizes, space));
  return { bytes, space, index: manifest && { version: manifest.version, passages: own, model: model.name } };
}

/** The default index of a packaged function. Throws if it has none. */
export function requireIndex(folder: string, { index }: Asset): IndexSummary {
  if (index) return index;
  throw new Error(
    `${folder} contains no index. Build one with npx polyseek index PATH, and package it with npx polyseek package --out ${folder}.`,
  );
}

/** A function with an index, ready for Lambda. */
export interface PackagedFunction {
  zip: Uint8Array;
  summary: IndexSummary;
}

/** Checks a packaged function, and zips it. Throws if Lambda would not accept it, or if it has no index. */
export function zipPackaged(folder: string, architecture: Architecture): PackagedFunction {
  const summary = requireIndex(folder, checkAsset(folder, architecture));
  return { zip: zipFolder(folder), summary };
}

/**
 * Zips a folder. The bytes depend only on the files' paths, contents and executable bits, and on Node's zlib, which needs a third of the
 * time of fflate's own. Everyone may read the files, because Lambda runs as another user.
 */
export function zipFolder(folder: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  const zip = new Zip((error, piece) => {
    if (error) throw error;
    pieces.push(piece);
  });
  // The earliest time that a zip can represent, in local time.
  const mtime = new Date(1980, 0, 1);
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  for (const filename of names.sort()) {
    const path = join(folder, filename);
    const bytes = readFileSync(path);
    const mode = statSync(path).mode & 0o111 ? 0o755 : 0o644;
    const about = { size: bytes.length, crc: crc32(bytes), mtime, os: UNIX, attrs: mode << 16 };
    const file: ZipInputFile = { filename, compression: DEFLATE, ...about };
    zip.add(file);
    file.ondata!(null, deflateRawSync(bytes), true);
  }
  zip.end();
  return Buffer.concat(pieces);
}

/** Checks that Lambda can load each library of a folder. Throws with the fault found and the remedy. */
export function checkLibraries(native: string, architecture: Architecture): void {
  const libraries = readdirSync(native);
  for (const name of libraries)
    checkLibrary(join(native, name), readFileSync(join(native, name)), architecture, libraries);
}

/**
 * Bytes of each part: each file or folder in the top folder.
 * @param split folders whose files and folders are parts themselves
 */
export function sizesOf(folder: string, split: readonly string[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const [first = '', second] = relative(folder, path).split(sep);
    const part = split.includes(first) ? `${first}/${second}` : first;
    sizes.set(part, (sizes.get(part) ?? 0) + statSync(path).size);
  }
  return sizes;
}

function tooLarge(folder: string, sizes: Map<string, number>, space: BundleSpace | undefined): string {
  const { passages = 0, passagesLeft = 0 } = space ?? {};
  const fitting = passages + passagesLeft;
  return (
    `${exceeds(folder, sizes)} ` +
    (fitting >= 1
      ? `About ${rounded(fitting)} of these ${passages.toLocaleString('en')} passages fit. ${REMEDY}`
      : 'Choose a smaller model: this one leaves no space for passages.')
  );
}

/** Says that a package exceeds Lambda's limit, with the sizes of its biggest parts. */
export function exceeds(folder: string, sizes: Map<string, number>): string {
  const biggest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 5);
  const parts = biggest.map(([part, size]) => `${part} ${megabytes(size)}`).join(', ');
  return `${folder}: ${megabytes(sum(sizes.values()))} unzipped, but Lambda's limit is ${megabytes(BUNDLE_LIMIT)} (${parts}).`;
}

export const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
