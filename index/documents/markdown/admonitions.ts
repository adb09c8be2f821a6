const FENCE = /^[ \t]*(`{3,}|~{3,})/;
/** `!!! note "Title"`, `??? tip`, and tabs (`=== "Linux"`) of MkDocs. Their content is indented. */
const INDENTED =
  /^( *)(?:(?:!!!|\?\?\?\+?)[ \t]+[\w-]+(?:[ \t]+[\w-]+)*(?:[ \t]+"([^"]*)")?|===[!+]?[ \t]+"([^"]*)")[ \t]*$/;
/** `:::note Title`, `::: tip`, `:::{warning} Title`, `::: {.callout title="Title"}`, and `:::` at the end. */
const FENCED = /^ {0,3}:{3,}[ \t]*(?:\{\.?)?([a-z][\w-]*)?(?=[\s[{}]|$)\}?(.*)$/i;
/** Any of them, to find texts without admonitions quickly. */
const ANY = /^ *(?::::|!!!|\?\?\?|===[!+]? )/m;

/**
 * Replaces the signs of admonitions by their titles, so that what is in them is Markdown like the rest: `!!! note "Title"`, with its
 * content indented, as in MkDocs, and `:::note Title` … `:::`, as in Docusaurus, VitePress, MyST and Quarto. Keeps the number of
 * lines. Expects `\n` line ends.
 */
export function unwrapAdmonitions(text: string): string {
  if (!ANY.test(text)) return text;
  /** For each open indented admonition, the columns of its content and of its own sign. */
  const open: { content: number; sign: number }[] = [];
  let fence: string | undefined;
  const lines = text.split('\n').map((raw) => {
    if (raw.trim() === '') return '';
    const indent = raw.length - raw.trimStart().length;
    while (open.length > 0 && indent < open.at(-1)!.content && !raw.startsWith('\t')) open.pop();
    const inner = open.at(-1);
    const line = inner ? ' '.repeat(inner.sign) + dedent(raw, inner.content) : raw;
    const mark = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
      return line;
    }
    if (mark !== undefined) {
      fence = mark;
      return line;
    }
    const [indented, spaces = '', title, tab] = INDENTED.exec(line) ?? [];
    if (indented !== undefined) {
      const sign = spaces.length;
      open.push({ content: (inner?.content ?? 0) - (inner?.sign ?? 0) + sign + 4, sign });
      return titleLine(title ?? tab, spaces);
    }
    const [fenced, , rest = ''] = FENCED.exec(line) ?? [];
    return fenced === undefined ? line : titleLine(titleIn(rest), '');
  });
  return lines.join('\n');
}

/** Removes columns of white space, where a tab counts as four. */
function dedent(line: string, columns: number): string {
  let at = 0;
  for (let column = 0; column < columns && /[ \t]/.test(line[at] ?? ''); at++)
    column += line[at] === '\t' ? 4 : 1;
  return line.slice(at);
}

/** The title in the rest of a line like `:::note`. */
function titleIn(rest: string): string | undefined {
  const attribute = rest.match(/\btitle="([^"]*)"/)?.[1];
  const label = rest.match(/^[ \t]*\[([^\]]*)\]/)?.[1];
  return attribute ?? label ?? rest.replace(/\{[^}]*\}?/g, '').replace(/^[\s"]+|[\s"]+$/g, '');
}

/** A title, with a line break after it. Lists and code may follow it, which a backslash at its end would not allow. */
function titleLine(title: string | undefined, indentation: string): string {
  return title ? `${indentation}${title}  ` : '';
}
