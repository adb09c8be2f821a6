import type { Passage } from '../../format/passage.ts';
import { Lru } from '../../kit/lru.ts';
import { Unavailable } from '../store.ts';
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
  vector: Float32Array | undefined;
}

/** What is known of a row: its content, or where a long one is. */
interface Known {
  content?: RowContent;
  place?: { start: number; length: number };
  vector?: Float32Array | undefined;
}

/** Rows of S3 Vectors by their vectors' keys. Rows never change, so all generations share it. */
export class RowCache {
  readonly #client: Pick<Client, 'get' | 'range'>;
  readonly #dimensions: number;
  readonly #rows = new Lru<Known>(MOST_BYTES);

  constructor(client: Pick<Client, 'get' | 'range'>, dimensions: number) {
    this.#client = client;
    this.#dimensions = dimensions;
  }

  /** Adds a row that a query returned. */
  add(key: string, metadata: unknown): void {
    if (!this.#rows.get(key)) this.#set(key, this.#decode(key, metadata));
  }

  /**
   * The rows under keys, which must exist. Reads those that are not cached: all at the same time, and then long ones.
   * @param withVector whether a row must have its vector
   */
  async read(keys: readonly string[], withVector: (key: string) => boolean): Promise<Map<string, CachedRow>> {
    const known = new Map(keys.map((key) => [key, this.#rows.get(key) ?? {}]));
    const isUnknown = (key: string) => !known.get(key)!.content && !known.get(key)!.place;
    const lacksVector = (key: string) => withVector(key) && !known.get(key)!.vector;
    const unknown = [...known.keys()].filter(isUnknown);
    const bare = [...known.keys()].filter((key) => !isUnknown(key) && lacksVector(key));
    const [records, vectors] = await Promise.all([
      this.#get(unknown, { metadata: true, vector: unknown.some(withVector) }),
      this.#get(bare, { metadata: false, vector: true }),
    ]);
    for (const { key, metadata, vector } of records)
      known.set(key, { ...this.#decode(key, metadata), vector });
    for (const { key, vector } of vectors) known.set(key, { ...known.get(key)!, vector });
    const rows = await Promise.all(
      Array.from(known, async ([key, row]): Promise<[string, CachedRow]> => {
        const content = row.content ?? (await this.#readLong(key, row.place));
        this.#set(key, { content, vector: row.vector });
        return [key, { content, vector: row.vector }];
      }),
    );
    return new Map(rows);
  }

  async #get(keys: readonly string[], wanted: { metadata: boolean; vector: boolean }) {
    if (keys.length === 0) return [];
    const found = await this.#client.get(keys, wanted);
    if (found.length < keys.length)
      throw new Unavailable(
        'Rows of this generation of the index were deleted while it was read. Try again: the next request reads the newest one.',
      );
    for (const { key, vector } of found)
      if (wanted.vector && vector?.length !== this.#dimensions)
        throw damagedInS3(key, `its vector has ${vector?.length ?? 0} of ${this.#dimensions} dimensions`);
    return found;
  }

  #decode(key: string, metadata: unknown): Known {
    const place = readPlace(metadata, key);
    return 'bytes' in place ? { content: decodeRow(place.bytes, this.#dimensions, key) } : { place };
  }

  async #readLong(key: string, place: Known['place']): Promise<RowContent> {
    const found = parseVectorKey(key);
    if (!found || !place || place.length > LONGEST_ROW)
      throw damagedInS3(key, 'the place of its row is invalid');
    const object = segmentObject(found.segment, OBJECTS.longRows);
    const bytes = await this.#client.range(object, place.start, place.length);
    return decodeRow(bytes, this.#dimensions, key);
  }

  #set(key: string, row: Known): void {
    const { content, vector } = row;
    const ofContent = content
      ? sizeOf(content.passage) + content.sentences.length + content.blocks.length
      : 0;
    this.#rows.set(key, row, ofContent + (vector?.byteLength ?? 0) + key.length);
  }
}

/** About how many bytes a passage has in memory. */
function sizeOf({ text, title, metadata }: Passage): number {
  return 1000 + 2 * (text.length + title.length) + (metadata ? JSON.stringify(metadata).length : 0);
}
