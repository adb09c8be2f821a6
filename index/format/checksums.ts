import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { damaged } from './damaged.ts';
import { type Check, isRecordOf, isShaped, isText, isWhole } from './shapes.ts';

/** The files that a manifest lists: each one's size, and the CRC-32 (zlib's) of all its bytes in hexadecimal. */
export type FileList = Record<string, { bytes: number; crc32: string }>;

/** Bytes of a file that are read at once. */
const PIECE = 1 << 20;

export const isFileList: Check = isRecordOf(isShaped({ bytes: isWhole(0), crc32: isText }));

/** The entry of a manifest for a file with these bytes. */
export function describeFile(bytes: Uint8Array): FileList[string] {
  return { bytes: bytes.length, crc32: hex(process.getBuiltinModule('node:zlib').crc32(bytes)) };
}

/** The entry of a manifest for a file on disk. */
export function describeFileAt(path: string): FileList[string] {
  return { bytes: statSync(path).size, crc32: checksum(path) };
}

/**
 * Compares the files of a folder with its manifest.
 * @param verify compare checksums too, which reads every file whole; false compares sizes only
 * @throws for the first file that differs
 */
export function checkFiles(dir: string, files: FileList, verify: boolean): void {
  for (const [name, expected] of Object.entries(files)) {
    const path = join(dir, name);
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined)
      throw new Error(`${path} is missing, but its manifest lists it. Run npx polyseek index again.`);
    if (size !== expected.bytes)
      throw damaged(path, `it has ${size} bytes, but its manifest says ${expected.bytes}`);
    if (!verify) continue;
    const found = checksum(path);
    if (found !== expected.crc32)
      throw damaged(path, `it has the checksum ${found}, but its manifest says ${expected.crc32}`);
  }
}

function checksum(path: string): string {
  // Loaded on demand: loading zlib takes 2 ms, and the packaged function verifies whole files only for ONNX Runtime.
  const { crc32 } = process.getBuiltinModule('node:zlib');
  const piece = Buffer.allocUnsafe(PIECE);
  const fd = openSync(path, 'r');
  try {
    let value = 0;
    for (;;) {
      const length = readSync(fd, piece);
      if (length === 0) return hex(value);
      value = crc32(piece.subarray(0, length), value);
    }
  } finally {
    closeSync(fd);
  }
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
