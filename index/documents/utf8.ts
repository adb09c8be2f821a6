import { isUtf8 } from 'node:buffer';

/**
 * The text of some UTF-8 bytes, without a byte order mark at their start.
 * `name` and `offset` say in an error where the bytes stand: which file, and how far into it.
 * @throws Error naming the first byte that is not UTF-8.
 */
export function decodeUtf8(bytes: Buffer, name: string, offset = 0): string {
  const text = bytes.toString('utf8');
  if (!isUtf8(bytes)) {
    const at = offset + firstInvalid(bytes, Buffer.from(text));
    throw new Error(
      `${name} is not UTF-8 text: the bytes at offset ${at} are no character. Save it as UTF-8.`,
    );
  }
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Decoding put U+FFFD where bytes were invalid, so the first difference lies within the first such character. */
function firstInvalid(bytes: Buffer, decoded: Buffer): number {
  let at = 0;
  while (at < bytes.length && bytes[at] === decoded[at]) at++;
  while (at > 0 && (decoded[at]! & 0xc0) === 0x80) at--;
  return at;
}
