import { closeSync, existsSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../kit/json.ts';
import {
  bytesOf,
  copied,
  damaged,
  damagedInPackage,
  type Format,
  readSections,
  writeSections,
} from './container.ts';
import { crc32c } from './crc32c.ts';
import { type Check, isRecordOf, isShaped, isText, isWhole } from './shapes.ts';

/** The files that a manifest lists: each one's size, and the CRC-32 (zlib's) of all its bytes in hexadecimal. */
export type FileList = Record<string, { bytes: number; crc32: string }>;

const PIECE = 1 << 20;

export const isFileList: Check = isRecordOf(isShaped({ bytes: isWhole(0), crc32: isText }));

export function describeFile(bytes: Uint8Array): FileList[string] {
  return { bytes: bytes.length, crc32: hex(process.getBuiltinModule('node:zlib').crc32(bytes)) };
}

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

/** `checks.bin`: a checksum for each block of the files in its folder. FORMAT.md describes its layout. */
export const CHECKS: Format = { magic: 'PSCK', version: 1, sections: 3 };
const CHECKS_FILE = 'checks.bin';

/** Bytes of a block: small, because a search reads a few hundred bytes at a time from all over a file. */
export const BLOCK = 4096;

/** Compares the CRC-32C of each block with an expected one. Returns the number of the first block that differs, or -1. */
type CompareBlocks = (bytes: Uint8Array, checksums: Uint32Array) => number;

export const compareBlocks: CompareBlocks = (bytes, checksums) =>
  checksums.findIndex((expected, i) => crc32c(bytes.subarray(i * BLOCK, (i + 1) * BLOCK)) !== expected);

const blocksOf = (bytes: number) => Math.ceil(bytes / BLOCK);

const areSizes = isRecordOf(isWhole(0));

export interface FolderChecks {
  /** @throws if no such file was packaged */
  of(name: string): FileChecks;
}

/**
 * Opens the `checks.bin` of a folder; undefined if there is none.
 * @throws if it is damaged or has another format
 */
export function openChecks(folder: string, compare: CompareBlocks): FolderChecks | undefined {
  const path = join(folder, CHECKS_FILE);
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  const [json, all, own] = readSections(bytes, CHECKS, path) as [Uint8Array, Uint8Array, Uint8Array];
  const before = own.byteOffset - bytes.byteOffset;
  const fits = own.length === 4 * blocksOf(before);
  if (!fits || compare(bytes.subarray(0, before), new Uint32Array(copied(own))) !== -1)
    throw damagedInPackage(path, 'its own checksums differ');
  const parsed = parseJson(json);
  const sizes = areSizes(parsed) ? (parsed as Record<string, number>) : undefined;
  const blocks = Object.values(sizes ?? {}).reduce((sum, size) => sum + blocksOf(size), 0);
  if (!sizes || 4 * blocks !== all.length) throw damagedInPackage(path, 'its sizes do not fit its checksums');
  const checksums = new Uint32Array(copied(all));
  const files = new Map<string, FileChecks>();
  let first = 0;
  for (const [name, size] of Object.entries(sizes)) {
    const end = first + blocksOf(size);
    files.set(name, fileChecks(join(folder, name), size, checksums.subarray(first, end), compare));
    first = end;
  }
  return {
    of(name) {
      const checks = files.get(name);
      if (!checks) throw damagedInPackage(path, `it has no checksums of ${name}`);
      return checks;
    },
  };
}

export type FileChecks = ReturnType<typeof fileChecks>;

/** The checksums of a file, and which of its blocks were compared already. */
function fileChecks(path: string, size: number, checksums: Uint32Array, compare: CompareBlocks) {
  const seen = new Uint8Array(checksums.length);
  const checkBlocks = (bytes: Uint8Array, first: number): void => {
    const end = first + blocksOf(bytes.length);
    const wrong = compare(bytes, checksums.subarray(first, end));
    if (wrong !== -1) throw damagedInPackage(path, `the checksum of its block ${first + wrong} differs`);
    seen.fill(1, first, end);
  };
  /** @throws if the file has another size than when it was packaged */
  const checkSize = (found: number): void => {
    if (found !== size) throw damagedInPackage(path, `it has ${found} bytes, but ${size} were packaged`);
  };
  return {
    size,
    checkSize,
    checkAll(bytes: Uint8Array): void {
      checkSize(bytes.length);
      checkBlocks(bytes, 0);
    },
    /** Whether all blocks with the bytes `[start, end)` were compared. */
    knows(start: number, end: number): boolean {
      for (let block = Math.floor(start / BLOCK); block * BLOCK < end; block++)
        if (seen[block] === 0) return false;
      return true;
    },
    /**
     * Compares the blocks with the bytes `[start, end)`.
     * @param read returns the bytes `[from, to)` of the file, which are whole blocks
     */
    check(start: number, end: number, read: (from: number, to: number) => Uint8Array): void {
      const from = Math.floor(start / BLOCK) * BLOCK;
      checkBlocks(read(from, Math.min(size, blocksOf(end) * BLOCK)), from / BLOCK);
    },
  };
}

/** Writes the `checks.bin` of a folder, whose files must not change any more. */
export function writeChecks(folder: string, names: readonly string[]): void {
  const files = names.map((name) => readFileSync(join(folder, name)));
  const sizes = Object.fromEntries(names.map((name, i) => [name, files[i]!.length]));
  const json = Buffer.from(JSON.stringify(sizes));
  const all = Buffer.concat(files.map(checksumsOf));
  const before = writeSections(CHECKS, [json, all, new Uint8Array()]).length;
  const file = writeSections(CHECKS, [json, all, new Uint8Array(4 * blocksOf(before))]);
  file.set(checksumsOf(file.subarray(0, before)), before);
  writeFileSync(join(folder, CHECKS_FILE), file);
}

function checksumsOf(bytes: Uint8Array): Uint8Array {
  const block = (_: unknown, i: number) => crc32c(bytes.subarray(i * BLOCK, (i + 1) * BLOCK));
  return bytesOf(Uint32Array.from({ length: blocksOf(bytes.length) }, block));
}
