import { segments } from './segmenter.ts';

/** Scripts written without spaces, and the characters of a term there. Dictionary words would change with the version of ICU. */
const UNSPACED = [
  { script: /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々]+/gu, size: 2 },
  {
    script: /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]+/gu,
    size: 3,
  },
];

/** Letters of the beginning that longer words add as a term: the forms of an inflected word mostly share them. */
const STEM = 5;

/** Lower-case letters of scripts that put spaces between words, after NFKC: Latin, Greek, Cyrillic, Hebrew, Arabic, Devanagari. */
const LETTER =
  'a-z\\u00df-\\u00f6\\u00f8-\\u024f\\u1e00-\\u1eff\\u03ac-\\u03ce\\u0430-\\u0481\\u048a-\\u052f\\u05d0-\\u05ea' +
  '\\u0620-\\u063f\\u0641-\\u064a\\u0671-\\u06d3\\u0904-\\u0939\\u0960\\u0961';
const DIGIT = '0-9\\u0660-\\u0669\\u06f0-\\u06f9\\u0966-\\u096f';
/** Marks of Hebrew, Arabic and Devanagari, which follow a letter. */
const MARK = '\\u05b0-\\u05bc\\u064b-\\u065f\\u0670\\u0900-\\u0903\\u093a-\\u094f';
/** Punctuation between a word and a space, including Arabic's question mark and comma, and the danda. */
const END = '?!.,:;\\u061f\\u060c\\u0964';
const WORD =
  `(?:[${LETTER}${DIGIT}](?:[${LETTER}${DIGIT}${MARK}]|(?<=[${LETTER}])['\\u2019](?=[${LETTER}]))*` +
  '|[\\uac00-\\ud7a3]+)';

/** Text whose words need no `Intl.Segmenter`: creating one takes 12 ms, a tenth of a cold start. */
const PLAIN = new RegExp(`^(?:${WORD}(?:-${WORD})*[${END}]?(?: |$))*$`);
const PLAIN_WORD = new RegExp(`[^ ${END}-]+`, 'g');

/**
 * Returns the terms of a text: words and the beginnings of longer words (marked `*`), and n-grams of characters in scripts without
 * spaces.
 */
export function termsOf(text: string): string[] {
  const terms: string[] = [];
  let spaced = text.normalize('NFKC').toLowerCase();
  for (const { script, size } of UNSPACED) {
    spaced = spaced.replace(script, (run) => {
      const characters = [...run];
      if (characters.length < size) terms.push(run);
      for (let i = 0; i + size <= characters.length; i++) terms.push(characters.slice(i, i + size).join(''));
      return ' ';
    });
  }
  for (const word of segmentWords(spaced)) {
    terms.push(word);
    const letters = [...word];
    if (letters.length > STEM) terms.push(`${letters.slice(0, STEM).join('')}*`);
  }
  return terms;
}

function* segmentWords(text: string): Generator<string> {
  const trimmed = text.trim();
  if (PLAIN.test(trimmed)) {
    yield* trimmed.match(PLAIN_WORD) ?? [];
    return;
  }
  for (const part of text.split(/[ \t\n\r]+/)) yield* wordsOf(part);
}

/** Parts whose words are remembered: about 2 MB. Nearly all parts of a document recur. */
const MAX_KNOWN = 20_000;
const known = new Map<string, string[]>();

/** The words of a part between spaces, which always are boundaries of words (Unicode Standard Annex 29). */
function wordsOf(part: string): string[] {
  const before = known.get(part);
  if (before) return before;
  const words = [...segments(part, 'word')].flatMap(({ segment, isWordLike }) => (isWordLike ? segment : []));
  if (known.size < MAX_KNOWN && part.length <= 32) known.set(part, words);
  return words;
}
