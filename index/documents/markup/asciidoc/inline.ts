/** Macros, links, references, anchors and attributes. Alternatives end at the next bracket of their kind, so that the time is linear. */
const MACROS =
  /\\(?=[*_`#{<[])|<<([^<>,]{1,200})(?:,([^<>]{1,500}))?>>|(?:link|xref|mailto):([^\s[\]:]{1,500}(?::[^\s[\]]{1,500})?)\[([^[\]]*(?:\[[^[\]]*\][^[\]]*)*)\]|((?:https?|ftp):\/\/[^\s[\]<>]{1,500})\[([^[\]]*)\]|(?:image|icon|indexterm|anchor|audio|video):[^\s[\]]{0,300}\[[^[\]]*\]|footnote(?:ref)?:[\w-]*\[([^[\]]*(?:\[[^[\]]*\][^[\]]*)*)\]|(?:kbd|btn|pass|stem|latexmath|asciimath|indexterm2):[a-z,]*\[([^[\]]*)\]|menu:([^\s[\]]{1,100})\[([^[\]]*)\]|\(\(\([^()]*\)\)\)|\(\(([^()]+)\)\)|\[\[\[?[^[\]]+\]\]\]?|\{([\w-]{1,60})\}/g;
/** Marks around text: `*bold*`, with the attributes before it. */
const CONSTRAINED =
  /(?<![\p{L}\p{N}_;:}*`#])(?:\[[^[\]\n]{1,60}\])?([*_`#+])(?=\S)([^\n]{0,500}?\S)\1(?![\p{L}\p{N}_*`#+])/gu;
const UNCONSTRAINED = /(?:\[[^[\]\n]{1,60}\])?(\*\*|__|``|##|\+\+\+?)(?=\S)([^\n]{0,500}?\S)\1/g;
const VALUES = new Map([
  ['nbsp', ' '],
  ['sp', ' '],
  ['empty', ''],
  ['blank', ''],
  ['zwsp', ''],
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['startsb', '['],
  ['endsb', ']'],
  ['vbar', '|'],
  ['caret', '^'],
  ['asterisk', '*'],
  ['tilde', '~'],
  ['apos', "'"],
  ['quot', '"'],
  ['backtick', '`'],
  ['backslash', '\\'],
  ['plus', '+'],
  ['two-colons', '::'],
]);

/** Replaces the inline markup of AsciiDoc by its text. Footnotes are in parentheses. */
export function inlineAsciidoc(text: string, attributes: ReadonlyMap<string, string>): string {
  return text
    .replace(
      MACROS,
      (all, id, label, target, words, url, urlWords, note, content, menu, entry, term, attribute) => {
        if (id !== undefined) return label ?? id.replace(/^#/, '');
        if (target !== undefined) return firstPart(words) || target;
        if (url !== undefined) return firstPart(urlWords) || url;
        if (note !== undefined) return note === '' ? '' : ` (${note})`;
        if (content !== undefined) return content;
        if (menu !== undefined) return `${menu} > ${entry}`;
        if (term !== undefined) return term;
        if (attribute !== undefined) return attributes.get(attribute) ?? VALUES.get(attribute) ?? all;
        return '';
      },
    )
    .replace(/"`([^`\n]*)`"/g, '“$1”')
    .replace(/'`([^`\n]*)`'/g, '‘$1’')
    .replace(UNCONSTRAINED, '$2')
    .replace(CONSTRAINED, '$2')
    .replace(CONSTRAINED, '$2')
    .replace(/[ \t]+/g, ' ')
    .trim();
}

/** The text of a link without its options: `text,window=_blank`, `text^`. */
function firstPart(words: string): string {
  return words
    .replace(/,\s*(?:role|window|opts|options|title|id)=.*$/s, '')
    .replace(/^"(.*)"$/s, '$1')
    .replace(/\^$/, '');
}
