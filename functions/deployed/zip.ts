import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { type Zippable, zipSync } from 'fflate';

/** Zip's number for Unix file attributes. */
const UNIX = 3;

/**
 * Zips a folder. The bytes depend only on the files' paths, contents and executable bits. Everyone may read the files, because Lambda
 * runs as another user.
 */
export function zipFolder(folder: string): Uint8Array {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  // The earliest time that a zip can represent, in local time.
  const mtime = new Date(1980, 0, 1);
  const entries = paths.map((path): [string, Zippable[string]] => {
    const mode = statSync(path).mode & 0o111 ? 0o755 : 0o644;
    const name = relative(folder, path).split(sep).join('/');
    return [name, [readFileSync(path), { mtime, os: UNIX, attrs: mode << 16 }]];
  });
  return zipSync(Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))));
}
