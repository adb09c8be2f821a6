import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The file of a model folder with the SHA-256 of the others, as of the program sha256sum. A folder from elsewhere may have none. */
export const SUMS = 'SHA256SUMS';

export function sha256Of(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The text of SHA256SUMS for files by name. */
export function formatSums(files: ReadonlyMap<string, string | Uint8Array>): string {
  const names = [...files.keys()].sort();
  return names.map((name) => `${sha256Of(files.get(name)!)}  ${name}\n`).join('');
}

/**
 * Compares the files of a model folder with its SHA256SUMS, if it has one.
 * @param known SHA-256 of files that were read already, by name
 * @throws for the first file that is missing or differs
 */
export function checkSums(dir: string, known: ReadonlyMap<string, string>): void {
  const path = join(dir, SUMS);
  if (!existsSync(path)) return;
  for (const line of readFileSync(path, 'utf8').trimEnd().split(/\r?\n/)) {
    const [, expected, name] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    if (!expected || !name) throw new Error(`${path} has a line of another kind: ${line}. ${REMEDY}`);
    const file = join(dir, name);
    if (!existsSync(file)) throw new Error(`${file} is missing, but ${SUMS} lists it. ${REMEDY}`);
    const found = known.get(name) ?? sha256Of(readFileSync(file));
    if (found !== expected)
      throw new Error(
        `${file} is damaged or another model's: its SHA-256 is ${found.slice(0, 12)}…, but ${SUMS} says ${expected.slice(0, 12)}…. ${REMEDY}`,
      );
  }
}

const REMEDY = 'Restore the file, or import the model again with npx polyseek model.';
