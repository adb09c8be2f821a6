import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeFileAt, type FileList } from '../../../format/checks.ts';
import { headBytes, writeSections } from '../../../format/container.ts';
import { ContainerWriter } from '../../../format/container-file.ts';
import { fieldKey, KEYS, lookupWriter } from '../../../format/lookup-file.ts';
import { type Passage, withTitle } from '../../../format/passage.ts';
import { InvertedFile, Postings } from '../../../format/postings.ts';
import { writeAscending, writeList } from '../../../format/varint.ts';
import { fieldsOf } from '../../../format/write-index.ts';
import { HASHES, LONG_ROWS, OBJECTS, placeKey } from '../objects.ts';
import type { RowPlace } from '../row.ts';

/**
 * Writes the objects of a segment as files into a folder, row by row. The same rows give the same bytes. Only the terms and the groups
 * of duplicates, and some bytes a row, are in memory.
 */
export class SegmentWriter {
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
