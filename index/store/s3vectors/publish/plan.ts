import { createHash } from 'node:crypto';
import { HashTable } from '../../../format/compact.ts';
import { readSections } from '../../../format/container.ts';
import type { SegmentRows } from '../generation.ts';
import { damagedInS3, HASH_BYTES, HASHES } from '../objects.ts';

/** The largest share of a segment's rows that may be gone. Above, the others move to the new segment. */
const MOST_GONE = 0.3;
/** The most segments that a publication keeps. A search looks into all of them. */
const MOST_SEGMENTS = 8;

/** A segment of the current generation. */
export interface PublishedSegment extends SegmentRows {
  /** The hashes of all rows, one after the other. */
  hashes: Uint8Array;
}

/** What a publication does. */
export interface Plan {
  /** Segments that stay, in their order, with all rows that the new generation does not have. */
  kept: SegmentRows[];
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
  for (let ordinal = 0; ordinal < count; ordinal++) local.set(keyOf(hashAt(hashes, ordinal)), ordinal);

  /** For each local row the number of the segment that has it, or -1; and its number there. */
  const places = new Int32Array(count).fill(-1);
  const numbers = new Uint32Array(count);
  const segments = published.map(({ id, rows, files, gone: before, hashes: theirs }, number): SegmentRows => {
    const gone: number[] = [];
    let next = 0;
    for (let row = 0; row < rows; row++) {
      const wasGone = before[next] === row;
      if (wasGone) next++;
      const hash = hashAt(theirs, row);
      const ordinal = wasGone ? undefined : local.get(keyOf(hash));
      if (ordinal !== undefined && places[ordinal] === -1 && hash.equals(hashAt(hashes, ordinal))) {
        places[ordinal] = number;
        numbers[ordinal] = row;
      } else gone.push(row);
    }
    return { id, rows, files, gone: Uint32Array.from(gone) };
  });

  const alive = ({ rows, gone }: SegmentRows) => rows - gone.length;
  const largest = segments
    .filter((segment) => alive(segment) > 0 && segment.gone.length <= MOST_GONE * segment.rows)
    .sort((a, b) => alive(b) - alive(a))
    .slice(0, MOST_SEGMENTS);
  let end = 0;
  /** The first ordinal of each segment that stays. */
  const starts = segments.map((segment) => {
    if (!largest.includes(segment)) return undefined;
    end += segment.rows;
    return end - segment.rows;
  });

  const order = new Uint32Array(count);
  const written: number[] = [];
  let moved = 0;
  for (let ordinal = 0; ordinal < count; ordinal++) {
    const start = starts[places[ordinal]!];
    if (start === undefined) {
      if (places[ordinal] !== -1) moved++;
      order[ordinal] = end + written.length;
      written.push(ordinal);
    } else order[ordinal] = start + numbers[ordinal]!;
  }
  const kept = segments.filter((segment) => largest.includes(segment));
  return { kept, written: Uint32Array.from(written), order, moved };
}

/** One of the hashes that follow each other. */
export function hashAt(hashes: Uint8Array, row: number): Buffer {
  return Buffer.from(hashes.buffer, hashes.byteOffset + row * HASH_BYTES, HASH_BYTES);
}

/** The first 48 bits of a hash. */
const keyOf = (hash: Buffer): number => hash.readUIntBE(0, 6);

/** The hash that identifies a row in `hashes.bin`. */
export function hashOf(row: Uint8Array): Uint8Array {
  return createHash('sha256').update(row).digest().subarray(0, HASH_BYTES);
}

/** Reads a `hashes.bin`: the hashes of all rows, one after the other. */
export function readHashes(bytes: Uint8Array, rows: number, name: string): Uint8Array {
  const [hashes] = readSections(bytes, HASHES, name) as [Uint8Array];
  if (hashes.length !== rows * HASH_BYTES)
    throw damagedInS3(name, `it has ${hashes.length} bytes of hashes for ${rows} rows`);
  return hashes;
}
