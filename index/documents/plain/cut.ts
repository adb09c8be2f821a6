import { endsInHyphen, isUnspaced } from './script.ts';

const words = new Intl.Segmenter('zh', { granularity: 'word' });

/** Whether the cut between two texts splits a word. */
export function cutsWord(left: string, right: string): boolean {
  return (endsInHyphen(left) && /^\p{L}/u.test(right)) || splitsUnspacedWord(left, right);
}

/** Whether a text ends with a comma or a semicolon. */
export function endsInComma(text: string): boolean {
  return /[,，、،﹐﹑;；؛]$/u.test(text);
}

/** Whether a text ends with a semicolon. */
export function endsInSemicolon(text: string): boolean {
  return /[;；؛]$/u.test(text);
}

/** Whether a text begins with a closing mark. */
export function beginsWithClosingMark(text: string): boolean {
  return /^[)\]）】」』》〉，、。！？；،؛]/u.test(text);
}

/** Whether a text begins with a lower-case word. A capital as second letter (iPhone, eBay) makes it a name. */
export function beginsInLowerCase(text: string): boolean {
  return /^\p{Ll}(?!\p{Lu})/u.test(text);
}

/** Whether the segmenter's dictionary finds a word across the cut, in a script without spaces between words. */
function splitsUnspacedWord(left: string, right: string): boolean {
  const before = [...left.slice(-30)];
  const after = [...right.slice(0, 30)];
  // The segmenter joins numbers and iteration or length marks to any word, so they are no evidence.
  const isLetter = (character: string) => isUnspaced(character) && !/[\p{N}\p{Lm}]/u.test(character);
  if (!isLetter(before.at(-1) ?? '') || !isLetter(after[0] ?? '')) return false;
  const cut = before.join('').length;
  const word = words.segment([...before, ...after].join('')).containing(cut);
  return word !== undefined && word.index < cut;
}

const CLOSERS = new Map([
  ['(', ')）'],
  ['（', ')）'],
  ['[', ']'],
  ['【', '】'],
  ['「', '」'],
  ['『', '』'],
  ['《', '》'],
  ['〈', '〉'],
  ['“', '”'],
  ['„', '“”'],
]);

/** Whether a text opens a bracket or a quotation that it does not close. */
export function leavesOpen(text: string): boolean {
  const expected: string[] = [];
  for (const character of text) {
    const closers = CLOSERS.get(character);
    if (expected.at(-1)?.includes(character)) expected.pop();
    else if (closers !== undefined) expected.push(closers);
  }
  return expected.length > 0;
}
