import iconv from 'iconv-lite';
import { type LanguageModels, languageModels, type Pair } from './languages.ts';

/** Single-byte encodings, with the logarithm of how usual they are. Of equal scores the first wins. */
const SINGLE_BYTE: [encoding: string, prior: number][] = [
  ['windows-1252', 0],
  ['windows-1250', -1],
  ['windows-1251', -1],
  ['windows-1253', -1],
  ['windows-1254', -1],
  ['windows-1255', -1],
  ['windows-1256', -1],
  ['windows-1257', -1],
  ['windows-1258', -1],
  ['windows-874', -1],
  ['ISO-8859-2', -2],
  ['ISO-8859-7', -2],
  ['ISO-8859-15', -2],
  ['KOI8-R', -1],
  ['KOI8-U', -2],
  ['ISO-8859-5', -6],
  ['macintosh', -6],
  ['IBM866', -6],
  ['ISO-8859-6', -6],
  ['maccyrillic', -8],
  ['IBM855', -8],
];

const MULTI_BYTE: [encoding: string, prior: number][] = [
  ['GB18030', -3],
  ['Shift_JIS', -3],
  ['EUC-KR', -3],
  ['Big5', -4],
  ['EUC-JP', -4],
];

/** This many bytes above 127 tell the encoding. More would only take time. */
const ENOUGH = 1500;

/** The weight of pairs of ASCII letters near others. They are alike in all encodings, but tell the language. */
const ASCII_WEIGHT = 0.3;
/** All other text counts as this many pairs, since it may be in another language. */
const OTHER_TEXT = 15;

/**
 * The encoding in which bytes are the most probable text: each is decoded in every encoding, and compared with a model of each
 * language. There should be a byte above 127.
 */
export function detectEncoding(bytes: Buffer): string {
  const { alphabetic, ideographic } = languageModels();
  const sample = bytes.subarray(0, sampleEnd(bytes));
  const pairs = bytePairs(sample);
  const ascii = pairs.filter(isAscii).map((pair) => decodePair(alphabetic, pair, String.fromCharCode));
  const around = asciiPairs(alphabetic, sample);
  const aroundWeight =
    OTHER_TEXT /
    Math.max(
      OTHER_TEXT,
      around.reduce((sum, { count }) => sum + count, 0),
    );
  const high = pairs.filter((pair) => !isAscii(pair));
  const asciiScores = Array.from(
    alphabetic.languages,
    (language) =>
      ASCII_WEIGHT * alphabetic.score(language, ascii) + aroundWeight * alphabetic.score(language, around),
  );
  const asciiScore = Math.max(...asciiScores);
  let best = { encoding: 'windows-1252', score: Number.NEGATIVE_INFINITY };
  const consider = (encoding: string, score: number) => {
    if (score > best.score) best = { encoding, score };
  };
  for (const [encoding, prior] of MULTI_BYTE) {
    const decoded = unusualPairs(ideographic, iconv.decode(sample, encoding).replace(/\uFFFD$/, ''));
    for (const language of ideographic.languages)
      consider(encoding, ideographic.score(language, decoded, prior + asciiScore, best.score));
  }
  for (const [encoding, prior] of SINGLE_BYTE) {
    const table = charactersOf(encoding);
    const decoded = high.map((pair) => decodePair(alphabetic, pair, (byte) => table[byte]!));
    for (const language of alphabetic.languages)
      consider(encoding, alphabetic.score(language, decoded, prior + asciiScores[language]!, best.score));
  }
  return best.encoding;
}

/** The end of the word with the last byte that is needed. */
function sampleEnd(bytes: Buffer): number {
  let high = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at]! > 0x7f && ++high === ENOUGH) return at;
  return bytes.length;
}

const tables = new Map<string, string[]>();

/** The characters of the 256 bytes of a single-byte encoding. */
function charactersOf(encoding: string): string[] {
  let table = tables.get(encoding);
  if (!table) {
    table = Array.from({ length: 256 }, (_, byte) => iconv.decode(Buffer.from([byte]), encoding));
    tables.set(encoding, table);
  }
  return table;
}

interface BytePair {
  before: number;
  byte: number;
  count: number;
}

/** The pairs of ASCII characters in the first of the bytes. */
function asciiPairs(models: LanguageModels, bytes: Buffer): Pair[] {
  const every = countPairs(bytes.subarray(0, 20_000), [{ start: 0, end: Math.min(bytes.length, 20_000) }]);
  return every.filter(isAscii).map((pair) => decodePair(models, pair, String.fromCharCode));
}

/** The pairs of bytes, most frequent first, in words that have a byte above 127. Other words are alike in all encodings. */
function bytePairs(bytes: Buffer): BytePair[] {
  return countPairs(bytes, unusualWords(bytes));
}

function countPairs(bytes: Buffer, parts: Iterable<{ start: number; end: number }>): BytePair[] {
  const counts = new Map<number, number>();
  for (const { start, end } of parts)
    for (let at = start; at <= end; at++) {
      const key = (bytes[at - 1] ?? 0x20) * 256 + (bytes[at] ?? 0x20);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  const pairs = [...counts].map(([key, count]) => ({ before: key >> 8, byte: key & 255, count }));
  return pairs.sort((a, b) => b.count - a.count);
}

function* unusualWords(bytes: Buffer): Generator<{ start: number; end: number }> {
  let start = 0;
  let unusual = false;
  for (let end = 0; end <= bytes.length; end++) {
    const byte = bytes[end] ?? 0x20;
    if (byte > 0x20) unusual ||= byte > 0x7f;
    else {
      if (unusual) yield { start, end };
      start = end + 1;
      unusual = false;
    }
  }
}

function isAscii({ before, byte }: BytePair): boolean {
  return before < 0x80 && byte < 0x80;
}

function decodePair(
  models: LanguageModels,
  { before, byte, count }: BytePair,
  characterOf: (byte: number) => string,
): Pair {
  return models.pair(characterOf(before), characterOf(byte), count);
}

/** The pairs of characters with one that is not ASCII, most frequent first. */
function unusualPairs(models: LanguageModels, text: string): Pair[] {
  const pairs = new Map<string, Pair>();
  let before = ' ';
  for (const character of text) {
    if (character > '\x7f' || before > '\x7f') {
      const pair = pairs.get(before + character) ?? models.pair(before, character, 0);
      pair.count++;
      pairs.set(before + character, pair);
    }
    before = character;
  }
  return [...pairs.values()].sort((a, b) => b.count - a.count);
}
