import { type FileList, isFileList } from '../../format/checks.ts';
import { digestOf, parseDigestedObject } from '../../format/json-file.ts';
import { MANIFEST_SHAPE, type Manifest } from '../../format/manifest.ts';
import { type Check, isListOf, isOptional, isShaped, isText, isWhole } from '../../format/shapes.ts';
import { readList, writeList } from '../../format/varint.ts';
import { damagedInS3, goneObject, isRowCount, isSegmentId, OBJECTS } from './objects.ts';

/** Version of the objects of an index in S3 Vectors, other than its rows. FORMAT.md describes them. */
export const FORMAT = 1;

/** Longer lists of gone rows are objects of their own. */
const LONGEST_GONE = 64_000;

/** A segment of a generation. Its ordinals follow those of the segments before it. */
export interface Segment {
  id: string;
  /** All rows, with those that are gone. */
  rows: number;
  /** How many of its rows are not part of the generation. */
  goneRows: number;
  /** Their numbers as a list (varint.ts) in Base64. Missing if there are none, or if they are in an object of the generation. */
  gone?: string;
  /** Its `lookup.bin` and `hashes.bin`, and `long-rows.bin` if it has long rows. */
  files: FileList;
}

/** `manifest.json` of a generation. */
export interface Generation extends Pick<Manifest, 'version' | 'model' | 'dimensions' | 'counts' | 'fields'> {
  format: number;
  generation: number;
  /** When it was written, in ISO 8601. */
  created: string;
  /** Languages and their passages, in the order of the languages' numbers. */
  languages: [language: string, passages: number][];
  segments: Segment[];
  /** Its `languages.bin`, `overview.json` and `order.bin`, and the lists of gone rows that are objects. */
  files: FileList;
  /** As in an index's manifest, of all other keys. */
  digest: string;
}

/** `current.json`: the generation that readers see. */
export interface Current {
  format: number;
  generation: number;
  /** When the generation became current, in ISO 8601. It makes each version of this object different. */
  since: string;
  /** Generations that were current before, and until when: the last one, and those of the last minute. Newest first. */
  replaced: { generation: number; until: string }[];
}

const isGeneration = isWhole(1);
const hasFiles =
  (...names: string[]): Check =>
  (value) =>
    isFileList(value) && names.every((name) => Object.hasOwn(value as FileList, name));

const isSegment: Check = (value) =>
  isShaped({
    id: isSegmentId,
    rows: isRowCount,
    goneRows: isWhole(0),
    gone: isOptional(isText),
    files: hasFiles(OBJECTS.lookup, OBJECTS.hashes),
  })(value) && (value as Segment).goneRows <= (value as Segment).rows;

const isCountedLanguage: Check = (value) =>
  Array.isArray(value) && value.length === 2 && isText(value[0]) && isWhole(1)(value[1]);

const SHAPE: Record<Exclude<keyof Generation, 'format' | 'digest'>, Check> = {
  generation: isGeneration,
  created: isText,
  version: isText,
  model: MANIFEST_SHAPE.model,
  dimensions: MANIFEST_SHAPE.dimensions,
  counts: MANIFEST_SHAPE.counts,
  fields: MANIFEST_SHAPE.fields,
  languages: (value) => isListOf(isCountedLanguage)(value) && (value as unknown[]).length > 0,
  segments: (value) => isListOf(isSegment)(value) && (value as unknown[]).length > 0,
  files: hasFiles(OBJECTS.languages, OBJECTS.overview, OBJECTS.order),
};

const isCurrent = isShaped({
  generation: isGeneration,
  since: isText,
  replaced: isListOf(isShaped({ generation: isGeneration, until: isText })),
});

/** Writes a manifest. */
export function writeGeneration(contents: Omit<Generation, 'format' | 'digest'>): Buffer {
  const all = { format: FORMAT, ...contents };
  return Buffer.from(JSON.stringify({ ...all, digest: digestOf(all) }));
}

/**
 * Reads a manifest and checks it.
 * @param name of the object, for errors
 * @throws if it has another format or is damaged
 */
export function readGeneration(bytes: Uint8Array, name: string): Generation {
  const found = parseDigestedObject(bytes, FORMAT, 'digest', SHAPE, {
    damaged: (problem) => damagedInS3(name, problem),
    otherFormat: (format) => otherFormat(name, format),
  }) as unknown as Generation;
  let passages = 0;
  for (const { rows, goneRows } of found.segments) passages += rows - goneRows;
  if (passages !== found.counts.passages)
    throw damagedInS3(name, `its segments have ${passages} passages, but it counts ${found.counts.passages}`);
  return found;
}

