import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeFileAt, type FileList } from '../../../format/checks.ts';
import { headBytes } from '../../../format/container.ts';
import { ContainerWriter } from '../../../format/container-file.ts';
import { fieldKey, KEYS, LookupWriter } from '../../../format/lookup-file.ts';
import { type Passage, withTitle } from '../../../format/passage.ts';
import { InvertedFile, Postings } from '../../../format/postings.ts';
import { writeAscending, writeList } from '../../../format/varint.ts';
import { fieldsOf } from '../../../format/write-index.ts';
import { HASH_BYTES, LONG_ROWS, OBJECTS, placeKey } from '../objects.ts';
import type { RowPlace } from '../row.ts';
import { writeHashes } from './plan.ts';

/**
 * Writes the objects of a segment as files into a folder, row by row. The same rows give the same bytes. Only the terms and the groups
 * of duplicates, and some bytes a row, are in memory.
 */
export class SegmentWriter {
  readonly #folder: string;
  readonly #rows: number;
  readonly #hashes: Uint8Array;
  readonly #postings: Postings;
  readonly #fields: InvertedFile;
  /** The rows of each `group`. */
  readonly #groups = new Map<number, number[]>();
  readonly #places = new Places();
  readonly #long: ContainerWriter;
  #longBytes = 0;
  #added = 0;

  /** @param rows of the segment */
  constructor(folder: string, rows: number) {
    const path = (name: string) => join(folder, name);
    this.#folder = folder;
    this.#rows = rows;
    this.#hashes = new Uint8Array(rows * HASH_BYTES);
    this.#postings = new Postings(path('postings.tmp'));
    this.#fields = new InvertedFile(path('fields.tmp'));
    this.#long = new ContainerWriter(path(OBJECTS.longRows), LONG_ROWS, []);
  }

  /** Adds the next row. */
  add(passage: Passage, hash: Uint8Array): void {
    const row = this.#added++;
    this.#hashes.set(hash, row * HASH_BYTES);
    this.#postings.add(withTitle(passage).text);
    const fields = fieldsOf(passage).map(([field, value]): [string, number] => [fieldKey(field, value), 1]);
    this.#fields.add(row, new Map(fields));
    this.#places.add(passage);
    const { group } = passage;
    if (group !== undefined) this.#groups.set(group, [...(this.#groups.get(group) ?? []), row]);
  }

  /** Adds a row to `long-rows.bin`, and returns its place there. */
  addLong(row: Uint8Array): RowPlace {
    const start = headBytes(LONG_ROWS.sections) + this.#longBytes;
    this.#long.append(row);
    this.#longBytes += row.length;
    return { start, length: row.length };
  }

  /**
   * Writes the files.
   * @param passages all that were added, again
   */
  finish(passages: Iterable<Passage>): FileList {
    const path = (name: string) => join(this.#folder, name);
    this.#writeLookup(path(OBJECTS.lookup), passages);
    writeFileSync(path(OBJECTS.hashes), writeHashes(this.#hashes));
    this.#long.finish([]);
    this.#postings.remove();
    this.#fields.remove();
    const names = [OBJECTS.lookup, OBJECTS.hashes, ...(this.#longBytes > 0 ? [OBJECTS.longRows] : [])];
    return Object.fromEntries(names.map((name) => [name, describeFileAt(path(name))]));
  }

  #writeLookup(path: string, passages: Iterable<Passage>): void {
    const records =
      this.#postings.size + this.#fields.size + this.#groups.size + this.#rows + this.#places.count;
    const lookup = new LookupWriter(path, records);
    for (const [key, data] of this.#postings.records()) lookup.add(key, data);
    for (const { key, ordinals } of this.#fields.lists()) lookup.add(key, writeList(ordinals));
    for (const [group, rows] of this.#groups) lookup.add(KEYS.duplicates + group, writeList(rows));
    const places = new Places();
    let row = 0;
    for (const passage of passages) {
      lookup.add(KEYS.id + passage.id, writeAscending([row]));
      if (places.add(passage)) lookup.add(placeKey(passage.source, passage.position), writeAscending([row]));
      row++;
    }
    lookup.finish();
  }
}

/** Decides which passages get a key for their place in their document. */
class Places {
  /** The last position in each source. */
  readonly #last = new Map<string, number>();
  count = 0;

  /**
   * Whether a passage gets such a key. Those of records (documents with an id) are found by their ids. They would have the same places
   * as other records of their file.
   */
  add({ id, source, position }: Passage): boolean {
    if (id.endsWith(`#${position + 1}`) || position <= (this.#last.get(source) ?? -1)) return false;
    this.#last.set(source, position);
    this.count++;
    return true;
  }
}
