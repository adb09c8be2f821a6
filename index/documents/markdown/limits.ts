import { MAX_DEPTH, nestedTooDeep } from '../nesting.ts';
import { BlockScanner } from './blocks.ts';
import { DEFINITION } from './parts.ts';

/**
 * Maximum number of emphasis marks and brackets in one paragraph. The parser's time grows with the square of their number: this
 * many take seconds, and ten times as many take minutes.
 */
const MAX_MARKS = 5_000;
/**
 * The parser searches to the end of the paragraph for the end of each HTML comment and each length of a code span's backticks:
 * the limit of how many, times the paragraph's length.
 */
const MAX_SEARCHED = 100_000_000;

/**
 * The parser's time grows with the square of the lines in quotes and lists that it parses together, and with their depth: the limit of
 * the sum of the depths of all lines.
 */
const MAX_NESTED = 10_000;

const MARKS = /[*_~]+|[[\]]|<[!?]|`+/g;
/** The line below a table's header. */
const DELIMITER_ROW = /^\|?[ ]*:?-+:?[ ]*(?:\|[ ]*:?-+:?[ ]*)*\|?[ ]*$/;
const HTML = /^<[A-Za-z/!?]/;
const HTML_ENDS: [start: RegExp, end: RegExp][] = [
  [/^<(?:pre|script|style|textarea)(?:[ >]|$)/i, /<\/(?:pre|script|style|textarea)>/i],
  [/^<!--/, /-->/],
];
const BLANK = /^$/;

/**
 * Rejects Markdown that would take the parser minutes or overflow the call stack. Runs in linear time.
 * @param path of the file, for the error
 * @param firstLine number of the text's first line in the file
 */
export function checkMarkdown(text: string, path: string, firstLine: number): void {
  const blocks = new BlockScanner();
  let paragraph: Paragraph | undefined;
  let isTable = false;
  let htmlEnd: RegExp | undefined;
  let nested = 0;
  let deepest = 0;
  let wasBlank = true;
  text.split('\n').forEach((line, i) => {
    const place = `${path}:${firstLine + i}`;
    const { content, indent, opens, isCode, depth } = blocks.next(line);
    if (depth > MAX_DEPTH) throw nestedTooDeep(place);
    // A line that continues a paragraph may omit the markers of its quotes and lists.
    deepest = content === '' || wasBlank ? depth : Math.max(deepest, depth);
    nested = wasBlank && depth === 0 ? 0 : nested + deepest;
    wasBlank = content === '';
    if (nested > MAX_NESTED)
      throw new Error(
        `${place}: too many lines in one quote or list. Divide it by a line of text between blank lines and try again.`,
      );
    if (htmlEnd) {
      if (htmlEnd.test(content)) htmlEnd = undefined;
      return;
    }
    if (content === '' || isCode || opens) paragraph = undefined;
    if (paragraph === undefined) isTable = false;
    if (content === '' || isCode || (paragraph === undefined && indent > 3)) return;
    if (paragraph === undefined && HTML.test(content)) {
      const [, end] = HTML_ENDS.find(([start]) => start.test(content)) ?? [content, BLANK];
      if (!end.test(content)) htmlEnd = end;
      return;
    }
    isTable ||= content.includes('-') && DELIMITER_ROW.test(content);
    // Cells of tables, link definitions and headings are parsed one by one.
    if (isTable || content.startsWith('#') || DEFINITION.test(content)) paragraph = undefined;
    paragraph ??= new Paragraph();
    paragraph.add(content, place);
  });
}

/** Counts the elements of one paragraph that slow the parser. */
class Paragraph {
  #length = 0;
  #marks = 0;
  #comments = 0;
  readonly #backticks = new Set<number>();
  /** For each open bracket, how deep the pairs in it nest. */
  readonly #brackets: number[] = [];

  add(content: string, place: string): void {
    this.#length += content.length + 1;
    for (const [mark] of content.matchAll(MARKS)) {
      if (mark[0] === '<') this.#comments++;
      else if (mark[0] === '`') this.#backticks.add(mark.length);
      else this.#marks++;
      if (mark === '[') this.#brackets.push(0);
      else if (mark === ']') this.#close(place);
    }
    if (this.#marks > MAX_MARKS)
      throw new Error(
        `${place}: over ${MAX_MARKS.toLocaleString('en')} emphasis marks and brackets in one paragraph. Divide it with blank lines and try again.`,
      );
    if ((this.#comments + this.#backticks.size) * this.#length > MAX_SEARCHED)
      throw new Error(
        `${place}: too many comments or lengths of backticks in one paragraph. Divide it with blank lines and try again.`,
      );
  }

  #close(place: string): void {
    const depth = (this.#brackets.pop() ?? -1) + 1;
    if (depth > MAX_DEPTH) throw nestedTooDeep(place);
    const outer = this.#brackets.length - 1;
    if (outer >= 0) this.#brackets[outer] = Math.max(this.#brackets[outer]!, depth);
  }
}
