import { isUtf8 } from 'node:buffer';
import type { Notice } from './file.ts';

/** The file that bytes are from. */
interface Origin {
  path: string;
  report: (notice: Notice) => void;
}

/** Decodes a file. `declared` finds the name of an encoding in its first bytes, given as Latin-1. */
export function decode(
  bytes: Buffer,
  origin: Origin,
  _declared?: (start: string) => string | undefined,
): string {
  return decodeUtf8(bytes, origin.path);
}

/** Decodes a file piece by piece. */
export async function* decodeStream(
  bytes: AsyncIterable<Uint8Array>,
  origin: Origin,
  declared?: (start: string) => string | undefined,
): AsyncGenerator<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  yield decode(Buffer.concat(chunks), origin, declared);
}

/**
 * Decodes UTF-8 bytes, without a byte order mark at their start.
 * @param place of the bytes, for the error: a file, or `file:line`
 * @param offset of the bytes in their file
 * @throws naming the first byte that is not UTF-8
 */
export function decodeUtf8(bytes: Buffer, place: string, offset = 0): string {
  const text = bytes.toString('utf8');
  if (!isUtf8(bytes)) {
    const at = offset + firstInvalid(bytes, Buffer.from(text));
    throw new Error(`${place}: not UTF-8 at byte ${at} of the file. Save it as UTF-8.`);
  }
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Decoding replaced invalid bytes by U+FFFD, so the first difference is inside the first invalid sequence. */
function firstInvalid(bytes: Buffer, decoded: Buffer): number {
  let at = 0;
  while (at < bytes.length && bytes[at] === decoded[at]) at++;
  while (at > 0 && (decoded[at]! & 0xc0) === 0x80) at--;
  return at;
}
