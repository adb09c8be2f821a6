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
  const last = text.charCodeAt(text.length - 1);
  // Most lines end with a letter or a full stop.
  if (isAsciiWord(last)) return false;
  if (last === 0x2e) return true;
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

function isAsciiWord(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39);
}

/**
 * The separator for joining two lines: nothing after a hyphen inside a word, or between letters of scripts without spaces, else a
 * space. For digits and marks, the letter before them decides.
 */
export function joint(left: string, right: string): '' | ' ' {
  const last = left.charCodeAt(left.length - 1);
  // A Latin letter or a comma, as in most texts.
  if ((isAsciiWord(last) && last > 0x39) || last === 0x2c) {
    const next = right.charCodeAt(0);
    if (isAsciiWord(next) && next > 0x39) return ' ';
  }
  if (endsInHyphen(left) && /^\p{L}/u.test(right)) return '';
  const before = left.slice(-50).match(/\p{L}/gu)?.at(-1) ?? '';
  const after = right.slice(0, 50).match(/\p{L}/u)?.[0] ?? '';
  return isUnspaced(before) && isUnspaced(after) ? '' : ' ';
}

/** Whether a text ends with a hyphen directly after a letter. */
export function endsInHyphen(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return (
    (last === 0x2d || last === 0xad || last === 0x2010) &&
    /\p{L}\p{M}*[-\u00AD\u2010]$/u.test(text.slice(-20))
  );
}
