import { type FileList, isFileList } from '../../format/checks.ts';
import { digestOf, parseDigestedObject } from '../../format/json-file.ts';
import { MANIFEST_SHAPE, type Manifest } from '../../format/manifest.ts';
import { type Check, isListOf, isOptional, isShaped, isText, isWhole } from '../../format/shapes.ts';
import { readList, writeList } from '../../format/varint.ts';
import { parseJson } from '../../kit/json.ts';
import type { Client } from './client.ts';
import {
  checkObject,
  damagedInS3,
  generationObject,
  goneObject,
  isRowCount,
  isSegmentId,
  OBJECTS,
  vectorKey,
} from './objects.ts';

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

/** A generation that only some groups may search. It is never current itself: generations that everyone may search name it. */
export interface RestrictedGeneration extends Pick<Generation, 'generation' | 'version'> {
  access: string[];
}

/** `manifest.json` of a generation. */
export interface Generation
  extends Pick<Manifest, 'version' | 'model' | 'dimensions' | 'counts' | 'fields' | 'tuning' | 'access'> {
  format: number;
  generation: number;
  /** When it was written, in ISO 8601. */
  created: string;
  /** Languages and their passages, in the order of the languages' numbers. */
  languages: [language: string, passages: number][];
  segments: Segment[];
  /** In the order of the local index. Missing if there are none. */
  restricted?: RestrictedGeneration[];
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

const isFilledListOf =
  (check: Check): Check =>
  (value) =>
    isListOf(check)(value) && (value as unknown[]).length > 0;

const { model, dimensions, counts, fields, tuning, access } = MANIFEST_SHAPE;
const isRestricted = isShaped({ access: isListOf(isText), generation: isGeneration, version: isText });
const SHAPE: Record<Exclude<keyof Generation, 'format' | 'digest'>, Check> = {
  generation: isGeneration,
  created: isText,
  version: isText,
  model,
  dimensions,
  counts,
  fields,
  tuning,
  access,
  restricted: isOptional(isListOf(isRestricted)),
  languages: isFilledListOf(isCountedLanguage),
  segments: isFilledListOf(isSegment),
  files: hasFiles(OBJECTS.languages, OBJECTS.overview, OBJECTS.order),
};

const isCurrent = isShaped({
  generation: isGeneration,
  since: isText,
  replaced: isListOf(isShaped({ generation: isGeneration, until: isText })),
});

export function writeGeneration(contents: Omit<Generation, 'format' | 'digest'>): Buffer {
  const all = { format: FORMAT, ...contents };
  return Buffer.from(JSON.stringify({ ...all, digest: digestOf(all) }));
}

/** Reads a manifest. Throws if it has another format or is damaged. `name` is for errors. */
export function readGeneration(bytes: Uint8Array, name: string): Generation {
  const found = parseDigestedObject(bytes, FORMAT, 'digest', SHAPE, {
    damaged: (problem) => damagedInS3(name, problem),
    otherFormat: (format) => otherFormat(name, format),
  }) as unknown as Generation;
  const passages = found.segments.reduce((sum, { rows, goneRows }) => sum + rows - goneRows, 0);
  if (passages !== found.counts.passages)
    throw damagedInS3(name, `its segments have ${passages} passages, but it counts ${found.counts.passages}`);
  return found;
}

export function writeCurrent(current: Omit<Current, 'format'>): Buffer {
  return Buffer.from(JSON.stringify({ format: FORMAT, ...current }));
}

/** Reads `current.json`. Throws if it has another format or is damaged. `name` is for errors. */
export function readCurrent(bytes: Uint8Array, name: string): Current {
  const found = parseJson(bytes) as Current | undefined;
  if (found?.format !== undefined && found.format !== FORMAT) throw otherFormat(name, found.format);
  if (found?.format === undefined || !isCurrent(found)) throw damagedInS3(name, 'its keys are invalid');
  return found;
}

/** The keys of `Segment` for its gone rows (ascending), and the object's bytes if their list is too long for the manifest. */
export function writeGone(
  gone: ArrayLike<number>,
): Pick<Segment, 'goneRows' | 'gone'> & { object?: Uint8Array } {
  if (gone.length === 0) return { goneRows: 0 };
  const list = writeList(gone);
  if (list.length > LONGEST_GONE) return { goneRows: gone.length, object: list };
  return { goneRows: gone.length, gone: Buffer.from(list).toString('base64') };
}

/** Reads the numbers of a segment's gone rows, ascending: from the manifest, or from the object of a long list. */
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

function otherFormat(name: string, format: unknown): Error {
  return new Error(
    `${name} has format ${format}, but this polyseek reads format ${FORMAT}. Use the version of polyseek that wrote the index.`,
  );
}

/** Reads and checks the manifest of a generation. */
export async function loadGeneration(client: Client, number: number): Promise<Generation> {
  const key = generationObject(number, OBJECTS.manifest);
  const manifest = readGeneration(await client.read(key), client.nameOf(key));
  if (manifest.generation !== number)
    throw damagedInS3(client.nameOf(key), `it is the manifest of generation ${manifest.generation}`);
  return manifest;
}

/** Reads a whole object of a generation, as its manifest lists it. */
export async function loadObject(
  client: Client,
  { generation, files }: Generation,
  name: string,
): Promise<Buffer> {
  const key = generationObject(generation, name);
  const listed = files[name];
  if (!listed) throw damagedInS3(client.nameOf(key), 'its manifest does not list it');
  const object = await client.read(key);
  checkObject(object, listed, client.nameOf(key));
  return object;
}

/** The rows of a segment in a generation. */
export interface SegmentRows extends Pick<Segment, 'id' | 'rows' | 'files'> {
  /** The numbers of the rows that the generation does not have, ascending. */
  gone: Uint32Array;
}

/** A segment of a generation whose list of gone rows was read. */
export interface LoadedSegment extends SegmentRows {
  /** The ordinal of its first row. */
  start: number;
}

/** Reads the lists of gone rows of all segments. */
export function loadSegments(client: Client, generation: Generation): Promise<LoadedSegment[]> {
  const name = client.nameOf(generationObject(generation.generation, OBJECTS.manifest));
  let end = 0;
  return Promise.all(
    generation.segments.map(async (segment) => {
      const { id, rows, files, goneRows, gone } = segment;
      const start = end;
      end += rows;
      const isObject = goneRows > 0 && gone === undefined;
      const object = isObject ? await loadObject(client, generation, goneObject(id)) : undefined;
      return { id, rows, files, start, gone: readGone(segment, object, name) };
    }),
  );
}

/** The key of the vector with an ordinal of a generation; undefined if there is none. */
export function keyOfOrdinal(
  segments: readonly Pick<LoadedSegment, 'id' | 'rows' | 'start'>[],
  ordinal: number,
): string | undefined {
  const segment = segments.findLast(({ start }) => start <= ordinal);
  const row = ordinal - (segment?.start ?? 0);
  return segment && row < segment.rows ? vectorKey(segment.id, row) : undefined;
}

export function isGone(gone: Uint32Array, row: number): boolean {
  let [low, high] = [0, gone.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (gone[middle]! < row) low = middle + 1;
    else high = middle;
  }
  return gone[low] === row;
}

/** Copies a list (rows ascending, and a byte for each or none) without the rows that are gone. Adds `offset` to each row. */
export function withoutGone(
  gone: Uint32Array,
  rows: Uint32Array,
  offset: number,
  rest: Uint8Array,
): { ordinals: Uint32Array; rest: Uint8Array } {
  const ordinals = new Uint32Array(rows.length);
  const bytes = new Uint8Array(rest.length);
  let [kept, next] = [0, 0];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    while (next < gone.length && gone[next]! < row) next++;
    if (gone[next] === row) continue;
    if (rest.length > 0) bytes[kept] = rest[i]!;
    ordinals[kept++] = row + offset;
  }
  return { ordinals: ordinals.subarray(0, kept), rest: bytes.subarray(0, Math.min(kept, rest.length)) };
}
