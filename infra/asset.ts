import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Architecture } from '../index/engine/architecture.ts';
import { checkLibrary } from '../index/engine/elf.ts';
import { readCompiledModel } from '../index/format/compiled-model.ts';
import { readManifest } from '../index/format/manifest.ts';
import type { Held } from './version-description.ts';

/** Lambda's quota for a function's code, unzipped: 250 MB of 1,048,576 bytes (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). */
const LIMIT = 262_144_000;

/** Where each part of a packaged function lies; without them it can't start. */
const PARTS = ['lambda.mjs', 'model/model.json', 'index/manifest.json'];
/** What runs the model, by its engine. */
const LIBRARIES = { packed: 'native/engine.node', onnx: 'native/onnxruntime_binding.node' };

/** A packaged function that Lambda takes. */
export interface Asset {
  /** Of all its files, unzipped. */
  bytes: number;
  index: Held;
}

/**
 * Checks that a folder is a packaged function, that its native libraries load in Lambda, and that it is not too large.
 * @throws one sentence that names what was found, what was expected and what to do
 */
export function checkAsset(folder: string, architecture: Architecture): Asset {
  const check = (parts: string[]) => {
    const missing = parts.find((part) => !existsSync(join(folder, part)));
    if (missing)
      throw new Error(
        `${folder} is no packaged function (no ${missing}): make one with npm run package -- --arch ${architecture} --out ${folder}.`,
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
  const sizes = sizesOf(folder);
  const bytes = sum(sizes.values());
  if (bytes >= LIMIT) throw new Error(tooLarge(folder, sizes, counts.passages));
  return { bytes, index: { version, passages: counts.passages, model: model.name } };
}

/** Bytes of each part: the files of the index, and folders or files beside it. */
function sizesOf(folder: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const [first = '', second] = relative(folder, path).split(sep);
    const part = first === 'index' ? `index/${second}` : first;
    sizes.set(part, (sizes.get(part) ?? 0) + statSync(path).size);
  }
  return sizes;
}

function tooLarge(folder: string, sizes: Map<string, number>, passages: number): string {
  const bytes = sum(sizes.values());
  const biggest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 5);
  const parts = biggest.map(([part, size]) => `${part} ${megabytes(size)}`).join(', ');
  const ofIndex = sum([...sizes].filter(([part]) => part.startsWith('index/')).map(([, size]) => size));
  const fitting = (LIMIT - (bytes - ofIndex)) / (ofIndex / passages);
  return (
    `${folder} has ${megabytes(bytes)} unzipped, but Lambda takes less than ${megabytes(LIMIT)} (${parts}): ` +
    (fitting >= 1
      ? `index fewer or shorter passages, as of these ${count(passages)} about ${count(roundDown(fitting))} fit.`
      : 'take a smaller model, as no passage fits beside this one.')
  );
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
const count = (number: number) => number.toLocaleString('en');

/** To two digits. */
function roundDown(number: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(number)) - 1);
  return Math.floor(number / unit) * unit;
}
