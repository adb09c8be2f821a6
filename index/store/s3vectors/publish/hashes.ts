import { createHash } from 'node:crypto';
import { readSections, writeSections } from '../../../format/container.ts';
import { damagedInS3 } from '../damaged.ts';
import { HASH_BYTES, HASHES } from '../objects.ts';

/** The hash that identifies a row in `hashes.bin`. */
export function hashOf(row: Uint8Array): Uint8Array {
  return createHash('sha256').update(row).digest().subarray(0, HASH_BYTES);
}

/** The bytes of a `hashes.bin`, from the hashes one after the other. */
export function writeHashes(hashes: Uint8Array): Uint8Array {
  return writeSections(HASHES, [hashes]);
}

/**
 * Reads a `hashes.bin`.
 * @param name of the object, for errors
 * @returns the hashes of all rows, one after the other
 */
export function readHashes(bytes: Uint8Array, rows: number, name: string): Uint8Array {
  const [hashes] = readSections(bytes, HASHES, name) as [Uint8Array];
  if (hashes.length !== rows * HASH_BYTES)
    throw damagedInS3(name, `it has ${hashes.length} bytes of hashes for ${rows} rows`);
  return hashes;
}
