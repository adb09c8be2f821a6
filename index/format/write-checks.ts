import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BLOCK, blocksOf, CHECKS, CHECKS_FILE } from './block-checks.ts';
import { writeSections } from './container.ts';
import { crc32c } from './crc32c.ts';
import { readManifest } from './manifest.ts';

/**
 * Writes the `checks.bin` of a folder, whose files must not change any more.
 * @param names of the files
 */
export function writeChecks(folder: string, names: readonly string[]): void {
  const sizes: Record<string, number> = {};
  const checksums: Uint32Array[] = [];
  for (const name of names) {
    const bytes = readFileSync(join(folder, name));
    sizes[name] = bytes.length;
    checksums.push(checksumsOf(bytes));
  }
  const json = Buffer.from(JSON.stringify(sizes));
  const all = Buffer.concat(checksums.map(bytesOf));
  const before = writeSections(CHECKS, [json, all, new Uint8Array()]).length;
  const own = new Uint8Array(4 * blocksOf(before));
  const file = writeSections(CHECKS, [json, all, own]);
  file.set(bytesOf(checksumsOf(file.subarray(0, before))), before);
  writeFileSync(join(folder, CHECKS_FILE), file);
}

function checksumsOf(bytes: Uint8Array): Uint32Array {
  return Uint32Array.from({ length: blocksOf(bytes.length) }, (_, i) =>
    crc32c(bytes.subarray(i * BLOCK, (i + 1) * BLOCK)),
  );
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Writes the `checks.bin` of an index, with which a function verifies its files as it reads them. */
export function writeIndexChecks(folder: string): void {
  writeChecks(folder, ['manifest.json', ...Object.keys(readManifest(folder, undefined, false).files)]);
}
