/** UTF-16 code units. The parser's time grows with the square of the length, which matters above this size. */
const PART = 30_000;
/** Lines. The parser's time also grows with the square of the number of blocks: 2,000 headings take seconds. */
const PART_LINES = 250;

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HTML = /^<[A-Za-z/!?]/;
/** An underline of a heading, a thematic break, or a heading. A line after it begins a block. */
const BREAK = /^(?:=+|-+|\*{3,}|_{3,}|#{1,6}(?:[ \t].*)?)[ \t]*$/;
/** The first line of an outermost list item, which ends the item before it. */
const ITEM = /^ ?(?:[-+*]|\d{1,9}[.)])[ \t]/;
/** A line of a list item, unless its paragraph continues without indentation. */
const IN_ITEM = /^(?:[ \t]|[-+*][ \t]|\d{1,9}[.)][ \t])/;
/** A link definition. CommonMark limits its label to 999 characters. */
const DEFINITION = /^ {0,3}\[[^\]^][^\]]{0,998}\]:[ \t]*\S.*$/gm;
/** Longer definitions are not prepended to other parts. */
const MAX_DEFINITION = 1_000;
/** The label of a link, a link definition or a footnote. */
const LABEL = /\[([^[\]]{1,999})\]/g;

/**
 * Splits a long Markdown text with `\n` line ends into parts that can be parsed separately, each after the link definitions that it
 * uses. Splits outside fenced code, before an unindented line that follows a blank one or a heading, or before an item of a list.
 */
export function markdownParts(text: string): string[] {
  const all = text.split('\n');
  if (text.length <= PART && all.length <= PART_LINES) return [text];
  const parts: string[] = [];
  let lines: string[] = [];
  let length = 0;
  let fence: string | undefined;
  let isHtml = false;
  for (const line of all) {
    const last = lines.at(-1) ?? '';
    const isLong = length > PART || lines.length > PART_LINES;
    const follows = /^\S/.test(line) && (last.trim() === '' || (!isHtml && BREAK.test(last)));
    const isItem = !isHtml && ITEM.test(line) && IN_ITEM.test(last);
    if (isLong && fence === undefined && (follows || isItem)) {
      parts.push(lines.join('\n'));
      lines = [];
      length = 0;
    }
    if (line.trim() === '') isHtml = false;
    else if (last.trim() === '') isHtml = HTML.test(line);
    const mark = line.match(FENCE)?.[1];
    if (fence === undefined) fence = mark;
    else if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
    lines.push(line);
    length += line.length + 1;
  }
  parts.push(lines.join('\n'));
  const definitions = definitionsOf(text);
  return parts.map((part) => `${used(part, definitions).join('\n')}\n\n${part}`);
}

/** The first link definition of each label, and an empty definition for each footnote. */
function definitionsOf(text: string): Map<string, string> {
  const definitions = new Map<string, string>();
  for (const [line] of text.matchAll(DEFINITION)) {
    if (line.length > MAX_DEFINITION) continue;
    const label = normalize(line.slice(line.indexOf('[') + 1, line.indexOf(']')));
    if (!definitions.has(label)) definitions.set(label, line);
  }
  // A reference to a footnote of another part is no text.
  for (const [, label] of text.matchAll(/^ {0,3}\[(\^[^[\]\s]{1,99})\]:/gm))
    definitions.set(normalize(label!), `[${label}]:\n`);
  return definitions;
}

function used(part: string, definitions: Map<string, string>): string[] {
  const labels = new Set([...part.matchAll(LABEL)].map(([, label]) => normalize(label!)));
  return [...labels].flatMap((label) => definitions.get(label) ?? []);
}

function normalize(label: string): string {
  return label.trim().replace(/\s+/g, ' ').toLowerCase();
}
