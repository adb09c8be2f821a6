import { join } from 'node:path';
import { readSections } from '../../../format/container.ts';
import { Spool } from '../../../format/spool.ts';
import { damagedInS3 } from '../damaged.ts';
import { type Generation, ordinalStarts } from '../generation.ts';
import { readPlace } from '../metadata.ts';
import { generationObject, OBJECTS, ORDER, segmentObject, vectorKey } from '../objects.ts';
import { decodeRow, type RowContent } from '../row.ts';
import { inParallel } from './in-parallel.ts';
import { MOST_READ, type Service } from './service.ts';
import type { TransferOptions } from './transfer.ts';

/** Calls of GetVectors at once. */
const PARALLEL = 8;

/** The rows of a generation in a temporary file, in the order of the local index. */
export class RowSpool {
  readonly #file: Spool;
  readonly #dimensions: number;
  readonly #starts: Float64Array;
  readonly #lengths: Uint32Array;

  constructor(path: string, rows: number, dimensions: number) {
    this.#file = new Spool(path);
    this.#dimensions = dimensions;
    this.#starts = new Float64Array(rows);
    this.#lengths = new Uint32Array(rows);
  }

  get count(): number {
    return this.#starts.length;
  }

  /** Writes the row of an ordinal of the local index. */
  set(ordinal: number, row: Uint8Array, vector: Float32Array): void {
    this.#starts[ordinal] = this.#file.length;
    this.#lengths[ordinal] = row.length;
    this.#file.append(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
    this.#file.append(row);
  }

  get(ordinal: number): { content: RowContent; vector: Float32Array } {
    const start = this.#starts[ordinal]!;
    const vectorBytes = 4 * this.#dimensions;
    const vector = new Float32Array(Uint8Array.from(this.#file.read(start, vectorBytes)).buffer);
    const row = this.#file.read(start + vectorBytes, this.#lengths[ordinal]!);
    return { content: decodeRow(row, this.#dimensions, `row ${ordinal}`), vector };
  }

  remove(): void {
    this.#file.remove();
  }
}

/**
 * Downloads all rows of a generation.
 * @param order its `order.bin`
 * @throws if a row is missing or damaged
 */
export async function downloadRows(
  service: Service,
  generation: Generation,
  order: Uint8Array,
  folder: string,
  { progress = () => {}, signal }: TransferOptions,
): Promise<RowSpool> {
  const { counts, dimensions, segments } = generation;
  const ordinals = readOrder(service, generation, order);
  const starts = ordinalStarts(segments);
  const rows = new RowSpool(join(folder, 'rows.tmp'), counts.passages, dimensions);
  let done = 0;
  const download = async (first: number) => {
    const places = new Map<string, { ordinal: number; segment: string }>();
    for (let ordinal = first; ordinal < Math.min(first + MOST_READ, ordinals.length); ordinal++) {
      const there = ordinals[ordinal]!;
      const index = starts.findLastIndex((start) => start <= there);
      const segment = segments[index]!.id;
      places.set(vectorKey(segment, there - starts[index]!), { ordinal, segment });
    }
    for (const { key, vector, metadata } of await service.getVectors([...places.keys()])) {
      const { ordinal, segment } = places.get(key)!;
      places.delete(key);
      if (vector.length !== dimensions) throw damagedInS3(key, `its vector has ${vector.length} dimensions`);
      const place = readPlace(metadata, key);
      const row =
        'bytes' in place
          ? place.bytes
          : await service.getRange(segmentObject(segment, OBJECTS.longRows), place.start, place.length);
      decodeRow(row, dimensions, key);
      rows.set(ordinal, row, vector);
    }
    const [missing] = places.keys();
    if (missing !== undefined) throw damagedInS3(`row ${missing}`, 'it is missing');
    done += MOST_READ;
    progress({ phase: 'downloading', unit: 'passages', done: Math.min(done, rows.count), total: rows.count });
  };
  function* downloads() {
    for (let first = 0; first < ordinals.length; first += MOST_READ) yield () => download(first);
  }
  await inParallel(downloads(), PARALLEL, signal);
  return rows;
}

function readOrder(service: Service, { generation, counts, segments }: Generation, order: Uint8Array) {
  const name = service.nameOf(generationObject(generation, OBJECTS.order));
  const [section] = readSections(order, ORDER, name) as [Uint8Array];
  const end = ordinalStarts(segments).at(-1)!;
  const isWhole = section.length === 4 * counts.passages;
  const ordinals = isWhole ? new Uint32Array(Uint8Array.from(section).buffer) : undefined;
  if (!ordinals?.every((ordinal) => ordinal < end))
    throw damagedInS3(name, `it does not have ${counts.passages} ordinals below ${end}`);
  return ordinals;
}
