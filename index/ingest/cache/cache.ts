import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { HashTable, hash48 } from '../../format/compact.ts';

/** FORMAT.md describes these files. */
const MAGIC = Buffer.from('PSCA\x01\0\0\0', 'latin1');
const EXTENSION = '.cache';
const KEY = 16;
const HEAD = KEY + 12;
const MAX_VALUE = 1 << 28;
/** Bytes read at once to find the next records. Small ones share a read. */
const WINDOW = 4096;
/** New records are written once they have this many bytes. They are what a killed process loses. */
const BATCH = 1 << 18;
/** Bytes of all segments, above which old records are removed, and the share that is kept. */
const MAX_BYTES = 4e9;
const KEPT = 0.5;
/** Segments, above which all but the largest are merged. */
const MAX_SEGMENTS = 16;
/** A segment that was written at most this many ms from now may belong to a process that still runs. A later time is of another clock. */
const RECENT = 600_000;

interface Segment {
  name: string;
  fd: number;
  size: number;
  written: number;
}

interface Place {
  segment: Segment;
  start: number;
  length: number;
  used: boolean;
}

/**
 * Values that are expensive to compute, in a folder, by a hash of what they were computed from. Many processes may use a folder at
 * once: each appends to a file of its own. A value that is damaged, or cannot be written, is missing and nothing else.
 */
export class Cache {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #segments: Segment[] = [];
  readonly #places: Place[] = [];
  readonly #numbers = new HashTable();
  #own: Segment | undefined;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #isWritable: boolean;

  /** @param readOnly forgets new values, and changes nothing on disk */
  constructor(folder: string, maxBytes = MAX_BYTES, readOnly = false) {
    this.#folder = folder;
    this.#isWritable = !readOnly;
    this.#maxBytes = maxBytes;
    for (const segment of openSegments(folder)) {
      this.#segments.push(segment);
      this.#index(segment);
    }
  }

  /** Whether there is a value. It may still be damaged. */
  has(kind: string, key: string | Uint8Array): boolean {
    return this.#numbers.get(hash48(keyOf(kind, key))) !== undefined;
  }

  /** The value of a kind that was computed from these bytes; undefined if it is missing or damaged. */
  get(kind: string, key: string | Uint8Array): Buffer | undefined {
    const hashed = keyOf(kind, key);
    const place = this.#places[this.#numbers.get(hash48(hashed)) ?? -1];
    const value = place && this.#read(place, hashed);
    if (value) place.used = true;
    return value;
  }

