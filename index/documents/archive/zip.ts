import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import iconv from 'iconv-lite';
import { type Entry, fromBufferPromise, fromFdPromise, type ZipFile } from 'yauzl';
import { detectEncoding, EAST_ASIAN } from '../encoding/detect.ts';
import { damaged, Unreadable } from '../file.ts';
import type { Input } from '../input.ts';
import { MAX_ENTRIES } from './inflation.ts';

/** The names and comments of a zip file may take this much memory. */
const MAX_DIRECTORY_BYTES = 64 * 2 ** 20;
/** Bytes at the end of the file that may contain the end of its directory. */
const MAX_TRAILER_BYTES = 2 ** 20;
const LOCAL_HEADER_BYTES = 30;
const UTF8_FLAG = 1 << 11;
const UNICODE_PATH = 0x7075;
const UNIX_TYPE = 0o170000;
const UNIX_LINK = 0o120000;

const OPTIONS = { lazyEntries: true, decodeStrings: false, validateEntrySizes: false, autoClose: false };

/** The file, for errors, and the limits of its outermost archive. */
type ZipInput = Pick<Input, 'failure' | 'inflation' | 'path' | 'report'>;

/** A file in a zip file. */
interface ZipEntry {
  name: string;
  entry: Entry;
  /** Whether its data overlaps that of another file. Zip bombs consist of such files. */
  overlaps: boolean;
}

/**
 * A zip file: an archive, or the package of a document. Inflated bytes are counted as they come, whatever sizes the file declares, and
 * checked against its checksums.
 */
export class Zip {
  readonly #zip: ZipFile;
  readonly #entries: ZipEntry[];
  /** Of entries with the same name, the first. */
  readonly #byName: Map<string, ZipEntry>;
  readonly #input: ZipInput;
  #left: number;

  private constructor(zip: ZipFile, entries: ZipEntry[], input: ZipInput, inflated: number) {
    this.#zip = zip;
    this.#entries = entries;
    this.#byName = new Map(entries.toReversed().map((entry) => [entry.name, entry]));
    this.#input = input;
    this.#left = inflated;
  }

