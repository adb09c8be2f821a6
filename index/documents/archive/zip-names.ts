import { isUtf8 } from 'node:buffer';
import { decode } from 'iconv-lite';
import { detectEncoding, EAST_ASIAN } from '../encoding/detect.ts';

/** An entry's name as bytes, and whether the archive says that they are UTF-8. */
export interface RawName {
  bytes: Buffer;
  utf8: boolean;
}

/**
 * Decodes the names in a zip file. Programs often do not name the encoding: it is UTF-8 if the bytes are, else detected from all
 * names, else code page 437, as the format defines.
 */
export async function decodeNames(names: readonly RawName[]): Promise<string[]> {
  const unknown = names.filter(({ bytes, utf8 }) => !utf8 && !isUtf8(bytes)).map(({ bytes }) => bytes);
  const encoding = unknown.length === 0 ? 'cp437' : await encodingOf(Buffer.concat(unknown));
  return names.map(({ bytes, utf8 }) =>
    utf8 || isUtf8(bytes) ? bytes.toString('utf8') : decode(bytes, encoding),
  );
}

/** Outside East Asia, names are in code page 437 or UTF-8. */
async function encodingOf(names: Buffer): Promise<string> {
  const detected = await detectEncoding(names);
  return EAST_ASIAN.includes(detected) ? detected : 'cp437';
}
