import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PutInputVector } from '@aws-sdk/client-s3vectors';
import type { FileList } from '../../../format/checks.ts';
import { withTemporaryFolder } from '../../../format/drafts.ts';
import type { Passage } from '../../../format/passage.ts';
import { fieldsOf } from '../../../format/write-index.ts';
import { segmentObject, vectorKey } from '../objects.ts';
import { encodeRow, filterKey, formatPlace, type RowMetadata } from '../row.ts';
import { type Journal, type Publication, record } from './journal.ts';
import type { LocalRows } from './local-rows.ts';
import { SegmentWriter } from './segment-writer.ts';
import { inParallel, MOST_VECTORS, PARALLEL, type Service, type TransferOptions } from './service.ts';

/** Bytes of a request. S3 Vectors accepts 20 MiB. */
const MOST_BYTES = 19 << 20;

/** Vectors of one request. */
interface Batch {
  vectors: PutInputVector[];
  bytes: number;
  /** The number of the first row after them. */
  end: number;
}

/**
 * Uploads the rows of a new segment, and then its objects. Records each batch that is written in the journal. Skips those that are.
 * @param ordinals of the rows in the local index
 * @param hashes of the rows, one after the other
 * @returns the files of the segment; undefined for a segment without rows
 */
export async function uploadSegment(
  service: Service,
  journal: Journal,
  local: LocalRows,
  ordinals: Uint32Array,
  hashes: Uint8Array,
  publication: Publication,
  { progress = () => {}, signal, batch = MOST_VECTORS }: TransferOptions,
): Promise<FileList | undefined> {
  if (ordinals.length === 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'polyseek-segment-'));
  return withTemporaryFolder(folder, async () => {
    const segment = new SegmentWriter(folder);
    const report = (done: number) =>
      progress({ phase: 'uploading', unit: 'passages', done, total: ordinals.length });
    let { written } = publication;
    let done = written;
    report(done);
    /** Batches that are written, but not all before them. */
    const ends = new Map<number, number>();
    const upload = async ({ vectors, bytes, end }: Batch) => {
      await service.putVectors(vectors, bytes);
      done += vectors.length;
      report(done);
      ends.set(end - vectors.length, end);
      for (let next = ends.get(written); next !== undefined; next = ends.get(written)) written = next;
      await record(journal, { publication: { ...publication, written } });
    };
    function* uploads() {
      for (const one of batches(local, ordinals, publication, segment, batch)) yield () => upload(one);
    }
    function* passages() {
      for (const ordinal of ordinals) yield local.passage(ordinal);
    }
    await inParallel(uploads(), PARALLEL, signal);
    const files = segment.finish(passages(), hashes);
    for (const [name, { bytes }] of Object.entries(files))
      await service.objects.putFile(segmentObject(publication.segment, name), join(folder, name), bytes);
    return files;
  });
}

/** Adds all rows to the segment, and returns those that are not written yet in batches. */
function* batches(
  local: LocalRows,
  ordinals: Uint32Array,
  { segment, written }: Publication,
  writer: SegmentWriter,
  most: number,
): Generator<Batch> {
  let batch: Batch = { vectors: [], bytes: 0, end: written };
  for (const [number, ordinal] of ordinals.entries()) {
    const content = local.row(ordinal);
    const row = encodeRow(content);
    writer.add(content.passage);
    const filterable = filterableOf(content.passage, segment);
    const place = isLong(filterable, row) ? writer.addLong(row) : { bytes: row };
    if (number < written) continue;
    // Nine digits identify a float, half of those that JSON writes for it.
    const float32 = Array.from(local.vector(ordinal), (value) => Number(value.toPrecision(9)));
    const metadata: Record<string, string | string[]> = { ...filterable, row: formatPlace(place) };
    const input = { key: vectorKey(segment, number), data: { float32 }, metadata };
    const bytes = jsonBytes(input) + 1;
    if (batch.vectors.length === most || batch.bytes + bytes > MOST_BYTES) {
      yield batch;
      batch = { vectors: [], bytes: 0, end: number };
    }
    batch.vectors.push(input);
    batch.bytes += bytes;
    batch.end = number + 1;
  }
  if (batch.vectors.length > 0) yield batch;
}

/** The most bytes of a vector's filterable metadata, and of all its metadata, as JSON. S3 Vectors allows 2 KB and 40 KB. */
const MOST_FILTERABLE = 2048;
const MOST_METADATA = 40_000;
/** As long as any segment's id. */
const ANY_SEGMENT = '00000000';

/** The filterable metadata of a passage. Throws if it exceeds the limit of S3 Vectors. */
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
function isLong(filterable: Omit<RowMetadata, 'row'>, row: Uint8Array): boolean {
  return jsonBytes({ ...filterable, row: '' }) + 4 * Math.ceil(row.length / 3) > MOST_METADATA;
}

function largestField(passage: Passage): string {
  const sizes = new Map<string, number>();
  for (const [field, value] of fieldsOf(passage))
    sizes.set(field, (sizes.get(field) ?? 0) + filterKey(field, value).length);
  return [...sizes].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
