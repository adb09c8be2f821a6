/** Roles whose text may begin with `~`, which shortens a dotted name to its last part. */
const SHORTENED = /^~(?:.*\.)?/;

/** Marks of inline text in one pass. Alternatives end at the next mark of their kind, so that the time is linear. */
const MARKS = new RegExp(
  [
    /\\([\s\S])/, // 1 escaped character
    /``([^`]+(?:`[^`]+)*)``/, // 2 literal
    /:([a-zA-Z][\w:.+-]{0,60}):`((?:[^`\\]|\\[\s\S])+)`(?:__?)?/, // 3 and 4 role before its text
    /_?`((?:[^`\\]|\\[\s\S])+)`(?::[a-zA-Z][\w:.+-]{0,60}:|__?)?/, // 5 reference, target, or role after its text
    /\*\*(?=\S)([^*]+)\*\*/, // 6 strong
    /(?<![\p{L}\p{N}])\*(?=[^\s*])([^*]+)\*(?![\p{L}\p{N}])/u, // 7 emphasis
    /\|([^|\s](?:[^|\n]{0,200}[^|\s])?)\|(?:__?)?/, // 8 substitution
    /[ ]?\[(?:\d+|#[\w-]*|\*)\]_/, // a footnote reference
    /\[([\w.:-]+)\]_/, // 9 citation
    /(?<![\p{L}\p{N}_])([\p{L}\p{N}](?:[\p{L}\p{N}]|[-.+:](?=[\p{L}\p{N}])){0,80})__?(?![\p{L}\p{N}_])/u, // 10 reference of one word
  ]
    .map(({ source }) => source)
    .join('|'),
  'gu',
);

/** Replaces the inline markup of reStructuredText by its text. `substitutions` are the values of `|name|`. */
export function inlineRst(text: string, substitutions: ReadonlyMap<string, string>): string {
  return text.replace(
    MARKS,
    (all, escaped, literal, role, roleContent, reference, strong, emphasis, substitution, citation, word) => {
      if (escaped !== undefined) return /\s/.test(escaped) ? '' : escaped;
      if (literal !== undefined) return literal;
      if (role !== undefined)
        return (/^(?:pep|rfc)$/.test(role) ? `${role.toUpperCase()} ` : '') + roleText(roleContent);
      if (reference !== undefined) return roleText(reference);
      if (substitution !== undefined) return substitutions.get(substitution) ?? all;
      if (citation !== undefined) return `[${citation}]`;
      return strong ?? emphasis ?? word ?? '';
    },
  );
}

/** `text <target>` is its text, `~a.b.c` is `c`. */
function roleText(text: string): string {
  const titled = /^([^<]*[^<\s])\s*<[^<>]*>$/s.exec(text)?.[1];
  return (
    titled ??
    text
      .replace(/^<([^<>]*)>$/s, '$1')
      .replace(/^!/, '')
      .replace(SHORTENED, '')
  ).replace(/\\(.)/gs, '$1');
}