  put(kind: string, key: string | Uint8Array, value: Uint8Array): void {
    if (!this.#isWritable || value.length > MAX_VALUE) return;
    this.#append(keyOf(kind, key), value);
  }

  flush(): void {
    if (this.#pending.length === 0) return;
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#own!.fd, bytes, at);
    } catch {
      this.#isWritable = false;
    }
  }

  /** Removes old values if the folder is large, and merges segments if they are many. For the end of a build that succeeded. */
  tidy(): void {
    this.flush();
    const total = this.#segments.reduce((sum, { size }) => sum + size, 0);
    const bySize = this.#segments.toSorted((a, b) => b.size - a.size);
    if (total > this.#maxBytes) this.#rewrite(bySize, this.#newest(this.#maxBytes * KEPT));
    else if (bySize.length > MAX_SEGMENTS) this.#rewrite(bySize.slice(1), new Set(this.#places));
  }

  close(): void {
    this.flush();
    for (const { fd } of this.#segments.splice(0)) closeSync(fd);
    this.#isWritable = false;
  }

  /** The records that this process used, and the newest others up to this many bytes in all. */
  #newest(bytes: number): Set<Place> {
    const byAge = this.#places.toSorted(
      (a, b) => Number(b.used) - Number(a.used) || b.segment.written - a.segment.written || b.start - a.start,
    );
    let total = 0;
    return new Set(
      byAge.filter(({ used, length }) => {
        total += HEAD + length;
        return used || total <= bytes;
      }),
    );
  }

  /** Copies records of segments to a new one, and removes the segments, except those that another process may be writing. */
  #rewrite(segments: readonly Segment[], kept: ReadonlySet<Place>): void {
    const old = new Set(
      segments.filter((segment) => segment === this.#own || Math.abs(Date.now() - segment.written) > RECENT),
    );
    this.#own = undefined;
    for (const [number, place] of this.#places.slice().entries()) {
      if (!old.has(place.segment) || !kept.has(place) || !this.#isWritable) continue;
      const record = readAt(place.segment.fd, place.start - HEAD, HEAD + place.length);
      const key = record?.subarray(0, KEY);
      // A record that was replaced is not copied.
      if (!record || !key || this.#numbers.get(hash48(key)) !== number) continue;
      this.#append(key, record.subarray(HEAD));
    }
    this.flush();
    if (!this.#isWritable) return;
    for (const segment of old) {
      this.#segments.splice(this.#segments.indexOf(segment), 1);
      closeSync(segment.fd);
      try {
        rmSync(join(this.#folder, segment.name), { force: true });
      } catch {
        // Another process may have it open, on Windows. A later build removes it.
      }
    }
  }

  #append(key: Buffer, value: Uint8Array): void {
    const segment = this.#own ?? this.#create();
    if (!segment) return;
    const head = Buffer.alloc(HEAD);
    key.copy(head);
    head.writeUInt32LE(value.length, KEY);
    head.writeUInt32LE(crc32(value), KEY + 4);
    head.writeUInt32LE(crc32(head.subarray(0, KEY + 8)), KEY + 8);
    const place = { segment, start: segment.size + HEAD, length: value.length, used: true };
    this.#numbers.set(hash48(key), this.#places.push(place) - 1);
    this.#pending.push(head, Buffer.from(value));
    this.#pendingBytes += HEAD + value.length;
    segment.size += HEAD + value.length;
    if (this.#pendingBytes >= BATCH) this.flush();
  }

  /** Creates the segment of this process. */
  #create(): Segment | undefined {
    try {
      mkdirSync(this.#folder, { recursive: true });
      const name = `${randomBytes(8).toString('hex')}${EXTENSION}`;
      const fd = openSync(join(this.#folder, name), 'ax+');
      this.#own = { name, fd, size: MAGIC.length, written: Date.now() };
      this.#segments.push(this.#own);
      writeSync(fd, MAGIC);
      return this.#own;
    } catch {
      this.#isWritable = false;
      return undefined;
    }
  }

  /** Finds the records of a segment, up to its first damaged head. */
  #index(segment: Segment): void {
    if (!readAt(segment.fd, 0, MAGIC.length)?.equals(MAGIC)) return;
    let window: Buffer = Buffer.alloc(0);
    let base = 0;
    for (let at = MAGIC.length; at + HEAD <= segment.size; ) {
      if (at < base || at + HEAD > base + window.length) {
        base = at;
        window = readAt(segment.fd, base, Math.min(WINDOW, segment.size - base)) ?? Buffer.alloc(0);
        if (window.length < HEAD) return;
      }
      const head = window.subarray(at - base, at - base + HEAD);
      const length = head.readUInt32LE(KEY);
      const start = at + HEAD;
      if (head.readUInt32LE(KEY + 8) !== crc32(head.subarray(0, KEY + 8)) || start + length > segment.size)
        return;
      this.#numbers.set(hash48(head), this.#places.push({ segment, start, length, used: false }) - 1);
      at = start + length;
    }
  }

  #read({ segment, start, length }: Place, key: Buffer): Buffer | undefined {
    if (segment === this.#own && this.#pending.length > 0) this.flush();
    const record = readAt(segment.fd, start - HEAD, HEAD + length);
    if (!record?.subarray(0, KEY).equals(key)) return undefined;
    const value = record.subarray(HEAD);
    return crc32(value) === record.readUInt32LE(KEY + 4) ? value : undefined;
  }
}

/** The segments of earlier processes and of those that run now, oldest first: a newer value replaces an older one. */
function openSegments(folder: string): Segment[] {
  const open = (name: string): Segment[] => {
    try {
      const fd = openSync(join(folder, name), 'r');
      const { size, mtimeMs } = fstatSync(fd);
      return [{ name, fd, size, written: mtimeMs }];
    } catch {
      // Another process has just removed it.
      return [];
    }
  };
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(EXTENSION));
    return names.flatMap(open).sort((a, b) => a.written - b.written || (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

/** The bytes at a place of a file. Undefined if they cannot be read. */
function readAt(fd: number, start: number, length: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(length);
  try {
    for (let at = 0; at < length; ) {
      const count = readSync(fd, bytes, at, length - at, start + at);
      if (count === 0) return undefined;
      at += count;
    }
    return bytes;
  } catch {
    return undefined;
  }
}

function keyOf(kind: string, key: string | Uint8Array): Buffer {
  return createHash('sha256').update(`${kind}\0`).update(key).digest().subarray(0, KEY);
}
