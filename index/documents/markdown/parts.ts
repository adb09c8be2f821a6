import { MAX_DEPTH } from '../nesting.ts';
import { BlockScanner } from './blocks.ts';

/** UTF-16 code units. The parser's time grows with the square of the length, which matters above this size. */
const PART = 30_000;
/** Lines. The parser's time also grows with the square of the number of blocks: 2,000 headings take seconds. */
const PART_LINES = 250;

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HTML = /^<[A-Za-z/!?]/;
/** An underline of a heading, a thematic break, or a heading. A line after it begins a block. */
const BREAK = /^(?:=+|-+|\*{3,}|_{3,}|#{1,6}(?:[ \t].*)?)[ \t]*$/;
/** A link definition. CommonMark limits its label to 999 characters. */
export const DEFINITION = /^ {0,3}\[[^\]^][^\]]{0,998}\]:[ \t]*\S.*$/m;
/** Longer definitions are not prepended to other parts. */
const MAX_DEFINITION = 1_000;
/** The label of a link, a link definition or a footnote. */
const LABEL = /\[([^[\]]{1,999})\]/g;

/** A part of a Markdown text. */
export interface MarkdownPart {
  text: string;
  /** Lines of the whole text before it. */
  before: number;
  /** The link definitions that it uses, as Markdown. */
  definitions: string;
}

/**
 * Splits a long Markdown text with `\n` line ends into parts that can be parsed separately. Splits outside fenced code, before an
 * unindented line that follows a blank one or a heading, or a line that begins an outermost quote or list item.
 */
export function markdownParts(text: string): MarkdownPart[] {
  const all = text.split('\n');
  if (text.length <= PART && all.length <= PART_LINES) return [{ text, before: 0, definitions: '' }];
  const parts: Omit<MarkdownPart, 'definitions'>[] = [];
  let before = 0;
  let lines: string[] = [];
  let length = 0;
  let fence: string | undefined;
  let isHtml = false;
  const blocks = new BlockScanner();
  for (const [i, line] of all.entries()) {
    const last = lines.at(-1);
    const { opensOutermost, depth } = blocks.next(line);
    if (depth > MAX_DEPTH) {
      // It will be refused.
      lines = lines.concat(all.slice(i));
      break;
    }
    const follows = /^\S/.test(line) && (last?.trim() === '' || (!isHtml && BREAK.test(last ?? '')));
    const begins = follows || (!isHtml && opensOutermost);
    if ((length > PART || lines.length > PART_LINES) && fence === undefined && begins) {
      parts.push({ text: lines.join('\n'), before });
      before += lines.length;
      lines = [];
      length = 0;
    }
    if (line.trim() === '') isHtml = false;
    else if (last === undefined || last.trim() === '') isHtml = HTML.test(line);
    const mark = line.match(FENCE)?.[1];
    if (fence === undefined) fence = mark;
    else if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
    lines.push(line);
    length += line.length + 1;
  }
  parts.push({ text: lines.join('\n'), before });
  const definitions = definitionsOf(text);
  return parts.map((part) => ({ ...part, definitions: `${used(part.text, definitions).join('\n')}\n\n` }));
}

/** The first link definition of each label, and an empty definition for each footnote. */
function definitionsOf(text: string): Map<string, string> {
  const definitions = new Map<string, string>();
  for (const [line] of text.matchAll(new RegExp(DEFINITION, 'gm'))) {
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
