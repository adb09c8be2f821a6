import type { FileChecks } from './checks.ts';
import type { Format } from './container.ts';
import { ContainerFile, ContainerWriter } from './container-file.ts';
import type { Scalar } from './passage.ts';
import { readAscending, readList, writeAscending } from './varint.ts';

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
export function lookupWriter(path: string, records: number) {
  const slots = Math.ceil(records * SLOTS) + 1;
  const table = new DataView(new ArrayBuffer(slots * SLOT));
  const file = new ContainerWriter(path, LOOKUP, [table.byteLength]);
  let offset = 0;
  return {
    /** Adds a record. No two have the same key. */
    add(key: string, data: Uint8Array): void {
      const keyBytes = Buffer.from(key);
      const head = Buffer.concat([keyBytes, data].map(({ length }) => writeAscending([length])));
      const hash = hashOf(keyBytes);
      let slot = hash % slots;
      // An empty slot has offset 0, so offsets are stored plus one.
      while (table.getUint32(slot * SLOT + 4, true) !== 0) slot = (slot + 1) % slots;
      table.setUint32(slot * SLOT, hash, true);
      table.setUint32(slot * SLOT + 4, offset + 1, true);
      for (const part of [head, keyBytes, data]) file.append(part);
      offset += head.length + keyBytes.length + data.length;
      if (offset >= 2 ** 32 - 1)
        throw new Error(
          'The postings exceed 4 GiB, the most that an index addresses. Split the documents into several indexes.',
        );
    },
    finish: () => file.finish([table]),
  };
}

/** An open `lookup.bin`. A lookup takes two short reads, for any size of file. Throws for damaged records. */
export class Lookup {
  readonly #file: ContainerFile;
  readonly #reader: LookupReader;

  /** @param passages of the index, the bound of all ordinals */
  constructor(path: string, passages: number, checks?: FileChecks) {
    this.#file = new ContainerFile(path, LOOKUP, checks);
    const lengths = [this.#file.length(0), this.#file.length(1)] as const;
    const damaged = (problem: string) => this.damaged(problem);
    try {
      this.#reader = new LookupReader({ lengths, passages, damaged });
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

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

  damaged(problem: string): Error {
    return this.#file.damaged(problem);
  }

  close(): void {
    this.#file.close();
  }
}

/** Bytes of a slot of the table: a hash, and the place of a record plus one (u32 each). */
const SLOT = 8;
/** Bytes in the first read of a record, enough for most keys and their data. */
const GUESS = 512;
/** Slots per read. A lookup rarely needs more. */
const PROBED = 8;

/** The bytes `[start, start + length)` of a section, or fewer at its end. */
interface Part {
  section: number;
  start: number;
  length: number;
}

/** An open `lookup.bin`, wherever its bytes are. */
interface LookupLayout {
  /** Bytes of each of the two sections. */
  lengths: readonly [table: number, records: number];
  /** The bound of all ordinals. */
  passages: number;
  damaged: (problem: string) => Error;
}

/**
 * Finds records in a `lookup.bin`. It yields the parts of the file that it needs, so that the caller can read them synchronously or not.
 * Throws for damaged records.
 */
export class LookupReader {
  readonly #layout: LookupLayout;
  readonly #slots: number;

  constructor(layout: LookupLayout) {
    this.#layout = layout;
    const [table] = layout.lengths;
    this.#slots = table / SLOT;
    if (this.#slots < 1 || !Number.isInteger(this.#slots))
      throw layout.damaged(`its table has ${table} bytes, but each slot has ${SLOT}`);
  }

  *find(key: string): Generator<Part, Buffer | undefined, Buffer> {
    const keyBytes = Buffer.from(key);
    const hash = hashOf(keyBytes);
    let slot = hash % this.#slots;
    for (let tried = 0; tried < this.#slots; ) {
      const block = yield { section: 0, start: slot * SLOT, length: PROBED * SLOT };
      for (let at = 0; at < block.length; at += SLOT, tried++) {
        const offset = block.readUInt32LE(at + 4);
        if (offset === 0) return undefined;
        const data = block.readUInt32LE(at) === hash ? yield* this.#record(offset - 1, keyBytes) : undefined;
        if (data) return data;
      }
      slot = (slot + block.length / SLOT) % this.#slots;
    }
    return undefined;
  }

  /** The list of ordinals at the start of a record, ascending, and the bytes after it. */
  list(data: Buffer): { ordinals: Uint32Array; rest: Buffer } {
    const list = readList(data, 0);
    // Keys are words of questions, which must not reach logs. So errors do not name them.
    if (!list) throw this.#layout.damaged('a list of passages runs past its record');
    this.#checkOrdinals(list.values);
    return { ordinals: list.values, rest: data.subarray(list.end) };
  }

  ordinal(data: Buffer): number {
    const number = readAscending(data, 0, 1);
    if (!number) throw this.#layout.damaged('an ordinal runs past its record');
    this.#checkOrdinals(number.values);
    return number.values[0]!;
  }

  /** Ordinals ascend, so the last one is the largest. */
  #checkOrdinals(ordinals: Uint32Array): void {
    const { passages, damaged } = this.#layout;
    const largest = ordinals.at(-1) ?? -1;
    if (ordinals.length > passages || largest >= passages)
      throw damaged(`a record has ${ordinals.length} passages up to ${largest} of ${passages}`);
  }

  *#record(offset: number, key: Buffer): Generator<Part, Buffer | undefined, Buffer> {
    const { lengths, damaged } = this.#layout;
    const first = yield { section: 1, start: offset, length: GUESS };
    const keyLength = readAscending(first, 0, 1);
    const dataLength = keyLength && readAscending(first, keyLength.end, 1);
    if (!dataLength) throw damaged(`the record at byte ${offset} has no lengths`);
    const dataStart = dataLength.end + keyLength.values[0]!;
    const end = dataStart + dataLength.values[0]!;
    if (offset + end > lengths[1]) throw damaged(`the record at byte ${offset} runs past its section`);
    // Most records whose hash is that of the key have the key. So the whole record is read before the keys are compared.
    const record = end <= first.length ? first : yield { section: 1, start: offset, length: end };
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
