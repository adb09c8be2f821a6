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

/** Text whose words are plain to see: making a segmenter takes 12 ms, a tenth of a cold start. */
const PLAIN = /^(?:[a-z0-9ß-öø-ÿа-яё]+[?!.,:;]?(?: |$))*$/;

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
    yield* trimmed.match(/[^ ?!.,:;]+/g) ?? [];
    return;
  }
  words ??= new Intl.Segmenter('und', { granularity: 'word' });
  // Words do not cross white space, so that a text may be cut at any.
  for (const [chunk] of text.matchAll(new RegExp(`[^]{0,${SEGMENTED}}(?:\\s|$)|[^]{1,${SEGMENTED}}`, 'gu'))) {
    for (const { segment, isWordLike } of words.segment(chunk)) if (isWordLike) yield segment;
  }
}
