import { Lru } from '../../kit/lru.ts';
import type { Client } from './client.ts';
import { damagedInS3, OBJECTS, parseVectorKey, segmentObject } from './objects.ts';
import { decodeRow, type RowContent, readPlace } from './row.ts';

/** Bytes of cached rows: some thousand rows. */
const MOST_BYTES = 32 << 20;
/** Long rows up to this many bytes are read. Passages have far fewer. */
const LONGEST_ROW = 16 << 20;

/** A row in memory. */
export interface CachedRow {
  content: RowContent;
  /** Its vector, if that was read. */
  vector?: Float32Array | undefined;
}

/** A long row that is not read yet. */
type LongRow = Pick<CachedRow, 'vector'> & { place: { start: number; length: number } };

/** Rows of S3 Vectors by their vectors' keys. Rows never change, so all generations share it. */
export class RowCache {
  readonly dimensions: number;
  readonly #client: Pick<Client, 'get' | 'objects'>;
  readonly #rows = new Lru<CachedRow | LongRow>(MOST_BYTES);

  constructor(client: Pick<Client, 'get' | 'objects'>, dimensions: number) {
    this.#client = client;
    this.dimensions = dimensions;
  }

  /** Adds a row that a query returned. */
  add(key: string, metadata: unknown): void {
    if (!this.#rows.get(key)) this.#set(key, this.#decode(key, metadata));
  }

  /**
   * The rows under keys, without those that do not exist. Reads those that are not cached: all at the same time, and then long ones.
   * @param withVector keys of the rows that must have their vectors
   */
  async read(keys: readonly string[], withVector: ReadonlySet<string>): Promise<Map<string, CachedRow>> {
    const known = new Map(keys.map((key) => [key, this.#rows.get(key)]));
    const missing = [...known.keys()].filter((key) => {
      const row = known.get(key);
      return !row || (withVector.has(key) && !row.vector);
    });
    const withVectors = missing.some((key) => withVector.has(key));
    for (const { key, metadata, vector } of await this.#client.get(missing, withVectors)) {
      if (withVectors && vector?.length !== this.dimensions)
        throw damagedInS3(key, `its vector has ${vector?.length ?? 0} of ${this.dimensions} dimensions`);
      known.set(key, { ...this.#decode(key, metadata), vector });
    }
    const rows = await Promise.all(
      Array.from(known, async ([key, row]): Promise<[string, CachedRow][]> => {
        if (!row) return [];
        const content = 'place' in row ? await this.#readLong(key, row) : row.content;
        const complete = { content, vector: row.vector };
        this.#set(key, complete);
        return [[key, complete]];
      }),
    );
    return new Map(rows.flat());
  }

  #decode(key: string, metadata: unknown): CachedRow | LongRow {
    const place = readPlace(metadata, key);
    return 'bytes' in place ? { content: decodeRow(place.bytes, this.dimensions, key) } : { place };
  }

  async #readLong(key: string, { place }: LongRow): Promise<RowContent> {
    const found = parseVectorKey(key);
    if (!found || place.length > LONGEST_ROW) throw damagedInS3(key, 'the place of its row is invalid');
    const object = segmentObject(found.segment, OBJECTS.longRows);
    const { bytes } = await this.#client.objects.get(object, { range: place });
    return decodeRow(bytes, this.dimensions, key);
  }

  #set(key: string, row: CachedRow | LongRow): void {
    const ofContent = 'content' in row ? sizeOf(row.content) : 0;
    this.#rows.set(key, row, ofContent + (row.vector?.byteLength ?? 0) + key.length);
  }
}

/** About how many bytes a row has in memory. */
function sizeOf({ passage: { text, title, metadata }, sentences, blocks }: RowContent): number {
  const ofPassage =
    1000 + 2 * (text.length + title.length) + (metadata ? JSON.stringify(metadata).length : 0);
  return ofPassage + sentences.length + blocks.length;
}
