import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PutInputVector } from '@aws-sdk/client-s3vectors';
import { describeFileAt, type FileList } from '../../../format/checks.ts';
import { headBytes, writeSections } from '../../../format/container.ts';
import { ContainerWriter } from '../../../format/container-file.ts';
import { withTemporaryFolder } from '../../../format/drafts.ts';
import { fieldKey, KEYS, lookupWriter } from '../../../format/lookup-file.ts';
import { type Passage, withTitle } from '../../../format/passage.ts';
import { InvertedFile, Postings } from '../../../format/postings.ts';
import { writeAscending, writeList } from '../../../format/varint.ts';
import { fieldsOf } from '../../../format/write-index.ts';
import { HASHES, LONG_ROWS, OBJECTS, placeKey, segmentObject, vectorKey } from '../objects.ts';
import { encodeRow, filterKey, formatPlace, type RowMetadata, type RowPlace } from '../row.ts';
import { type Journal, type Publication, record } from './journal.ts';
import type { LocalRows } from './local-rows.ts';
import { inParallel, MOST_VECTORS, type Service, type TransferOptions } from './service.ts';

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
    function* passages() {
      for (const ordinal of ordinals) yield local.passage(ordinal);
    }
    await inParallel(batches(local, ordinals, publication, segment, batch), upload, signal);
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

/**
 * Writes the objects of a segment as files into a folder, row by row. The same rows give the same bytes. Only the terms and the groups
 * of duplicates, and some bytes a row, are in memory.
 */
class SegmentWriter {
  readonly #folder: string;
  readonly #postings: Postings;
  readonly #fields: InvertedFile;
  /** The rows of each `group`. */
  readonly #groups = new Map<number, number[]>();
  /** The last position in each source. */
  readonly #positions = new Map<string, number>();
  /** Whether each row is found by its place in its document. */
  readonly #isPlaced: boolean[] = [];
  readonly #long: ContainerWriter;
  #longBytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#postings = new Postings(join(folder, 'postings.tmp'));
    this.#fields = new InvertedFile(join(folder, 'fields.tmp'));
    this.#long = new ContainerWriter(join(folder, OBJECTS.longRows), LONG_ROWS, []);
  }

  /** Adds the next row. */
  add(passage: Passage): void {
    const { id, source, position, group } = passage;
    const row = this.#isPlaced.length;
    this.#postings.add(withTitle(passage).text);
    const fields = fieldsOf(passage).map(([field, value]): [string, number] => [fieldKey(field, value), 1]);
    this.#fields.add(row, new Map(fields));
    // Passages of records (documents with an id) are found by their ids. They would have the same places as other records of their file.
    const isPlaced = !id.endsWith(`#${position + 1}`) && position > (this.#positions.get(source) ?? -1);
    if (isPlaced) this.#positions.set(source, position);
    this.#isPlaced.push(isPlaced);
    if (group !== undefined) this.#groups.set(group, [...(this.#groups.get(group) ?? []), row]);
  }

  /** Adds a row to `long-rows.bin`, and returns its place there. */
  addLong(row: Uint8Array): RowPlace {
    const start = headBytes(LONG_ROWS.sections) + this.#longBytes;
    this.#long.append(row);
    this.#longBytes += row.length;
    return { start, length: row.length };
  }

  /** Writes the files, from all passages that were added, again, and the hashes of their rows. */
  finish(passages: Iterable<Passage>, hashes: Uint8Array): FileList {
    const path = (name: string) => join(this.#folder, name);
    this.#writeLookup(path(OBJECTS.lookup), passages);
    writeFileSync(path(OBJECTS.hashes), writeSections(HASHES, [hashes]));
    this.#long.finish([]);
    this.#postings.remove();
    this.#fields.remove();
    const names = [OBJECTS.lookup, OBJECTS.hashes, ...(this.#longBytes > 0 ? [OBJECTS.longRows] : [])];
    return Object.fromEntries(names.map((name) => [name, describeFileAt(path(name))]));
  }

  #writeLookup(path: string, passages: Iterable<Passage>): void {
    const places = this.#isPlaced.filter(Boolean).length;
    const records =
      this.#postings.size + this.#fields.size + this.#groups.size + this.#isPlaced.length + places;
    const lookup = lookupWriter(path, records);
    for (const [key, data] of this.#postings.records()) lookup.add(key, data);
    for (const { key, ordinals } of this.#fields.lists()) lookup.add(key, writeList(ordinals));
    for (const [group, rows] of this.#groups) lookup.add(KEYS.duplicates + group, writeList(rows));
    let row = 0;
    for (const { id, source, position } of passages) {
      lookup.add(KEYS.id + id, writeAscending([row]));
      if (this.#isPlaced[row]) lookup.add(placeKey(source, position), writeAscending([row]));
      row++;
    }
    lookup.finish();
  }
}
