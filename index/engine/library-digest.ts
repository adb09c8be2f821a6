import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

/** The path of the file that has a library's SHA-256, as `sha256sum` writes it. */
export const digestPath = (library: string) => `${library}.sha256`;

/** The SHA-256 of a file, in hexadecimal. */
export function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/**
 * Writes the SHA-256 of a library beside it.
 * @param name under which the library will be there
 */
export function writeDigest(library: string, name = basename(library)): void {
  writeFileSync(digestPath(library), `${digestOf(library)}  ${name}\n`);
}

/**
 * Checks a library of the npm package.
 * @throws if it is damaged
 */
export function requireIntact(library: string): void {
  if (!isIntact(library))
    throw new Error(
      `${library} is damaged: its SHA-256 is not the one in ${basename(digestPath(library))}. Install polyseek again.`,
    );
}

/** Whether a library is there, with the SHA-256 that is written beside it. A damaged one may end the process that loads it. */
export function isIntact(library: string): boolean {
  const digest = digestPath(library);
  if (!existsSync(library) || !existsSync(digest)) return false;
  return readFileSync(digest, 'utf8').startsWith(`${digestOf(library)}  `);
}