export function writeCurrent(current: Omit<Current, 'format'>): Buffer {
  return Buffer.from(JSON.stringify({ format: FORMAT, ...current }));
}

/**
 * Reads `current.json` and checks it.
 * @param name of the object, for errors
 * @throws if it has another format or is damaged
 */
export function readCurrent(bytes: Uint8Array, name: string): Current {
  const found = parseJson(bytes) as Current | undefined;
  if (found?.format !== undefined && found.format !== FORMAT) throw otherFormat(name, found.format);
  if (found?.format === undefined || !isCurrent(found)) throw damagedInS3(name, 'its keys are invalid');
  return found;
}

/**
 * Writes the numbers of a segment's gone rows.
 * @param gone ascending
 * @returns the keys for `Segment`, and the object's bytes if the list is too long for the manifest
 */
export function writeGone(
  gone: ArrayLike<number>,
): Pick<Segment, 'goneRows' | 'gone'> & { object?: Uint8Array } {
  if (gone.length === 0) return { goneRows: 0 };
  const list = writeList(gone);
  if (list.length > LONGEST_GONE) return { goneRows: gone.length, object: list };
  return { goneRows: gone.length, gone: Buffer.from(list).toString('base64') };
}

/** Whether a segment's gone rows are an object of the generation (`goneObject`). */
export function hasGoneObject({ goneRows, gone }: Segment): boolean {
  return goneRows > 0 && gone === undefined;
}

/**
 * Reads the numbers of a segment's gone rows, ascending.
 * @param object the bytes of the object, if `hasGoneObject`
 * @param name of the manifest, for errors
 * @throws if the list is damaged
 */
export function readGone(segment: Segment, object: Uint8Array | undefined, name: string): Uint32Array {
  const { id, rows, goneRows, gone } = segment;
  if (goneRows === 0) return new Uint32Array(0);
  const bytes = gone === undefined ? object : Buffer.from(gone, 'base64');
  if (!bytes) throw damagedInS3(name, `its object ${goneObject(id)} is missing`);
  const list = readList(bytes, 0);
  const isValid =
    list?.end === bytes.length &&
    list.values.length === goneRows &&
    list.values.every((row, i) => row < rows && (i === 0 || row > list.values[i - 1]!));
  if (!isValid) throw damagedInS3(name, `its list of gone rows of segment ${id} is invalid`);
  return list.values;
}

/** The first ordinal of each segment, and then the number of all ordinals. */
export function ordinalStarts(segments: readonly Pick<Segment, 'rows'>[]): number[] {
  const starts = [0];
  for (const { rows } of segments) starts.push(starts.at(-1)! + rows);
  return starts;
}

function otherFormat(name: string, format: unknown): Error {
  return new Error(
    `${name} has format ${format}, but this polyseek reads format ${FORMAT}. Use the version of polyseek that wrote the index.`,
  );
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}

/** The rows of a segment that are not part of a generation. */
export class GoneRows {
  readonly #rows: Uint32Array;

  /** @param rows ascending */
  constructor(rows: Uint32Array) {
    this.#rows = rows;
  }

  has(row: number): boolean {
    const rows = this.#rows;
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rows[middle]! < row) low = middle + 1;
      else high = middle;
    }
    return rows[low] === row;
  }

  /**
   * Copies a list without the rows that are gone.
   * @param rows ascending
   * @param offset to add to each number
   * @param rest a byte for each row, or none
   */
  remove(rows: Uint32Array, offset: number, rest: Uint8Array): { ordinals: Uint32Array; rest: Uint8Array } {
    const ordinals = new Uint32Array(rows.length);
    const bytes = new Uint8Array(rest.length);
    let [kept, gone] = [0, 0];
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      while (gone < this.#rows.length && this.#rows[gone]! < row) gone++;
      if (this.#rows[gone] === row) continue;
      if (rest.length > 0) bytes[kept] = rest[i]!;
      ordinals[kept++] = row + offset;
    }
    return { ordinals: ordinals.subarray(0, kept), rest: bytes.subarray(0, Math.min(kept, rest.length)) };
  }
}
