import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Set by the builder's packager, because its bundle contains no sources: the result of `hashSources` for each folder. */
declare const POLYSEEK_SOURCE_HASHES: Record<SourceFolder, string> | undefined;

/** Folders with code whose results are cached. */
export const SOURCE_FOLDERS = [
  'index/documents',
  'index/documents/plain',
  'index/ingest/passages',
  'index/text',
] as const;
type SourceFolder = (typeof SOURCE_FOLDERS)[number];

/** The package that the npm package contains a copy of, and so does not depend on. */
const COPIED = 'pdfjs-dist';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * A hash of code whose results are cached: of all files in these folders of the project, the versions of all packages, and those of
 * Node's Unicode data. Results of other code are never used.
 */
export function codeHash(...folders: SourceFolder[]): string {
  const { icu, unicode } = process.versions;
  const bundled = typeof POLYSEEK_SOURCE_HASHES === 'object' ? POLYSEEK_SOURCE_HASHES : undefined;
  const sources = folders.map((folder) => bundled?.[folder] ?? hashSources(folder));
  return createHash('sha256')
    .update(JSON.stringify([sources, icu, unicode]))
    .digest('hex');
}

/** A hash of all files in a folder of the project, and of the versions of all packages. */
export function hashSources(folder: SourceFolder): string {
  const hash = createHash('sha256');
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  hash.update(JSON.stringify([dependencies, devDependencies?.[COPIED]]));
  const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  for (const file of files.sort()) hash.update(`\0${file.slice(ROOT.length)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}
