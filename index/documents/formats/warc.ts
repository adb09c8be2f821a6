import { createGunzip } from 'node:zlib';
import { ByteReader } from '../archive/byte-reader.ts';
import { extensionOf, parseContentType } from '../archive/content-types.ts';
import { damaged, decompress } from '../archive/decompress.ts';
import { Entries } from '../archive/entries.ts';
import { parseResponse } from '../archive/http-response.ts';
import { type Spool, spool } from '../archive/spool.ts';
import { urlName } from '../archive/url-name.ts';
import { warcRecords } from '../archive/warc-records.ts';
import type { Document } from '../document.ts';
import type { Input, Reader } from '../input.ts';

/** Content types of what pages need. */
const PARTS_OF_PAGES = /^(?:image|audio|video|font)\/|^text\/css$|javascript$|^application\/(?:x-)?font/;

/** A page or a file that a crawler recorded. */
interface Capture {
  url: URL;
  contentType: string;
  body(): AsyncIterable<Uint8Array>;
}

/**
 * Reads the pages of a web archive (WARC) in the order of the archive: responses with status 200, and resources. What pages need,
 * such as images, is left out.
 */
export const read: Reader = async function* (input) {
  const entries = new Entries(input);
  const file = new ByteReader(input.open());
  const isCompressed = (await file.peek(2)).equals(Buffer.from([0x1f, 0x8b]));
  const bytes = isCompressed
    ? decompress(file.block(), createGunzip(), input.path, input.inflation.counter(input.path))
    : file.block();
  try {
    for await (const record of warcRecords(bytes)) {
      const capture = await captureOf(input, record.headers, record.content);
      if (capture) yield* readCapture(entries, capture);
    }
  } catch (error) {
    throw damaged(input.path, error);
  }
  entries.finish();
};

async function captureOf(
  { path, inflation, report }: Input,
  headers: Map<string, string>,
  content: AsyncIterable<Uint8Array>,
): Promise<Capture | undefined> {
  const target = headers.get('warc-target-uri')?.replace(/^<(.*)>$/, '$1') ?? '';
  if (!/^https?:/i.test(target) || !URL.canParse(target)) return undefined;
  const url = new URL(target);
  const type = headers.get('warc-type');
  if (type === 'resource')
    return { url, contentType: headers.get('content-type') ?? '', body: () => content };
  if (type !== 'response') return undefined;
  const place = `${path}/${urlName(url)}`;
  const response = await parseResponse(content, place, inflation).catch((error) =>
    report(damaged(place, error).notice),
  );
  if (response?.status !== 200) return undefined;
  return { url, contentType: response.headers.get('content-type') ?? '', body: response.body };
}

async function* readCapture(entries: Entries, { url, contentType, body }: Capture): AsyncGenerator<Document> {
  const name = urlName(url);
  const { type, charset } = parseContentType(contentType);
  if (PARTS_OF_PAGES.test(type)) return;
  let content: Spool | undefined;
  yield* entries.read(name, {
    url: url.href,
    charset,
    extension: extensionOf(type, url.pathname) ?? url.pathname,
    open: async function* () {
      content ??= await spool(body());
      yield* content.open();
    },
  });
  await content?.close();
}
