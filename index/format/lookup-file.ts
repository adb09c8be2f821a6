import { type Format, writeSections } from './container.ts';
import { SectionsFile } from './container-file.ts';
import type { Scalar } from './passage.ts';
import { readAscending, writeAscending } from './varint.ts';

/** `lookup.bin`: from a key to the bytes kept under it. FORMAT.md beside this file has its layout. */
export const LOOKUP: Format = { magic: 'PSLK', version: 2, sections: 2 };

const SLOT = 8;
/** Slots for each key: more make the file larger, fewer make keys stand further from their slot. */
const SLOTS = 4 / 3;
/** Bytes read of a record at first: enough for most keys with their data. */
const GUESS = 512;
/** Slots read at once; probing rarely goes further. */
const PROBED = 8;

/** What the keys are, by their first character. */
export const KEYS = {
  /** A word, or a part of one: its postings. */
  term: 't',
  /** A field and its value, with a zero character between: the passages that have it. */
  field: 'f',
  /** A passage's id: its ordinal. */
  id: 'i',
  /** What the index holds at a glance, for who has not asked yet; alone under its letter. */
  overview: 'o',
} as const;

/** The key of a field's value. Language tags are the same in upper and lower case (RFC 5646, section 2.1.1). */
export function fieldKey(field: string, value: Scalar): string {
  return `${KEYS.field}${field}\0${field === 'lang' ? String(value).toLowerCase() : value}`;
}

/** The bytes of a `lookup.bin` with these records. */
export function writeLookup(records: Map<string, Uint8Array>): Uint8Array {
  const slots = Math.ceil(records.size * SLOTS) + 1;
  const table = new DataView(new ArrayBuffer(slots * SLOT));
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [key, data] of records) {
    const keyBytes = Buffer.from(key);
    const head = Buffer.concat([keyBytes, data].map(({ length }) => writeAscending([length])));
    const hash = hashOf(keyBytes);
    let slot = hash % slots;
    // An empty slot has offset 0, so offsets are stored plus one.
    while (table.getUint32(slot * SLOT + 4, true) !== 0) slot = (slot + 1) % slots;
    table.setUint32(slot * SLOT, hash, true);
    table.setUint32(slot * SLOT + 4, offset + 1, true);
    parts.push(head, keyBytes, data);
    offset += head.length + keyBytes.length + data.length;
    if (offset >= 2 ** 32 - 1)
      throw new Error(
        'The postings exceed 4 GiB, the most that an index addresses: split the documents into several.',
      );
  }
  return writeSections(LOOKUP, [new Uint8Array(table.buffer), Buffer.concat(parts)]);
}

/** An open `lookup.bin`; a key costs two short reads, however large the file. */
export class Lookup {
  readonly #file: SectionsFile;

  constructor(path: string) {
    this.#file = new SectionsFile(path, LOOKUP);
  }

  /** The bytes under a key, or undefined. */
  get(key: string): Buffer | undefined {
    const keyBytes = Buffer.from(key);
    const hash = hashOf(keyBytes);
    const slots = this.#file.length(0) / SLOT;
    let slot = hash % slots;
    for (let tried = 0; tried < slots; ) {
      const block = this.#file.read(0, slot * SLOT, PROBED * SLOT);
      for (let at = 0; at < block.length; at += SLOT, tried++) {
        const offset = block.readUInt32LE(at + 4);
        if (offset === 0) return undefined;
        const data = block.readUInt32LE(at) === hash ? this.#record(offset - 1, keyBytes) : undefined;
        if (data) return data;
      }
      slot = (slot + block.length / SLOT) % slots;
    }
    return undefined;
  }

  close(): void {
    this.#file.close();
  }

  #record(offset: number, key: Buffer): Buffer | undefined {
    const first = this.#file.read(1, offset, GUESS);
    const keyLength = readAscending(first, 0, 1);
    const dataLength = readAscending(first, keyLength.end, 1);
    const dataStart = dataLength.end + keyLength.values[0]!;
    const end = dataStart + dataLength.values[0]!;
    const record = end <= first.length ? first : this.#file.read(1, offset, end);
    return record.subarray(dataLength.end, dataStart).equals(key)
      ? record.subarray(dataStart, end)
      : undefined;
  }
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo; RFC 9923). */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