  /**
   * Reads the directory. Reports one that is damaged after some entries.
   * @param content the file; its comment is cut off, also on disk
   * @param inflated most bytes that all reads together may inflate
   * @throws Unreadable `damaged`, `encrypted` or `too large`
   */
  static async open(
    content: Buffer | FileHandle,
    input: ZipInput,
    inflated = Number.POSITIVE_INFINITY,
  ): Promise<Zip> {
    try {
      const file = await withoutTrailer(content);
      const zip = await (Buffer.isBuffer(file)
        ? fromBufferPromise(file, OPTIONS)
        : fromFdPromise(file.fd, OPTIONS));
      const entries = await listEntries(input, zip);
      const names = await namesOf(entries);
      const overlapping = overlaps(entries);
      const files = entries.map((entry, i) => ({ name: names[i]!, entry, overlaps: overlapping.has(entry) }));
      return new Zip(zip, files, input, inflated);
    } catch (error) {
      if (/encrypt/.test(String(error))) throw encrypted(input);
      throw damaged(input.path, error);
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** The files by name, without folders and links: an archive's order depends on the program that made it. */
  files(): { name: string; open: () => AsyncGenerator<Uint8Array> }[] {
    return this.#entries
      .filter(({ name, entry }) => !/[/\\]$/.test(name) && !isLink(entry))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
      .map((file) => {
        const place = `${this.#input.path}/${file.name}`;
        const count = this.#input.inflation.counter(place);
        return { name: file.name, open: () => count(this.#inflate(file, place)) };
      });
  }

  /**
   * Inflates a part of a document piece by piece.
   * @param limit most bytes of this part
   * @throws Unreadable `damaged`, `encrypted` or `too large`
   */
  async *stream(name: string, limit = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    const file = this.#byName.get(name);
    if (!file) throw damaged(this.#input.path, new Error(`${name} is missing`));
    let length = 0;
    const { path, inflation } = this.#input;
    for await (const chunk of this.#inflate(file, path)) {
      length += chunk.length;
      this.#left -= chunk.length;
      inflation.add(chunk.length, path);
      if (length > limit || this.#left < 0)
        throw this.#input.failure('too large', 'Split it into smaller files.');
      yield chunk;
    }
  }

  /** Inflates a part of a document as a whole. Parameters and errors are as for `stream`. */
  async read(name: string, limit?: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.stream(name, limit)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async *#inflate({ entry, overlaps }: ZipEntry, place: string): AsyncGenerator<Uint8Array> {
    if (entry.isEncrypted()) throw encrypted(this.#input, place);
    if (!entry.canDecodeFileData())
      throw this.#input.failure('unknown compression', 'Extract the archive and index the folder.', place);
    if (overlaps) throw damaged(place, new Error('its data overlaps that of another file'));
    let sum = 0;
    try {
      for await (const chunk of await this.#zip.openReadStreamPromise(entry)) {
        sum = crc32(chunk, sum);
        yield chunk;
      }
    } catch (error) {
      throw damaged(place, error);
    }
    if (sum !== entry.crc32) throw damaged(place, new Error('its checksum differs'));
  }
}

/** The error for a file with a password. */
export function encrypted(input: ZipInput, place = input.path): Unreadable {
  return input.failure('encrypted', 'Remove the password and build again.', place);
}

async function listEntries(input: ZipInput, zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = [];
  let bytes = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      bytes += entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
      if (entries.length >= MAX_ENTRIES || bytes > MAX_DIRECTORY_BYTES)
        throw input.failure('too large', `Split it into archives of at most ${MAX_ENTRIES} files.`);
      entries.push(entry);
    }
  } catch (error) {
    if (error instanceof Unreadable || entries.length === 0) throw error;
    input.report(damaged(input.path, error).notice);
  }
  return entries;
}

/** Entries that begin before the previous one ends. */
function overlaps(entries: readonly Entry[]): Set<Entry> {
  const found = new Set<Entry>();
  let end = 0;
  for (const entry of entries.toSorted(
    (a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader,
  )) {
    const start = entry.relativeOffsetOfLocalHeader;
    if (start < end) found.add(entry);
    end = Math.max(end, start + LOCAL_HEADER_BYTES + entry.fileNameLength + entry.compressedSize);
  }
  return found;
}

function isLink({ externalFileAttributes }: Entry): boolean {
  return ((externalFileAttributes >>> 16) & UNIX_TYPE) === UNIX_LINK;
}

/**
 * The names of entries. Programs often do not name the encoding: it is UTF-8 if the bytes are, else detected from all names, else code
 * page 437, as the format defines.
 */
async function namesOf(entries: readonly Entry[]): Promise<string[]> {
  const names = entries.map((entry) => {
    // The field starts with a version and a checksum.
    const unicode = entry.extraFields.find(({ id, data }) => id === UNICODE_PATH && data.length > 5);
    const bytes = unicode ? unicode.data.subarray(5) : entry.fileNameRaw;
    const flag = unicode !== undefined || (entry.generalPurposeBitFlag & UTF8_FLAG) !== 0;
    return { bytes, isUtf8: flag || isUtf8(bytes) };
  });
  const unknown = names.filter((name) => !name.isUtf8).map(({ bytes }) => bytes);
  const detected = unknown.length === 0 ? '' : await detectEncoding(Buffer.concat(unknown));
  const encoding = EAST_ASIAN.includes(detected) ? detected : 'cp437';
  return names.map((name) =>
    name.isUtf8 ? name.bytes.toString('utf8') : iconv.decode(name.bytes, encoding),
  );
}

/** The file without its comment and what follows, which the parser may reject. Truncates a temporary file. */
async function withoutTrailer(content: Buffer | FileHandle): Promise<Buffer | FileHandle> {
  const size = Buffer.isBuffer(content) ? content.length : (await content.stat()).size;
  const start = Math.max(0, size - MAX_TRAILER_BYTES);
  const tail = Buffer.isBuffer(content)
    ? content.subarray(start)
    : (await content.read(Buffer.alloc(size - start), 0, size - start, start)).buffer;
  const end = findZipEnd(tail, start);
  if (end === undefined) return content;
  tail.writeUInt16LE(0, end - 2);
  if (Buffer.isBuffer(content)) return content.subarray(0, start + end);
  await content.write(tail, end - 2, 2, start + end - 2);
  await content.truncate(start + end);
  return content;
}

const END = Buffer.from('PK\x05\x06', 'latin1');
const END_LENGTH = 22;
const ZIP64_LOCATOR = Buffer.from('PK\x06\x07', 'latin1');
const ZIP64_LOCATOR_LENGTH = 20;

/**
 * Finds the end-of-central-directory record of a zip file: the last one after which its directory ends, else the last one whose
 * directory ends before it. Comments, and bytes that servers append, may contain its signature.
 * @param bytes the last bytes of the file
 * @param start where they start in the file
 * @returns the end of the record in `bytes`, which is after the length of the comment
 */
function findZipEnd(bytes: Buffer, start: number): number | undefined {
  let loose: number | undefined;
  for (let at = bytes.lastIndexOf(END); at !== -1; at = at === 0 ? -1 : bytes.lastIndexOf(END, at - 1)) {
    const end = at + END_LENGTH;
    if (end > bytes.length || end + bytes.readUInt16LE(end - 2) > bytes.length) continue;
    const directoryEnd = bytes.readUInt32LE(at + 12) + bytes.readUInt32LE(at + 16);
    const before = bytes.subarray(Math.max(0, at - ZIP64_LOCATOR_LENGTH), at);
    if (directoryEnd === start + at || before.indexOf(ZIP64_LOCATOR) === 0) return end;
    if (directoryEnd < start + at) loose ??= end;
  }
  return loose;
}
