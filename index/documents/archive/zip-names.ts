import { isUtf8 } from 'node:buffer';
import { decode } from 'iconv-lite';
import { detectEncoding } from '../encoding/detect.ts';

/** An entry's name as bytes, and whether the archive says that they are UTF-8. */
export interface RawName {
  bytes: Buffer;
  utf8: boolean;
}

/** The encodings of East Asian versions of Windows. Elsewhere, names are in code page 437 or UTF-8. */
const EAST_ASIAN = new Set(['Shift_JIS', 'GB18030', 'Big5', 'EUC-KR']);

/**
 * Decodes the names in a zip file. Programs often do not name the encoding: it is UTF-8 if the bytes are, else detected from all
 * names, else code page 437, as the format defines.
 */
export function decodeNames(names: readonly RawName[]): string[] {
  const unknown = names.filter(({ bytes, utf8 }) => !utf8 && !isUtf8(bytes)).map(({ bytes }) => bytes);
  const detected = unknown.length === 0 ? null : detectEncoding(Buffer.concat(unknown).subarray(0, 2 ** 16));
  const encoding = detected !== null && EAST_ASIAN.has(detected) ? detected : 'cp437';
  return names.map(({ bytes, utf8 }) =>
    utf8 || isUtf8(bytes) ? bytes.toString('utf8') : decode(bytes, encoding),
  );
}
