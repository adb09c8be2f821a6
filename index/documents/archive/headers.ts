import type { ByteReader } from './byte-reader.ts';

/** The headers of a record or a response may take this many bytes. */
const MAX_HEADER_BYTES = 256 * 2 ** 10;

/**
 * Reads headers up to the blank line after them. Names are in lower case. The first header of a name counts.
 * @throws if they are too long, or the stream ends in them
 */
export async function readHeaders(reader: ByteReader): Promise<Map<string, string>> {
  const headers = new Map<string, string>();
  let bytes = 0;
  let last = '';
  for (;;) {
    const line = await reader.line(MAX_HEADER_BYTES);
    bytes += line?.length ?? 0;
    if (line === undefined) throw new Error('it ends in a header');
    if (bytes > MAX_HEADER_BYTES) throw new Error('a header is too long');
    const text = line.toString('utf8').trimEnd();
    if (text === '') return headers;
    const colon = text.indexOf(':');
    if (/^[ \t]/.test(text)) headers.set(last, `${headers.get(last) ?? ''} ${text.trim()}`);
    else if (colon > 0) {
      last = text.slice(0, colon).trim().toLowerCase();
      if (!headers.has(last)) headers.set(last, text.slice(colon + 1).trim());
    }
  }
}
