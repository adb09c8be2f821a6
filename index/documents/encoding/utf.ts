/** A byte order mark, and the encoding that it tells. UTF-32 first, since its mark begins with that of UTF-16. */
const MARKS: [encoding: string, bytes: number[]][] = [
  ['UTF-8', [0xef, 0xbb, 0xbf]],
  ['UTF-32LE', [0xff, 0xfe, 0, 0]],
  ['UTF-32BE', [0, 0, 0xfe, 0xff]],
  ['UTF-16LE', [0xff, 0xfe]],
  ['UTF-16BE', [0xfe, 0xff]],
];

/** The encoding that a byte order mark at the start tells, and the length of the mark in bytes. */
export function byteOrderMark(bytes: Buffer): { encoding: string; length: number } | undefined {
  const found = MARKS.find(([, mark]) => mark.every((byte, i) => bytes[i] === byte));
  return found && { encoding: found[0], length: found[1].length };
}

/** Characters that nearly all UTF-16 text consists of, but few if other bytes are read as UTF-16. */
const USUAL =
  /[\t\n\r -~\u00a0-\u024f\u0370-\u077f\u0900-\u0e7f\u2010-\u2026\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]/;

/**
 * UTF-16LE or UTF-16BE, if bytes without a byte order mark are that: some are zero, as in spaces and line ends, and nearly all
 * characters are usual.
 */
export function detectUtf16(bytes: Buffer): 'UTF-16LE' | 'UTF-16BE' | undefined {
  if (bytes.indexOf(0) === bytes.lastIndexOf(0)) return undefined;
  let little = 0;
  let big = 0;
  const length = bytes.length >> 1;
  for (let at = 0; at < 2 * length; at += 2) {
    if (USUAL.test(String.fromCharCode(bytes.readUInt16LE(at)))) little++;
    if (USUAL.test(String.fromCharCode(bytes.readUInt16BE(at)))) big++;
  }
  if (little === big || Math.max(little, big) < length * 0.95) return undefined;
  return little > big ? 'UTF-16LE' : 'UTF-16BE';
}

/** How many characters above ASCII are right in UTF-8, and how many bytes are wrong. */
export function countUtf8(bytes: Buffer): { right: number; wrong: number } {
  let right = 0;
  let wrong = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at]! < 0x80) continue;
    const length = sequenceLength(bytes[at]!);
    let end = at + 1;
    while (end < at + length && (bytes[end]! & 0xc0) === 0x80) end++;
    if (length > 1 && end === at + length) right++;
    else wrong++;
    at = end - 1;
  }
  return { right, wrong };
}

/** The length of the bytes without an incomplete UTF-8 character at their end. */
export function completeUtf8(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) !== 0x80) return sequenceLength(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** The bytes of a character that begins with this byte. 1 for bytes that begin none. */
function sequenceLength(byte: number): number {
  if (byte >= 0xc2 && byte <= 0xdf) return 2;
  if (byte >= 0xe0 && byte <= 0xef) return 3;
  return byte >= 0xf0 && byte <= 0xf4 ? 4 : 1;
}
