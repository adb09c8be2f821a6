import type { FileChecks } from './block-checks.ts';
import type { Format } from './container.ts';
import { ContainerFile } from './container-file.ts';
import { ContainerWriter } from './container-writer.ts';
import { hashOf, LookupReader, SLOT } from './lookup-reader.ts';
import type { Scalar } from './passage.ts';
import { writeAscending } from './varint.ts';

/** `lookup.bin`: a hash table from keys to bytes. FORMAT.md describes its layout. */
export const LOOKUP: Format = { magic: 'PSLK', version: 2, sections: 2 };

/** Slots for each key: more make the file larger, fewer lengthen the search for a free slot. */
const SLOTS = 4 / 3;

/** The first character of a key is the kind of its data. */
export const KEYS = {
  /** A word, or a part of one: its postings. */
  term: 't',
  /** A field and its value, separated by a zero character: the passages with this value. */
  field: 'f',
  /** A passage's id: its ordinal. */
  id: 'i',
  /** The `group` of passages with the same or nearly the same text: their ordinals. */
  duplicates: 'd',
  /** A summary of the index. This letter is the whole key. */
  overview: 'o',
} as const;

/** The key of a field's value. Language tags ignore case (RFC 5646, section 2.1.1). */
export function fieldKey(field: string, value: Scalar): string {
  return `${KEYS.field}${field}\0${field === 'lang' ? String(value).toLowerCase() : value}`;
}

/** Writes a `lookup.bin`, record by record. Its bytes depend on the order. */
export class LookupWriter {
  readonly #file: ContainerWriter;
  readonly #table: DataView;
  readonly #slots: number;
  #offset = 0;

  /** @param records how many will be added */
  constructor(path: string, records: number) {
    this.#slots = Math.ceil(records * SLOTS) + 1;
    this.#table = new DataView(new ArrayBuffer(this.#slots * SLOT));
    this.#file = new ContainerWriter(path, LOOKUP, [this.#table.byteLength]);
  }

  /** Adds a record. No two have the same key. */
  add(key: string, data: Uint8Array): void {
    const keyBytes = Buffer.from(key);
    const head = Buffer.concat([keyBytes, data].map(({ length }) => writeAscending([length])));
    const hash = hashOf(keyBytes);
    let slot = hash % this.#slots;
    // An empty slot has offset 0, so offsets are stored plus one.
    while (this.#table.getUint32(slot * SLOT + 4, true) !== 0) slot = (slot + 1) % this.#slots;
    this.#table.setUint32(slot * SLOT, hash, true);
    this.#table.setUint32(slot * SLOT + 4, this.#offset + 1, true);
    for (const part of [head, keyBytes, data]) this.#file.append(part);
    this.#offset += head.length + keyBytes.length + data.length;
    if (this.#offset >= 2 ** 32 - 1)
      throw new Error(
        'The postings exceed 4 GiB, the most that an index addresses. Split the documents into several indexes.',
      );
  }

  finish(): void {
    this.#file.finish([this.#table]);
  }
}

/** An open `lookup.bin`. A lookup takes two short reads, for any size of file. Throws for damaged records. */
export class Lookup {
  readonly #file: ContainerFile;
  readonly #reader: LookupReader;

  /** @param passages of the index, the bound of all ordinals */
  constructor(path: string, passages: number, checks?: FileChecks) {
    this.#file = new ContainerFile(path, LOOKUP, checks);
    try {
      this.#reader = new LookupReader({
        lengths: [this.#file.length(0), this.#file.length(1)],
        passages,
        damaged: (problem) => this.damaged(problem),
      });
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** The bytes under a key, or undefined. */
  get(key: string): Buffer | undefined {
    const search = this.#reader.find(key);
    let step = search.next();
    while (!step.done) {
      const { section, start, length } = step.value;
      step = search.next(this.#file.read(section, start, length));
    }
    return step.value;
  }

  /** The list of ordinals under a key, ascending, and the bytes after it; undefined if the key is absent. */
  list(key: string): { ordinals: Uint32Array; rest: Buffer } | undefined {
    const data = this.get(key);
    return data && this.#reader.list(data);
  }

  /** The ordinal of the passage with this id, or undefined. */
  ordinal(id: string): number | undefined {
    const data = this.get(KEYS.id + id);
    return data && this.#reader.ordinal(data);
  }

  /** The error for a record that contradicts the format. */
  damaged(problem: string): Error {
    return this.#file.damaged(problem);
  }

  close(): void {
    this.#file.close();
  }
}
