import { crc32 } from 'node:zlib';
import { type Entry, fromBufferPromise, fromFdPromise, type ZipFile } from 'yauzl';
import { Unreadable } from '../file.ts';
import type { Input } from '../input.ts';
import { COMMENT_LENGTH_AT, findZipEnd } from '../zip-end.ts';
import { damaged } from './decompress.ts';
import { MAX_ENTRIES } from './inflation.ts';
import type { Spool } from './spool.ts';
import { decodeNames, type RawName } from './zip-names.ts';

/** The names and comments of a zip file may take this much memory. */
const MAX_DIRECTORY_BYTES = 64 * 2 ** 20;
/** Bytes at the end of the file that may contain the end of its directory. */
const MAX_TRAILER_BYTES = 2 ** 20;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
const UTF8_FLAG = 1 << 11;
const UNICODE_PATH = 0x7075;
const UNIX_TYPE = 0o170000;
const UNIX_LINK = 0o120000;

/** A file in a zip file. */
export interface ZipEntry {
  name: string;
  /** Streams the content, and counts its bytes. */
  open(): AsyncIterable<Uint8Array>;
}

/**
 * Lists the files of a zip file by name. Leaves out folders and links. Reports a directory that is damaged after some entries.
 * @throws Unreadable if it is not a zip file
 */
export async function zipEntries(input: Input, spool: Spool): Promise<ZipEntry[]> {
  const options = { lazyEntries: true, decodeStrings: false, validateEntrySizes: false, autoClose: false };
  const content = await withoutTrailer(spool.content);
  const zip = await (Buffer.isBuffer(content)
    ? fromBufferPromise(content, options)
    : fromFdPromise(content.fd, options)
  ).catch((error) => {
    throw damaged(input.path, error);
  });
  const entries = await listEntries(input, zip);
  const overlapping = overlaps(entries);
  const names = await decodeNames(entries.map(rawName));
  return entries
    .map((entry, i) => {
      const path = `${input.path}/${names[i]}`;
      const count = input.inflation.counter(path);
      return {
        name: names[i]!,
        open: () => openEntry(input, zip, entry, path, count, overlapping.has(entry)),
      };
    })
    .filter(({ name }, i) => !/[/\\]$/.test(name) && !isLink(entries[i]!))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The file without its comment and what follows, which the parser may reject. Truncates a temporary file. */
async function withoutTrailer(content: Spool['content']): Promise<Spool['content']> {
  const size = Buffer.isBuffer(content) ? content.length : (await content.stat()).size;
  const start = Math.max(0, size - MAX_TRAILER_BYTES);
  const tail = Buffer.isBuffer(content)
    ? content.subarray(start)
    : (await content.read(Buffer.alloc(size - start), 0, size - start, start)).buffer;
  const end = findZipEnd(tail, start);
  if (end === undefined) return content;
  const comment = end + COMMENT_LENGTH_AT;
  tail.writeUInt16LE(0, comment);
  if (Buffer.isBuffer(content)) return content.subarray(0, start + comment + 2);
  await content.write(tail, comment, 2, start + comment);
  await content.truncate(start + comment + 2);
  return content;
}

async function listEntries(input: Input, zip: ZipFile): Promise<Entry[]> {
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
    if (error instanceof Unreadable || entries.length === 0) throw damaged(input.path, error);
    input.report(damaged(input.path, error).notice);
  }
  return entries;
}

/** Entries that begin before the previous one ends. Zip bombs consist of them. */
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

function rawName(entry: Entry): RawName {
  // The field starts with a version and a checksum.
  const unicode = entry.extraFields.find(({ id, data }) => id === UNICODE_PATH && data.length > 5);
  if (unicode) return { bytes: unicode.data.subarray(5), utf8: true };
  return { bytes: entry.fileNameRaw, utf8: (entry.generalPurposeBitFlag & UTF8_FLAG) !== 0 };
}

function isLink({ externalFileAttributes }: Entry): boolean {
  return ((externalFileAttributes >>> 16) & UNIX_TYPE) === UNIX_LINK;
}

async function* openEntry(
  input: Input,
  zip: ZipFile,
  entry: Entry,
  path: string,
  count: (stream: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
  overlapping: boolean,
): AsyncGenerator<Uint8Array> {
  if (entry.isEncrypted())
    throw input.failure('encrypted', 'Make the archive without a password and build again.', path);
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
    throw input.failure('unknown compression', 'Extract the archive and index the folder.', path);
  if (overlapping) throw damaged(path, 'its data overlaps that of another file');
  let sum = 0;
  try {
    const stream = await zip.openReadStreamPromise(entry);
    for await (const chunk of count(stream)) {
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (error) {
    throw damaged(path, error);
  }
  if (sum !== entry.crc32) throw damaged(path, 'its checksum differs');
}
