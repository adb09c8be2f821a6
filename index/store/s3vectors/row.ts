import { fieldKey } from '../../format/lookup-file.ts';
import { isPassage, type Passage, type Scalar } from '../../format/passage.ts';
import { isListOf, isShaped, isText } from '../../format/shapes.ts';
import { blockBytes, PART } from '../../format/tokens-file.ts';
import { parseJson } from '../../kit/json.ts';
import { damagedInS3 } from './objects.ts';

/** Version of the layout. FORMAT.md describes it. */
const VERSION = 1;
/** Bytes before the passage. */
const HEAD = 15;
/** The checksum covers all bytes from here. */
const CHECKED = 5;
/** Bytes of a sentence vector's length (f32), which follows the vector. */
const NORM = 4;

/** What a row contains of a passage, beside its vector: everything that ranking and answers need. */
export interface RowContent {
  /** Its `group` does not depend on ordinals: see `groupNumber` in FORMAT.md. */
  passage: Passage;
  /** For each sentence its vector (`dimensions` i8) and the vector's length (f32), as in `sentences.bin`. */
  sentences: Uint8Array;
  /** Stored tokens; 0 in an index without token states. */
  tokens: number;
  /** The codes of the tokens, in blocks as in `tokens.bin`. */
  blocks: Uint8Array;
}

/** Bytes of a sentence in a row. */
export function sentenceBytes(dimensions: number): number {
  return dimensions + NORM;
}

export function encodeRow({ passage, sentences, tokens, blocks }: RowContent): Uint8Array {
  const record = Buffer.from(JSON.stringify(passage));
  const row = Buffer.concat([new Uint8Array(HEAD), record, sentences, blocks]);
  row.writeUInt8(VERSION, 0);
  row.writeUInt32LE(record.length, 5);
  row.writeUInt32LE(passage.sentences.length, 9);
  row.writeUInt16LE(tokens, 13);
  row.writeUInt32LE(process.getBuiltinModule('node:zlib').crc32(row.subarray(CHECKED)), 1);
  return row;
}

/** Reads a row. The result shares memory with `bytes`. Throws if the version differs or the row is damaged. */
export function decodeRow(bytes: Uint8Array, dimensions: number, name: string): RowContent {
  const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (row.length < HEAD)
    throw damagedInS3(name, `it has ${row.length} bytes, but its head alone has ${HEAD}`);
  const version = row.readUInt8(0);
  if (version !== VERSION)
    throw new Error(
      `${name} has version ${version} of the format of rows, but this polyseek reads version ${VERSION}. Use the version of polyseek that wrote the index.`,
    );
  const checksum = process.getBuiltinModule('node:zlib').crc32(row.subarray(CHECKED));
  if (checksum !== row.readUInt32LE(1)) throw damagedInS3(name, 'its checksum differs');
  const [recordBytes, count, tokens] = [row.readUInt32LE(5), row.readUInt32LE(9), row.readUInt16LE(13)];
  const sentencesStart = HEAD + recordBytes;
  const blocksStart = sentencesStart + count * sentenceBytes(dimensions);
  const end = blocksStart + blockBytes(tokens, dimensions / PART);
  if (end !== row.length)
    throw damagedInS3(
      name,
      `it has ${row.length} bytes, but its counts give ${end} for ${dimensions} dimensions`,
    );
  const passage = parseJson(row.toString('utf8', HEAD, sentencesStart)) as Passage;
  if (!isPassage(passage) || passage.sentences.length !== count)
    throw damagedInS3(name, 'its passage is invalid');
  return {
    passage,
    sentences: row.subarray(sentencesStart, blocksStart),
    tokens,
    blocks: row.subarray(blocksStart),
  };
}

/** What S3 Vectors stores with a vector. Only `row` is non-filterable. */
export interface RowMetadata {
  segment: string;
  /** The row's fields and values, as `filterKey` writes them. */
  fields: string[];
  /** The row in Base64; or `@START LENGTH`, its place in the segment's `long-rows.bin` in bytes. */
  row: string;
}

/** Where a row's bytes are. */
export type RowPlace = { bytes: Uint8Array } | { start: number; length: number };

const isRowMetadata = isShaped({ segment: isText, fields: isListOf(isText), row: isText });

const PLACE = /^@(\d{1,15}) (\d{1,10})$/;

/** The text in `fields` for a field's value: its key in `lookup.bin` without the kind. */
export function filterKey(field: string, value: Scalar): string {
  return fieldKey(field, value).slice(1);
}

/** The `row` of a row's metadata. */
export function formatPlace(place: RowPlace): string {
  return 'bytes' in place
    ? Buffer.from(place.bytes.buffer, place.bytes.byteOffset, place.bytes.byteLength).toString('base64')
    : `@${place.start} ${place.length}`;
}

/** Reads a row's metadata. Throws if it is damaged. */
export function readPlace(metadata: unknown, name: string): RowPlace {
  if (!isRowMetadata(metadata)) throw damagedInS3(name, 'its metadata is missing or invalid');
  const { row } = metadata as RowMetadata;
  const [, start, length] = PLACE.exec(row) ?? [];
  if (start !== undefined) return { start: Number(start), length: Number(length) };
  // The row's checksum finds any other text.
  return { bytes: Buffer.from(row, 'base64') };
}
