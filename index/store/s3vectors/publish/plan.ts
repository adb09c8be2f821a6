import { createHash } from 'node:crypto';
import type { FileList } from '../../../format/checks.ts';
import { HashTable } from '../../../format/compact.ts';
import { readSections, writeSections } from '../../../format/container.ts';
import { damagedInS3, HASH_BYTES, HASHES } from '../objects.ts';

/** The largest share of a segment's rows that may be gone. Above, the others move to the new segment. */
const MOST_GONE = 0.3;
/** The most segments that a publication keeps. A search looks into all of them. */
const MOST_SEGMENTS = 8;

/** A segment of the current generation. */
export interface PublishedSegment {
  id: string;
  rows: number;
  /** Rows that the current generation does not have, ascending. */
  gone: Uint32Array;
  /** The hashes of all rows, one after the other. */
  hashes: Uint8Array;
  files: FileList;
}

/** A segment that stays. */
export interface KeptSegment {
  id: string;
  rows: number;
  /** Rows that the new generation does not have, ascending. */
  gone: Uint32Array;
  files: FileList;
}

/** What a publication does. */
export interface Plan {
  /** Segments that stay, in their order. */
  kept: KeptSegment[];
  /** Ordinals in the local index of the rows of the new segment, ascending. */
  written: Uint32Array;
  /** For each local row its ordinal in the new generation, whose last segment is the new one. */
  order: Uint32Array;
  /** How many of them were written before, in segments that do not stay. */
  moved: number;
}

/**
 * Compares a local index with the current generation. Takes about 50 bytes of memory a row.
 * @param hashes of the local index's rows, one after the other; all differ
 */
export function planPublication(hashes: Uint8Array, published: readonly PublishedSegment[]): Plan {
  const count = hashes.length / HASH_BYTES;
  const local = new HashTable();
  for (let ordinal = 0; ordinal < count; ordinal++) local.set(keyOf(hashes, ordinal), ordinal);

  /** For each local row the segment that has it, counted from 1, or 0; and its number there. */
  const places = new Uint8Array(count);
  const numbers = new Uint32Array(count);
  if (published.length >= 256) throw new Error(`There are ${published.length} segments, more than 255.`);
  const segments = published.map((segment, i): KeptSegment & { alive: number } => {
    const gone: number[] = [];
    let next = 0;
    for (let row = 0; row < segment.rows; row++) {
      const wasGone = segment.gone[next] === row;
      if (wasGone) next++;
      const ordinal = wasGone ? undefined : local.get(keyOf(segment.hashes, row));
      if (ordinal !== undefined && places[ordinal] === 0 && isEqual(segment.hashes, row, hashes, ordinal)) {
        places[ordinal] = i + 1;
        numbers[ordinal] = row;
        continue;
      }
      gone.push(row);
    }
    const { id, rows, files } = segment;
    return { id, rows, files, gone: Uint32Array.from(gone), alive: rows - gone.length };
  });

  const largest = segments
    .filter(({ rows, gone, alive }) => alive > 0 && gone.length <= MOST_GONE * rows)
    .sort((a, b) => b.alive - a.alive)
    .slice(0, MOST_SEGMENTS);
  const kept = segments.filter((segment) => largest.includes(segment));
  const starts = new Map<number, number>();
  let end = 0;
  for (const segment of kept) {
    starts.set(segments.indexOf(segment) + 1, end);
    end += segment.rows;
  }

  const order = new Uint32Array(count);
  const written: number[] = [];
  let moved = 0;
  for (let ordinal = 0; ordinal < count; ordinal++) {
    const start = starts.get(places[ordinal]!);
    if (start === undefined) {
      if (places[ordinal] !== 0) moved++;
      order[ordinal] = end + written.length;
      written.push(ordinal);
    } else order[ordinal] = start + numbers[ordinal]!;
  }
  return {
    kept: kept.map(({ alive: _, ...segment }) => segment),
    written: Uint32Array.from(written),
    order,
    moved,
  };
}

/** The first 48 bits of a row's hash. */
function keyOf(hashes: Uint8Array, row: number): number {
  let key = 0;
  for (let at = row * HASH_BYTES, end = at + 6; at < end; at++) key = key * 256 + hashes[at]!;
  return key;
}

function isEqual(a: Uint8Array, row: number, b: Uint8Array, other: number): boolean {
  const [from, to] = [row * HASH_BYTES, other * HASH_BYTES];
  for (let i = 0; i < HASH_BYTES; i++) if (a[from + i] !== b[to + i]) return false;
  return true;
}

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
