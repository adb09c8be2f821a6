import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PutInputVector } from '@aws-sdk/client-s3vectors';
import type { FileList } from '../../../format/checksums.ts';
import { withTemporaryFolder } from '../../../format/drafts.ts';
import { segmentObject } from '../objects.ts';
import { encodeRow } from '../row.ts';
import { hashOf } from './hashes.ts';
import { inParallel } from './in-parallel.ts';
import type { Journal, Publication } from './journal.ts';
import type { LocalRows } from './local-rows.ts';
import { SegmentWriter } from './segment-writer.ts';
import { MOST_VECTORS, PARALLEL, type Service } from './service.ts';
import type { TransferOptions } from './transfer.ts';
import { filterableOf, isLong, vectorInput } from './vector-input.ts';

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
 * @returns the files of the segment; undefined for a segment without rows
 */
export async function uploadSegment(
  service: Service,
  journal: Journal,
  local: LocalRows,
  ordinals: Uint32Array,
  publication: Publication,
  { progress = () => {}, signal, batch = MOST_VECTORS }: TransferOptions,
): Promise<FileList | undefined> {
  if (ordinals.length === 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'polyseek-segment-'));
  return withTemporaryFolder(folder, async () => {
    const segment = new SegmentWriter(folder, ordinals.length);
    const report = (done: number) =>
      progress({ phase: 'uploading', unit: 'passages', done, total: ordinals.length });
    report(publication.written);
    /** Batches that are written, but not all before them. */
    const ends = new Map<number, number>();
    let { written } = publication;
    let done = written;
    const upload = async ({ vectors, bytes, end }: Batch) => {
      await service.putVectors(vectors, bytes);
      done += vectors.length;
      report(done);
      ends.set(end - vectors.length, end);
      for (let next = ends.get(written); next !== undefined; next = ends.get(written)) written = next;
      await journal.record({ publication: { ...publication, written } });
    };
    function* uploads() {
      for (const one of batches(local, ordinals, publication, segment, batch)) yield () => upload(one);
    }
    await inParallel(uploads(), PARALLEL, signal);
    const files = segment.finish(passages(local, ordinals));
    for (const name of Object.keys(files))
      await service.putFile(segmentObject(publication.segment, name), join(folder, name));
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
    writer.add(content.passage, hashOf(row));
    const filterable = filterableOf(content.passage, segment);
    const place = isLong(filterable, row) ? writer.addLong(row) : { bytes: row };
    if (number < written) continue;
    const { input, bytes } = vectorInput(local.vector(ordinal), filterable, number, place);
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

function* passages(local: LocalRows, ordinals: Uint32Array) {
  for (const ordinal of ordinals) yield local.passage(ordinal);
}
