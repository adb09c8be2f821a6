/** Letters of the scripts that put no space between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hira}\p{Script=Kana}\p{Script=Thai}\p{Script=Laoo}\p{Script=Khmr}\p{Script=Mymr}]/u;

const WIDE = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{Script=Hang}\uFF01-\uFF60]/gu;

// STerm holds the full stops, question and exclamation marks of every script except the ellipsis and the Tibetan shads.
// A semicolon is the question mark of Greek. The closing quote of one language opens in another, so any may follow.
const SENTENCE_END =
  /(?:[\p{STerm}…\u0F0D-\u0F14]|\p{Script=Grek}[;\u037E])[\p{Pe}\p{Pf}\p{Pi}"']*(?:\[\d+\])*$/u;

/**
 * Whether a paragraph may end like this text: as a sentence does, closing quotes, brackets and note marks aside, or
 * with a colon or a dash, which announce what may as well be a paragraph of its own.
 */
export function isClosed(text: string): boolean {
  return SENTENCE_END.test(text.slice(-40)) || (/[:：\p{Pd}]$/u.test(text) && !endsInHyphen(text));
}

/** Whether a character (a string that holds just one) belongs to a script without spaces between words. */
export function isUnspaced(character: string): boolean {
  return UNSPACED.test(character);
}

/**
 * Width in columns of a terminal: East Asian characters count two, so that a limit means as many words in each
 * script.
 */
export function columns(text: string): number {
  return [...text].length + (text.match(WIDE)?.length ?? 0);
}

/**
 * What belongs between two lines that were one: nothing after a hyphen within a word or between letters of scripts
 * without spaces (digits and marks take the side of the letter before them), else a space.
 */
export function joint(left: string, right: string): '' | ' ' {
  if (endsInHyphen(left) && /^\p{L}/u.test(right)) return '';
  const before = left.slice(-50).match(/\p{L}/gu)?.at(-1) ?? '';
  const after = right.slice(0, 50).match(/\p{L}/u)?.[0] ?? '';
  return isUnspaced(before) && isUnspaced(after) ? '' : ' ';
}

/** Whether a text ends in a hyphen that stands right after a letter. */
export function endsInHyphen(text: string): boolean {
  return /\p{L}\p{M}*[-\u00AD\u2010]$/u.test(text.slice(-20));
}
