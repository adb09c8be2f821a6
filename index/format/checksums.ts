import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What a manifest says of each file beside it: its size, and the CRC-32 (zlib's) of all its bytes in hexadecimal. */
export type FileList = Record<string, { bytes: number; crc32: string }>;

/** The entry of a manifest for a file with these bytes. */
export function describeFile(bytes: Uint8Array): FileList[string] {
  return { bytes: bytes.length, crc32: checksum(bytes) };
}

/**
 * Compares the files of a folder with its manifest.
 * @param verify compare contents too, which reads every file whole; without it only sizes
 * @throws for the first file that differs, naming found and expected
 */
export function checkFiles(dir: string, files: FileList, verify: boolean): void {
  for (const [name, expected] of Object.entries(files)) {
    const path = join(dir, name);
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined)
      throw new Error(`${path} is missing though its manifest lists it: build it again.`);
    if (size !== expected.bytes) {
      throw new Error(
        `${path} has ${size} bytes where its manifest says ${expected.bytes}: it is damaged, build it again.`,
      );
    }
    if (!verify) continue;
    const found = checksum(readFileSync(path));
    if (found !== expected.crc32) {
      throw new Error(
        `${path} has checksum ${found} where its manifest says ${expected.crc32}: it is damaged, build it again.`,
      );
    }
  }
}

function checksum(bytes: Uint8Array): string {
  // Not imported above: the function verifies nothing, and Node takes some 2 ms to load it.
  const { crc32 } = process.getBuiltinModule('node:zlib');
  return crc32(bytes).toString(16).padStart(8, '0');
}
