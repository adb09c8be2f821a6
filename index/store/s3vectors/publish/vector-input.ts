import type { PutInputVector } from '@aws-sdk/client-s3vectors';
import type { Passage } from '../../../format/passage.ts';
import { fieldsOf } from '../../../format/write-index.ts';
import { filterKey, formatPlace, type RowMetadata, type RowPlace } from '../metadata.ts';
import { vectorKey } from '../objects.ts';

/** The most bytes of a vector's filterable metadata, and of all its metadata, as JSON. S3 Vectors allows 2 KB and 40 KB. */
const MOST_FILTERABLE = 2048;
const MOST_METADATA = 40_000;
/** As long as any segment's id. */
const ANY_SEGMENT = '00000000';

/** A vector as `PutVectors` takes it, and its bytes in the request. */
export interface VectorInput {
  input: PutInputVector;
  bytes: number;
}

/**
 * The filterable metadata of a passage.
 * @throws if it exceeds the limit of S3 Vectors
 */
export function filterableOf(passage: Passage, segment = ANY_SEGMENT): Omit<RowMetadata, 'row'> {
  const keys = fieldsOf(passage).map(([field, value]) => filterKey(field, value));
  const metadata = { segment, fields: [...new Set(keys)] };
  const bytes = jsonBytes(metadata);
  if (bytes > MOST_FILTERABLE)
    throw new Error(
      `${passage.source} (passage ${passage.id}): its fields have ${bytes} bytes, but S3 Vectors allows ${MOST_FILTERABLE}. Shorten or remove metadata of this document: ${largestField(passage)} has the most.`,
    );
  return metadata;
}

/** Whether a row is too long for its vector's metadata, so that it belongs into `long-rows.bin`. */
export function isLong(filterable: Omit<RowMetadata, 'row'>, row: Uint8Array): boolean {
  return jsonBytes({ ...filterable, row: '' }) + 4 * Math.ceil(row.length / 3) > MOST_METADATA;
}

/** A row as `PutVectors` takes it. */
export function vectorInput(
  vector: Float32Array,
  filterable: Omit<RowMetadata, 'row'>,
  number: number,
  place: RowPlace,
): VectorInput {
  // Nine digits identify a float, half of those that JSON writes for it.
  const float32 = Array.from(vector, (value) => Number(value.toPrecision(9)));
  const metadata: Record<string, string | string[]> = { ...filterable, row: formatPlace(place) };
  const input = { key: vectorKey(filterable.segment, number), data: { float32 }, metadata };
  return { input, bytes: jsonBytes(input) + 1 };
}

function largestField(passage: Passage): string {
  const sizes = new Map<string, number>();
  for (const [field, value] of fieldsOf(passage))
    sizes.set(field, (sizes.get(field) ?? 0) + filterKey(field, value).length);
  return [...sizes].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
