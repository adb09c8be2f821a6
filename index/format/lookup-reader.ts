import { readAscending, readList } from './varint.ts';

/** Bytes of a slot of the table: a hash, and the place of a record plus one (u32 each). */
export const SLOT = 8;
/** Bytes in the first read of a record, enough for most keys and their data. */
const GUESS = 512;
/** Slots per read. A lookup rarely needs more. */
const PROBED = 8;

/** The bytes `[start, start + length)` of a section, or fewer at its end. */
export interface Part {
  section: number;
  start: number;
  length: number;
}

/** An open `lookup.bin`, wherever its bytes are. */
export interface LookupLayout {
  /** Bytes of each of the two sections. */
  lengths: readonly [table: number, records: number];
  /** The bound of all ordinals. */
  passages: number;
  /** The error for content that contradicts the format. */
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

  /** The bytes under a key, or undefined. */
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

  /** The ordinal that a record contains. */
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
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
