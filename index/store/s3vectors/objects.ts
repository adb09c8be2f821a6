import { describeFile, type FileList } from '../../format/checks.ts';
import type { Format } from '../../format/container.ts';
import { isWhole } from '../../format/shapes.ts';

/** The names of an index's objects, below the index's name. */
export const OBJECTS = {
  current: 'current.json',
  journal: 'journal.json',
  manifest: 'manifest.json',
  languages: 'languages.bin',
  overview: 'overview.json',
  order: 'order.bin',
  lookup: 'lookup.bin',
  hashes: 'hashes.bin',
  longRows: 'long-rows.bin',
} as const;

/** `hashes.bin` of a segment: for each row the first 16 bytes of its SHA-256. */
export const HASHES: Format = { magic: 'PSHA', version: 1, sections: 1 };
export const HASH_BYTES = 16;

/** `order.bin` of a generation: for each passage of the local index its ordinal in the generation. */
export const ORDER: Format = { magic: 'PSOR', version: 1, sections: 1 };

/** `long-rows.bin` of a segment: the rows that exceed the limit of metadata, one after the other. */
export const LONG_ROWS: Format = { magic: 'PSLR', version: 1, sections: 1 };

/** The most rows of a segment: rows are numbered in 32 bits. */
export const isRowCount = isWhole(1, 2 ** 32 - 1);

/** Whether a value is the id of a segment: 8 hexadecimal digits. */
export function isSegmentId(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{8}$/.test(value);
}

export function generationObject(generation: number, object: string): string {
  return `generations/${generation}/${object}`;
}

export function segmentObject(segment: string, object: string): string {
  return `segments/${segment}/${object}`;
}

/** The object of a generation with the gone rows of a segment, if the list is too long for the manifest. */
export function goneObject(segment: string): string {
  return `gone-${segment}.bin`;
}

export function vectorKey(segment: string, row: number): string {
  return `${segment}/${row}`;
}

/** The segment and number of a row, from the key of its vector; undefined for any other key. */
export function parseVectorKey(key: string): { segment: string; row: number } | undefined {
  const [segment, number, ...rest] = key.split('/');
  const row = Number(number);
  const isKey = isSegmentId(segment) && rest.length === 0 && String(row) === number && isWhole(0)(row);
  return isKey ? { segment: segment!, row } : undefined;
}

/** The key in `lookup.bin` of a segment for a place in a document: the ordinal of the passage there. */
export function placeKey(source: string, position: number): string {
  return `p${source}\0${position}`;
}

/** An object or row contradicts its format. */
class Damaged extends Error {}

/** The error for a row or object in S3 that contradicts its format. The problem is a clause. */
export function damagedInS3(name: string, problem: string): Error {
  return new Damaged(
    `${name} is damaged: ${problem}. Run npx polyseek index --store s3vectors --rewrite to upload all passages again.`,
  );
}

/** Whether an error comes from `damagedInS3`. */
export function isDamage(error: unknown): boolean {
  return error instanceof Damaged;
}

/** Compares an object with its entry in a manifest. */
export function checkObject(object: Uint8Array, listed: FileList[string], name: string): void {
  const { bytes, crc32 } = describeFile(object);
  if (bytes !== listed.bytes)
    throw damagedInS3(name, `it has ${bytes} bytes, but its manifest says ${listed.bytes}`);
  if (crc32 !== listed.crc32)
    throw damagedInS3(name, `it has the checksum ${crc32}, but its manifest says ${listed.crc32}`);
}
