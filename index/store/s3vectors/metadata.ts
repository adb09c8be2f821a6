import { fieldKey } from '../../format/lookup-file.ts';
import type { Scalar } from '../../format/passage.ts';
import { isListOf, isShaped, isText } from '../../format/shapes.ts';
import { damagedInS3 } from './damaged.ts';

/** What S3 Vectors stores with a vector. Only `row` is non-filterable. */
export interface RowMetadata {
  /** The row's segment. */
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

/**
 * Reads a row's metadata.
 * @param name of the row, for errors
 * @throws if it is damaged
 */
export function readPlace(metadata: unknown, name: string): RowPlace {
  if (!isRowMetadata(metadata)) throw damagedInS3(name, 'its metadata is missing or invalid');
  const { row } = metadata as RowMetadata;
  const [, start, length] = PLACE.exec(row) ?? [];
  if (start !== undefined) return { start: Number(start), length: Number(length) };
  // The row's checksum finds any other text.
  return { bytes: Buffer.from(row, 'base64') };
}
