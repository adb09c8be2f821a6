import iconv from 'iconv-lite';
import { CountingDecoder } from './decoder.ts';
import { detectEncoding } from './detect.ts';
import { byteOrderMark, completeUtf8, countUtf8, detectUtf16 } from './utf.ts';

/** The encoding of a file. */
interface Encoding {
  /** A name that iconv-lite or `TextDecoder` knows. */
  name: string;
  /** The bytes of a byte order mark. */
  skip: number;
  guessed: boolean;
}

/** The share of control characters in binary data. Text has nearly none. */
const BINARY = 0.03;
/** If more of the text is invalid, its declaration is wrong. */
const MAX_INVALID = 0.02;

/**
 * The encoding of a file that starts with these bytes: that of a byte order mark, else UTF-16 or an encoding with escapes if they
 * look like it, else as `chooseWithoutMark`. Undefined if they are no text.
 * @param label the declared encoding
 */
export async function chooseEncoding(
  start: Buffer,
  label: string | undefined,
): Promise<Encoding | undefined> {
  const mark = byteOrderMark(start);
  if (mark) return { name: mark.encoding, skip: mark.length, guessed: false };
  const utf16 = detectUtf16(start);
  if (utf16) return encoding(utf16, true);
  if (isBinary(start)) return undefined;
  const declared = label === undefined ? undefined : encodingOf(label);
  if (start.every((byte) => byte < 0x80)) {
    if (declared === 'UTF-7' || declared === 'ISO-2022-JP') return encoding(declared);
    if (hasEscapes(start)) return encoding('ISO-2022-JP', true);
  }
  return chooseWithoutMark(start, label);
}

/**
 * The encoding of a part of a file: UTF-8 if it is that, since other text hardly ever is by chance, else the declared one, else the
 * most probable one.
 */
export async function chooseWithoutMark(part: Buffer, label: string | undefined): Promise<Encoding> {
  const { right, wrong } = countUtf8(part.subarray(0, completeUtf8(part)));
  if (right >= 2 * wrong) return encoding('UTF-8');
  const declared = label === undefined ? undefined : encodingOf(label);
  if (declared && declared !== 'UTF-8' && isValid(part, declared)) return encoding(declared);
  const detected = await detectEncoding(part);
  return encoding(encodingOf(detected) ?? detected, true);
}

function encoding(name: string, guessed = false): Encoding {
  return { name, skip: 0, guessed };
}

/** The encoding that a label means on the web, such as windows-1252 for `latin1`, in iconv-lite's words. */
function encodingOf(label: string): string | undefined {
  const name = label.trim();
  if (/^(?:unicode-1-1-)?utf-?7$/i.test(name)) return 'UTF-7';
  try {
    const { encoding } = new TextDecoder(name);
    if (encoding === 'iso-2022-jp') return 'ISO-2022-JP';
    if (encoding === 'x-mac-cyrillic') return 'maccyrillic';
    if (/^utf/.test(encoding)) return 'UTF-8';
    return encoding.replace(/-i$/, '');
  } catch {
    return iconv.encodingExists(name) ? name : undefined;
  }
}

function isBinary(bytes: Buffer): boolean {
  const controls = bytes.filter(
    (byte) => byte < 0x20 && !(byte >= 8 && byte <= 13) && byte !== 26 && byte !== 27,
  );
  return controls.length > 2 && controls.length > bytes.length * BINARY;
}

/** Whether ASCII text has the escapes to and from Japanese characters. */
function hasEscapes(bytes: Buffer): boolean {
  return (bytes.includes('\x1b$B') || bytes.includes('\x1b$@')) && bytes.includes('\x1b(');
}

function isValid(bytes: Buffer, encoding: string): boolean {
  const decoder = new CountingDecoder(encoding);
  const text = decoder.write(bytes) + decoder.end();
  return decoder.invalid <= 1 + text.length * MAX_INVALID;
}
