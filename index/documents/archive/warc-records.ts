import { ByteReader } from './byte-reader.ts';
import { readHeaders } from './headers.ts';

/** A record of a web archive (ISO 28500). */
export interface WarcRecord {
  /** Names are in lower case. */
  headers: Map<string, string>;
  /** Streams the content, once, before the next record is read. */
  content: AsyncIterable<Uint8Array>;
}

/**
 * Streams the records of a WARC file that is not compressed.
 * @throws if it is not one, or ends in a record
 */
export async function* warcRecords(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<WarcRecord> {
  const reader = new ByteReader(bytes);
  for (;;) {
    const line = (await reader.line(1024))?.toString('latin1');
    if (line === undefined) return;
    if (line.trim() === '') continue;
    if (!/^WARC\/\d\.\d\s*$/.test(line)) throw new Error('a record does not begin with WARC/');
    const headers = await readHeaders(reader);
    const length = Number(headers.get('content-length'));
    if (!Number.isSafeInteger(length) || length < 0) throw new Error('a record has no length');
    const counted = countBytes(reader.block(length));
    yield { headers, content: counted.bytes };
    for await (const chunk of reader.block(length - counted.length())) counted.add(chunk.length);
    if (counted.length() < length) throw new Error('it ends in a record');
  }
}

/** Counts the bytes that are read, since the reader of a record may stop early. */
function countBytes(stream: AsyncIterable<Uint8Array>) {
  let length = 0;
  const bytes = async function* () {
    for await (const chunk of stream) {
      length += chunk.length;
      yield chunk;
    }
  };
  return { bytes: bytes(), length: () => length, add: (count: number) => (length += count) };
}
