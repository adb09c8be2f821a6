const IMAGE = /\.(?:png|jpe?g|gif|svg|webp|bmp|tiff?)$/i;

/** Links, footnotes, targets and macros. Alternatives end at the next bracket of their kind, so that the time is linear. */
const LINKS =
  /\[\[([^[\]]{1,2000})\](?:\[([^[\]]*(?:\][^[\]]+)*)\])?\]|\[fn:[\w-]*:([^[\]]*)\]|\[fn:[\w-]+\]|\[cite[^\]\n:]*:[^\]]*\]|<<<?([^<>\n]{1,200})>>>?|\{\{\{[^{}\n]*\}\}\}/g;
/** Marks around words: `*bold*`, `=code=`. */
const MARKS = /(?<![^\s\-–—({'"“‘[|])([*/_+=~])(?=\S)([^\n]{0,500}?\S)\1(?![^\s\-–—.,:;!?'")}\]|“”’[\\])/g;

/** Replaces the inline markup of Org by its text. Footnotes are in parentheses. */
export function inlineOrg(text: string): string {
  return text
    .replace(LINKS, (_, target: string | undefined, label, note, anchor) => {
      if (target === undefined)
        return note === undefined ? (_.startsWith('<<<') ? anchor : '') : ` (${note.trim()})`;
      const words = label ?? target.replace(/^(?:file|id|mailto):/, '');
      return IMAGE.test(words) && !/\s/.test(words) ? '' : words;
    })
    .replace(MARKS, '$2')
    .replace(MARKS, '$2')
    .replace(/\\\\$/, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/(?<=\S)[_^]\{([^{}\n]*)\}/g, '$1')
    .trim();
}
