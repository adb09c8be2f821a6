import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { ByteReader } from './byte-reader.ts';
import { decompress } from './decompress.ts';
import { readHeaders } from './headers.ts';
import type { Inflation } from './inflation.ts';

const MAX_LINE_BYTES = 64 * 2 ** 10;
const CHUNK_LINE = /^([0-9a-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n/i;

/** A response as a server sent it. */
export interface HttpResponse {
  status: number;
  headers: Map<string, string>;
  /** Streams the body without its transfer and content encodings. */
  body(): AsyncIterable<Uint8Array>;
}

/**
 * Parses a response, which a crawler recorded.
 * @param path of the page, for errors of the body
 * @throws if it does not begin with a status line and headers
 */
export async function parseResponse(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
  inflation: Inflation,
): Promise<HttpResponse> {
  const reader = new ByteReader(bytes);
  const line = (await reader.line(MAX_LINE_BYTES))?.toString('latin1') ?? '';
  const status = Number(/^HTTP\/\d(?:\.\d)? (\d{3})\b/.exec(line)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) throw new Error('a response has no status line');
  const headers = await readHeaders(reader);
  return { status, headers, body: () => decodeBody(reader, headers, path, inflation) };
}

async function* decodeBody(
  reader: ByteReader,
  headers: Map<string, string>,
  path: string,
  inflation: Inflation,
): AsyncGenerator<Uint8Array> {
  const isChunked = headers.get('transfer-encoding')?.toLowerCase() === 'chunked';
  // Some crawlers record decoded bodies with the headers of encoded ones.
  const chunked = isChunked && CHUNK_LINE.test((await reader.peek(1024)).toString('latin1'));
  const body = new ByteReader(chunked ? dechunk(reader) : reader.block());
  const decoder = decoderOf(headers.get('content-encoding') ?? '', await body.peek(2));
  yield* decoder ? decompress(body.block(), decoder, path, inflation.counter(path)) : body.block();
}

/** RFC 9112, 7.1. */
async function* dechunk(reader: ByteReader): AsyncGenerator<Uint8Array> {
  for (;;) {
    const line = (await reader.line(MAX_LINE_BYTES))?.toString('latin1') ?? '';
    const size = Number.parseInt(CHUNK_LINE.exec(line)?.[1] ?? '', 16);
    if (Number.isNaN(size)) throw new Error('a chunk has no size');
    if (size === 0) return;
    yield* reader.block(size);
    await reader.line(2);
  }
}

function decoderOf(encoding: string, start: Buffer): Transform | undefined {
  switch (encoding.toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return start[0] === 0x1f && start[1] === 0x8b ? createGunzip() : undefined;
    case 'deflate':
      return start.length === 2 && start.readUInt16BE() % 31 === 0 ? createInflate() : createInflateRaw();
    case 'br':
      return createBrotliDecompress();
    default:
      return undefined;
  }
}
