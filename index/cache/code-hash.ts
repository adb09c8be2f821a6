import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package that the npm package contains a copy of, and so does not depend on. */
const COPIED = 'pdfjs-dist';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A hash of code whose results are cached: of all files in these folders of the project, the versions of all packages, and those of
 * Node's Unicode data. Results of other code are never used.
 */
export function codeHash(...folders: string[]): string {
  const hash = createHash('sha256');
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { icu, unicode } = process.versions;
  hash.update(JSON.stringify([dependencies, devDependencies?.[COPIED], icu, unicode]));
  for (const folder of folders) {
    const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    for (const file of files.sort()) hash.update(`\0${file.slice(ROOT.length)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}
