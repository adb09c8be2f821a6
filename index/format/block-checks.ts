import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Format, readSections } from './container.ts';
import { crc32c } from './crc32c.ts';
import { damagedInPackage } from './damaged.ts';
import { isRecordOf, isWhole } from './shapes.ts';

/** `checks.bin`: a checksum for each block of the files in its folder. FORMAT.md describes its layout. */
export const CHECKS: Format = { magic: 'PSCK', version: 1, sections: 3 };
export const CHECKS_FILE = 'checks.bin';

/** Bytes of a block: small, because a search reads a few hundred bytes at a time from all over a file. */
export const BLOCK = 4096;

/** Compares the CRC-32C of each block with an expected one. Returns the number of the first block that differs, or -1. */
export type CompareBlocks = (bytes: Uint8Array, checksums: Uint32Array) => number;

/** The comparison without a native library. */
export const compareBlocks: CompareBlocks = (bytes, checksums) =>
  checksums.findIndex((expected, i) => crc32c(bytes.subarray(i * BLOCK, (i + 1) * BLOCK)) !== expected);

/** Blocks of a number of bytes. The last one may be shorter. */
export const blocksOf = (bytes: number) => Math.ceil(bytes / BLOCK);

const areSizes = isRecordOf(isWhole(0));

/** Copied, because the file may start at any byte of a larger buffer. */
const words = ({ buffer, byteOffset, length }: Uint8Array) =>
  new Uint32Array(buffer.slice(byteOffset, byteOffset + length));

/** The open `checks.bin` of a folder. */
export class FolderChecks {
  readonly #folder: string;
  readonly #files = new Map<string, FileChecks>();

  /** @throws if it is damaged or has another format */
  constructor(folder: string, compare: CompareBlocks) {
    const path = join(folder, CHECKS_FILE);
    const bytes = readFileSync(path);
    const [json, all, own] = readSections(bytes, CHECKS, path) as [Uint8Array, Uint8Array, Uint8Array];
    const before = own.byteOffset - bytes.byteOffset;
    if (own.length !== 4 * blocksOf(before) || compare(bytes.subarray(0, before), words(own)) !== -1)
      throw damagedInPackage(path, 'its own checksums differ');
    const sizes = readSizes(json);
    const blocks = Object.values(sizes ?? {}).reduce((sum, size) => sum + blocksOf(size), 0);
    if (!sizes || 4 * blocks !== all.length)
      throw damagedInPackage(path, 'its sizes do not fit its checksums');
    const checksums = words(all);
    let first = 0;
    for (const [name, size] of Object.entries(sizes)) {
      const end = first + blocksOf(size);
      this.#files.set(
        name,
        new FileChecks(join(folder, name), size, checksums.subarray(first, end), compare),
      );
      first = end;
    }
    this.#folder = folder;
  }

  /** @throws if no such file was packaged */
  of(name: string): FileChecks {
    const checks = this.#files.get(name);
    if (!checks) throw damagedInPackage(join(this.#folder, CHECKS_FILE), `it has no checksums of ${name}`);
    return checks;
  }
}

function readSizes(json: Uint8Array): Record<string, number> | undefined {
  try {
    const sizes = JSON.parse(Buffer.from(json).toString());
    return areSizes(sizes) ? sizes : undefined;
  } catch {
    return undefined;
  }
}

/** Opens the `checks.bin` of a folder; undefined if there is none. */
export function openChecks(folder: string, compare: CompareBlocks): FolderChecks | undefined {
  return existsSync(join(folder, CHECKS_FILE)) ? new FolderChecks(folder, compare) : undefined;
}

/** The checksums of a file, and which of its blocks were compared already. */
export class FileChecks {
  readonly size: number;
  readonly #path: string;
  readonly #checksums: Uint32Array;
  readonly #compare: CompareBlocks;
  /** Of each block, whether it was compared. */
  readonly #seen: Uint8Array;

  constructor(path: string, size: number, checksums: Uint32Array, compare: CompareBlocks) {
    this.size = size;
    this.#path = path;
    this.#checksums = checksums;
    this.#compare = compare;
    this.#seen = new Uint8Array(checksums.length);
  }

  /** @throws if the file has another size than when it was packaged */
  checkSize(size: number): void {
    if (size !== this.size)
      throw damagedInPackage(this.#path, `it has ${size} bytes, but ${this.size} were packaged`);
  }

  /** Compares a whole file. */
  checkAll(bytes: Uint8Array): void {
    this.checkSize(bytes.length);
    this.#check(bytes, 0);
  }

  /** Whether all blocks with the bytes `[start, end)` were compared. */
  knows(start: number, end: number): boolean {
    for (let block = Math.floor(start / BLOCK); block * BLOCK < end; block++)
      if (this.#seen[block] === 0) return false;
    return true;
  }

  /**
   * Compares the blocks with the bytes `[start, end)`.
   * @param read returns the bytes `[from, to)` of the file, which are whole blocks
   */
  check(start: number, end: number, read: (from: number, to: number) => Uint8Array): void {
    const from = Math.floor(start / BLOCK) * BLOCK;
    this.#check(read(from, Math.min(this.size, blocksOf(end) * BLOCK)), from / BLOCK);
  }

  #check(bytes: Uint8Array, first: number): void {
    const end = first + blocksOf(bytes.length);
    const wrong = this.#compare(bytes, this.#checksums.subarray(first, end));
    if (wrong !== -1)
      throw damagedInPackage(this.#path, `the checksum of its block ${first + wrong} differs`);
    this.#seen.fill(1, first, end);
  }
}
