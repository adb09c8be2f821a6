/** Scripts written without spaces, and how many characters make a term there: a dictionary would change with the version of ICU. */
const UNSPACED = [
  { script: /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々]+/gu, size: 2 },
  {
    script: /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]+/gu,
    size: 3,
  },
];

/** How much of a longer word is a term besides the word itself: where a language inflects, its forms mostly share these letters. */
const STEM = 5;

/** UTF-16 units segmented at a time: `Intl.Segmenter` takes time with the square of its text's length. */
const SEGMENTED = 1024;

/** Lower-case letters of scripts that put spaces between words, after NFKC: Latin, Greek, Cyrillic, Hebrew, Arabic, Devanagari. */
const LETTER =
  'a-z\\u00df-\\u00f6\\u00f8-\\u024f\\u1e00-\\u1eff\\u03ac-\\u03ce\\u0430-\\u0481\\u048a-\\u052f\\u05d0-\\u05ea' +
  '\\u0620-\\u063f\\u0641-\\u064a\\u0671-\\u06d3\\u0904-\\u0939\\u0960\\u0961';
const DIGIT = '0-9\\u0660-\\u0669\\u06f0-\\u06f9\\u0966-\\u096f';
/** Marks of Hebrew, Arabic and Devanagari, which stand behind a letter. */
const MARK = '\\u05b0-\\u05bc\\u064b-\\u065f\\u0670\\u0900-\\u0903\\u093a-\\u094f';
/** What ends a word besides a space, and stands before one: also Arabic's question mark and comma, and the danda. */
const END = '?!.,:;\\u061f\\u060c\\u0964';
const WORD =
  `(?:[${LETTER}${DIGIT}](?:[${LETTER}${DIGIT}${MARK}]|(?<=[${LETTER}])['\\u2019](?=[${LETTER}]))*` +
  '|[\\uac00-\\ud7a3]+)';

/** Text whose words are plain to see, as `Intl.Segmenter` takes 12 ms to be made, a tenth of a cold start. */
const PLAIN = new RegExp(`^(?:${WORD}(?:-${WORD})*[${END}]?(?: |$))*$`);
const PLAIN_WORD = new RegExp(`[^ ${END}-]+`, 'g');

let words: Intl.Segmenter | undefined;

/** The terms of a text in order: words and word beginnings (marked `*`), n-grams of characters where a script has no spaces. */
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
  words ??= new Intl.Segmenter('und', { granularity: 'word' });
  // Words do not cross white space, so that a text may be cut at any.
  for (const [chunk] of text.matchAll(new RegExp(`[^]{0,${SEGMENTED}}(?:\\s|$)|[^]{1,${SEGMENTED}}`, 'gu'))) {
    for (const { segment, isWordLike } of words.segment(chunk)) if (isWordLike) yield segment;
  }
}
