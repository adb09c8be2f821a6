import { endsInHyphen, isUnspaced } from './script.ts';

const words = new Intl.Segmenter('zh', { granularity: 'word' });

/** Whether a cut between two texts goes through a word. */
export function cutsWord(left: string, right: string): boolean {
  return (endsInHyphen(left) && /^\p{L}/u.test(right)) || wordRunsOver(left, right);
}

/** Whether a text ends with a comma, or with a semicolon, which may end an item as well. */
export function endsInComma(text: string): boolean {
  return /[,，、،﹐﹑;；؛]$/u.test(text);
}

/** Whether a text ends with a semicolon. */
export function endsInSemicolon(text: string): boolean {
  return /[;；؛]$/u.test(text);
}

/** Whether a text begins with a mark that belongs to the text before it. */
export function beginsWithClosingMark(text: string): boolean {
  return /^[)\]）】」』》〉，、。！？；،؛]/u.test(text);
}

/** Whether a text begins with a word in small letters. A second capital (iPhone, eBay) makes it a name. */
export function beginsInLowerCase(text: string): boolean {
  return /^\p{Ll}(?!\p{Lu})/u.test(text);
}

/** Whether the segmenter's dictionary finds a word that runs over a cut, in a script without spaces between words. */
function wordRunsOver(left: string, right: string): boolean {
  const before = [...left.slice(-30)];
  const after = [...right.slice(0, 30)];
  // A number, or a mark that repeats or lengthens what is before it, joins any word in the segmenter's eyes.
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
  const awaited: string[] = [];
  for (const character of text) {
    const closers = CLOSERS.get(character);
    if (awaited.at(-1)?.includes(character)) awaited.pop();
    else if (closers !== undefined) awaited.push(closers);
  }
  return awaited.length > 0;
}
