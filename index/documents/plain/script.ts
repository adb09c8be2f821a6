/** Letters of the scripts that put no space between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hira}\p{Script=Kana}\p{Script=Thai}\p{Script=Laoo}\p{Script=Khmr}\p{Script=Mymr}]/u;

/** The first wide character (Hangul Jamo), as a code unit. */
const FIRST_WIDE = 0x1100;
const WIDE = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{Script=Hang}\uFF01-\uFF60]/gu;

// STerm contains the full stops, question and exclamation marks of every script except the ellipsis and the Tibetan shads.
// A semicolon is the Greek question mark. The closing quote of one language opens in another, so any may follow.
const SENTENCE_END =
  /(?:[\p{STerm}…\u0F0D-\u0F14]|\p{Script=Grek}[;\u037E])[\p{Pe}\p{Pf}\p{Pi}"']*(?:\[\d+\])*$/u;

/**
 * Whether a text ends like a paragraph: with the end of a sentence (followed by closing quotes, brackets and note marks), a colon or
 * a dash.
 */
export function isClosed(text: string): boolean {
  return SENTENCE_END.test(text.slice(-40)) || (/[:：\p{Pd}]$/u.test(text) && !endsInHyphen(text));
}

/** Whether a character belongs to a script without spaces between words. */
export function isUnspaced(character: string): boolean {
  return UNSPACED.test(character);
}

/** The width of a text in terminal columns. East Asian characters count two, so a limit means about as many words in each script. */
export function columns(text: string): number {
  let width = 0;
  let isNarrow = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= FIRST_WIDE) isNarrow = false;
    // A character outside the basic plane has two code units.
    if ((code & 0xfc00) !== 0xdc00) width++;
  }
  return isNarrow ? width : width + (text.match(WIDE)?.length ?? 0);
}

/**
 * The separator for joining two lines: nothing after a hyphen inside a word, or between letters of scripts without spaces, else a
 * space. For digits and marks, the letter before them decides.
 */
export function joint(left: string, right: string): '' | ' ' {
  if (endsInHyphen(left) && /^\p{L}/u.test(right)) return '';
  const before = left.slice(-50).match(/\p{L}(?=\P{L}*$)/u)?.[0] ?? '';
  const after = right.slice(0, 50).match(/\p{L}/u)?.[0] ?? '';
  return isUnspaced(before) && isUnspaced(after) ? '' : ' ';
}

/** Whether a text ends with a hyphen directly after a letter. */
export function endsInHyphen(text: string): boolean {
  return /\p{L}\p{M}*[-\u00AD\u2010]$/u.test(text.slice(-20));
}

const words = new Intl.Segmenter('zh', { granularity: 'word' });

/** Whether the cut between two texts splits a word: at a hyphen, or one of a script without spaces that the dictionary has. */
export function cutsWord(left: string, right: string): boolean {
  if (endsInHyphen(left) && /^\p{L}/u.test(right)) return true;
  const before = [...left.slice(-30)];
  const after = [...right.slice(0, 30)];
  // The segmenter joins numbers and iteration or length marks to any word, so they are no evidence.
  const isLetter = (character = '') => isUnspaced(character) && !/[\p{N}\p{Lm}]/u.test(character);
  if (!isLetter(before.at(-1)) || !isLetter(after[0])) return false;
  const cut = before.join('').length;
  return words.segment([...before, ...after].join('')).containing(cut)!.index < cut;
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

/** Opening marks, each with the marks that close it. */
const CLOSERS = new Map(
  '()） （)） [] 【】 「」 『』 《》 〈〉 “” „“”'.split(' ').map((marks) => [marks[0]!, marks.slice(1)]),
);

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
