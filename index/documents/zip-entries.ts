import { isUtf8 } from 'node:buffer';
import { crc32, createInflateRaw } from 'node:zlib';
import { type Entry, fromBufferPromise, getFileNameLowLevel, type ZipFile } from 'yauzl';
import type { Input } from './input.ts';
import { COMMENT_LENGTH_AT, findZipEnd } from './zip-end.ts';

/** What a zip file may cost. */
export interface ZipLimits {
  /** Most entries. */
  entries: number;
  /** Longest name, in bytes. */
  nameLength: number;
  /** Most bytes that all reads together may inflate. */
  inflated: number;
}

/** The file, for errors, and the limits of its outermost archive. */
type ZipInput = Pick<Input, 'failure' | 'inflation' | 'path'>;

export const ZIP_LIMITS: ZipLimits = { entries: 20_000, nameLength: 1_024, inflated: 256 * 2 ** 20 };

const REPAIR = 'Save it again with the program that made it.';

/**
 * Random access to the entries of a zip file in memory. Inflated bytes are counted as they come, whatever sizes the file declares, and
 * checked against its checksums.
 */
export class ZipEntries {
  /** Names of all entries in the order of the directory, with `/` between parts. Names of folders end in `/`. */
  readonly names: string[];
  readonly #entries: Map<string, Entry>;
  readonly #zip: ZipFile;
  readonly #bytes: Buffer;
  readonly #input: ZipInput;
  #left: number;

  private constructor(
    zip: ZipFile,
    entries: Map<string, Entry>,
    bytes: Buffer,
    input: ZipInput,
    inflated: number,
  ) {
    this.#zip = zip;
    this.#entries = entries;
    this.names = [...entries.keys()];
    this.#bytes = bytes;
    this.#input = input;
    this.#left = inflated;
  }

  /**
   * Reads the directory. Of entries with the same name, the first counts.
   * @param bytes the file; sets the length of its comment to 0
   * @throws Unreadable `damaged` or `too large`
   */
  static async open(bytes: Buffer, input: ZipInput, limits = ZIP_LIMITS): Promise<ZipEntries> {
    const content = withoutTrailer(bytes);
    const entries = new Map<string, Entry>();
    let zip: ZipFile;
    let isOverLimit = false;
    try {
      zip = await fromBufferPromise(content, { decodeStrings: false, validateEntrySizes: false });
      for await (const entry of zip.eachEntry()) {
        isOverLimit = entries.size >= limits.entries || entry.fileNameLength > limits.nameLength;
        if (isOverLimit) break;
        const name = nameOf(entry);
        if (!entries.has(name)) entries.set(name, entry);
      }
    } catch (error) {
      if (/encrypt/.test(String(error))) throw encrypted(input);
      throw input.failure('damaged', REPAIR);
    }
    if (isOverLimit) throw input.failure('too large', 'Store its files without an archive.');
    return new ZipEntries(zip, entries, content, input, limits.inflated);
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * Inflates an entry piece by piece.
   * @param limit most bytes of this entry
   * @param place the entry's name in errors, if it is not that of the zip file
   * @throws Unreadable `damaged`, `encrypted` or `too large`
   */
  async *stream(name: string, limit = Number.POSITIVE_INFINITY, place?: string): AsyncGenerator<Buffer> {
    const entry = this.#entries.get(name);
    if (!entry) throw this.#input.failure('damaged', REPAIR, place);
    if (entry.isEncrypted()) throw encrypted(this.#input, place);
    let length = 0;
    let checksum = 0;
    for await (const chunk of this.#inflate(entry, place)) {
      length += chunk.length;
      this.#left -= chunk.length;
      if (length > limit || this.#left < 0)
        throw this.#input.failure('too large', 'Split it into smaller files.', place);
      this.#input.inflation.add(chunk.length, this.#input.path);
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
    if (checksum !== entry.crc32) throw this.#input.failure('damaged', REPAIR, place);
  }

  /** Inflates an entry as a whole. Parameters and errors are as for `stream`. */
  async read(name: string, limit?: number, place?: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.stream(name, limit, place)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async *#inflate(entry: Entry, place: string | undefined): AsyncGenerator<Buffer> {
    try {
      const { fileDataStart } = await this.#zip.readLocalFileHeaderPromise(entry, { minimal: true });
      const compressed = this.#bytes.subarray(fileDataStart, fileDataStart + entry.compressedSize);
      if (!entry.canDecodeFileData()) throw new Error('unknown compression');
      if (entry.compressionMethod === 0) {
        yield compressed;
        return;
      }
      const inflate = createInflateRaw();
      inflate.end(compressed);
      yield* inflate;
    } catch {
      throw this.#input.failure('damaged', REPAIR, place);
    }
  }
}

function encrypted(input: ZipInput, place?: string): Error {
  return input.failure('encrypted', 'Remove the password and build again.', place);
}

/** The file without its comment and what follows, which the parser may reject. */
function withoutTrailer(bytes: Buffer): Buffer {
  const end = findZipEnd(bytes);
  if (end === undefined) return bytes;
  bytes.writeUInt16LE(0, end + COMMENT_LENGTH_AT);
  return bytes.subarray(0, end + COMMENT_LENGTH_AT + 2);
}

/** Many programs write UTF-8 without the flag for it. Without either, the encoding is code page 437. */
function nameOf(entry: Entry): string {
  const flags = entry.generalPurposeBitFlag | (isUtf8(entry.fileNameRaw) ? 0x800 : 0);
  return getFileNameLowLevel(flags, entry.fileNameRaw, entry.extraFields, false);
}
