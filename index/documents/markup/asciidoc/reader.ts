import type { Document } from '../../document.ts';
import { unwrap } from '../../plain/paragraphs.ts';
import { BlockList } from '../block-list.ts';
import { titleFromHeadings } from '../readme.ts';
import { inlineAsciidoc } from './inline.ts';
import { tableRows } from './table.ts';

const SECTION = /^(={1,6}|#{1,6})[ \t]+(\S.*)$/;
/** Underlines of headings, by level. */
const UNDERLINES = '=-~^+';
const ATTRIBUTE = /^:(!?[\w-]+!?):(?:[ \t]+(.*))?$/;
const ITEM =
  /^[ \t]*(?:(?:\*{1,6}|-|\.{1,6}|\d{1,4}\.|[a-zA-Z]\.|<(?:\d{1,3}|\.)>)[ \t]+)(?:\[[ xX*]\][ \t]+)?(?=\S)/;
const TERM = /^[ \t]*(\S.{0,300}?)(?:::{1,3}|;;)(?:[ \t]+(.*))?$/;
const LITERAL = /^(?:-{4,}|\.{4,}|`{3,}.*|~{4,})$/;
const DROPPED = /^(?:\/{4,}|\+{4,})$/;
const CONTAINER = /^(?:={4,}|\*{4,}|_{4,}|--)$/;
const TABLE = /^([|,:!])={3,}$/;
const ADMONITION = /^(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION):[ \t]+/;
const BLOCK_MACRO = /^(?:image|include|toc|video|audio|ifeval)::?[^\s[\]]*\[.*\]$/;
const CONDITION = /^(ifdef|ifndef|endif|ifeval)::([^[\]\s]*)\[(.*)\]$/;
/** UTF-16 code units of an attribute's value. */
const MAX_VALUE = 500;

/**
 * Reads AsciiDoc by structure. Follows no includes. The title is `= Title`. Anchors are explicit ids, and the ids that Asciidoctor makes
 * of headings.
 */
export function readAsciidoc(text: string, source: string, path = source): Document {
  const reader = new AsciidocReader(
    text
      .replace(/\r\n?/g, '\n')
      .split('\n')
      .map((line) => line.trimEnd()),
  );
  const { blocks } = reader.list;
  const lang = reader.attributes.get('lang');
  return {
    source,
    title: titleFromHeadings(blocks, source, path),
    lang: lang && /^[a-z]{2,3}(?:[-_]\w+)*$/i.test(lang) ? lang.replaceAll('_', '-') : undefined,
    blocks,
  };
}

class AsciidocReader {
  readonly list = new BlockList();
  readonly attributes = new Map<string, string>();
  /** How many headings have each id. */
  readonly #ids = new Map<string, number>();
  readonly #missing = new Set<string>();
  /** The lines of each item of the list, or of the paragraph. */
  #items: string[][] = [];
  #cols: string | undefined;
  /** Between the title of the document and the next blank line. */
  #isInHeader = false;
  /** How many conditions are open, of which the outermost false one is at `#falseAt`. */
  #conditions = 0;
  #falseAt: number | undefined;

  constructor(lines: string[]) {
    for (let i = 0; i < lines.length; i++) i = this.#line(lines, i);
    this.#flush();
  }

  /** Reads the line, and the block that begins with it. Returns the number of its last line. */
  #line(lines: string[], i: number): number {
    const line = lines[i]!;
    if (this.#condition(line) || this.#falseAt !== undefined) return i;
    if (this.#isInHeader && line !== '') {
      // The lines of authors and of the revision are no text.
      if (ATTRIBUTE.test(line)) this.#isSetting(line);
      return i;
    }
    this.#isInHeader = false;
    if (line === '' || line === '+') {
      this.#flush();
      return i;
    }
    if (DROPPED.test(line) || LITERAL.test(line)) {
      const close = line.startsWith('`') ? '```' : line;
      const end = this.#endOf(lines, i + 1, close);
      if (end !== undefined) {
        this.#flush();
        if (LITERAL.test(line))
          this.list.paragraph(
            lines
              .slice(i + 1, end)
              .map((code) => code.replace(/[ \t]*(?:\/\/ ?)?<(?:\d+|\.)>$/, ''))
              .join('\n'),
          );
        return end;
      }
    }
    const separator = TABLE.exec(line)?.[1];
    if (separator !== undefined) {
      const end = this.#endOf(lines, i + 1, line);
      this.#flush();
      if (end !== undefined) this.#table(lines.slice(i + 1, end), separator === '!' ? '|' : separator);
      return end ?? i;
    }
    if (line.startsWith('//')) return i;
    if (this.#items.length === 0 && this.#isSetting(line)) return i;
    const section = SECTION.exec(line);
    if (section) {
      this.#heading(section[1]!.length, section[2]!);
      return i;
    }
    if (this.#items.length === 0 && isUnderlined(line, lines[i + 1] ?? '')) {
      this.#heading(UNDERLINES.indexOf(lines[i + 1]![0]!) + 1, line);
      return i + 1;
    }
    if (CONTAINER.test(line) || BLOCK_MACRO.test(line) || /^(?:'{3,}|<{3,}|-{3}|\*{3})$/.test(line)) {
      this.#flush();
      return i;
    }
    return this.#text(lines, i);
  }

  /** Follows `ifdef` and the like. Whether the line is one. */
  #condition(line: string): boolean {
    const [all, kind, names = '', content = ''] = line.includes('::') ? (CONDITION.exec(line) ?? []) : [];
    if (all === undefined) return false;
    if (kind === 'endif') {
      if (this.#conditions === this.#falseAt) this.#falseAt = undefined;
      this.#conditions = Math.max(0, this.#conditions - 1);
      return true;
    }
    const isDefined = names.split(/[,+]/).some((name) => this.attributes.has(name));
    const isTrue = kind === 'ifdef' ? isDefined : kind === 'ifndef' ? !isDefined : false;
    if (kind !== 'ifeval' && content !== '') {
      if (isTrue && this.#falseAt === undefined) this.#items.push([content]);
      return true;
    }
    this.#conditions++;
    if (!isTrue) this.#falseAt ??= this.#conditions;
    return true;
  }

  /** Attributes, block attributes, anchors and titles of blocks. */
  #isSetting(line: string): boolean {
    const attribute = ATTRIBUTE.exec(line);
    if (attribute) {
      const [, name = '', value = ''] = attribute;
      if (name.includes('!')) this.attributes.delete(name.replace('!', ''));
      else this.attributes.set(name, this.#inline(value).slice(0, MAX_VALUE));
      return true;
    }
    const anchor = /^\[\[([^\],]+)(?:,[^\]]*)?\]\]$/.exec(line)?.[1];
    if (anchor !== undefined) {
      this.list.anchorNext(anchor);
      return true;
    }
    if (/^\[[^[\]]*\]$/.test(line)) {
      const id = /^\[(?:[\w ]*#([\w:.-]+?)(?=[.,%\]])|.*\bid="?([\w:.-]+))/.exec(line);
      if (id) this.list.anchorNext(id[1] ?? id[2]!);
      this.#cols = /\bcols="?([^"\]]*)/.exec(line)?.[1] ?? this.#cols;
      return true;
    }
    const title = /^\.([^\s.].*)$/.exec(line)?.[1];
    if (title !== undefined) this.list.paragraph(this.#inline(title));
    return title !== undefined;
  }

  /** The end of a block with this delimiter. Remembers delimiters that are not closed, so as not to search them again. */
  #endOf(lines: string[], start: number, delimiter: string): number | undefined {
    if (this.#missing.has(delimiter)) return undefined;
    const end = lines.indexOf(delimiter, start);
    if (end >= 0) return end;
    this.#missing.add(delimiter);
    return undefined;
  }

  #heading(level: number, raw: string): void {
    this.#flush();
    const [, own, rest] = /^\[\[([^\],]+)[^\]]*\]\](.*)$/.exec(raw) ?? [];
    const text = this.#inline((rest ?? raw).replace(/[ \t]+=+$/, ''));
    const anchor = own ?? this.list.takeAnchor() ?? (level === 1 ? undefined : this.#id(text));
    this.#isInHeader = level === 1 && this.list.blocks.length === 0;
    this.list.heading(level, text, anchor);
  }

  /** The id of Asciidoctor: `_two_words`, and `_two_words_2` for a repeated one. */
  #id(text: string): string {
    const prefix = this.attributes.get('idprefix') ?? '_';
    const separator = this.attributes.get('idseparator') ?? '_';
    const words = text
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc} .-]+/gu, '')
      .split(/[ .-]+/)
      .filter((word) => word !== '');
    const id = prefix + words.join(separator);
    const count = (this.#ids.get(id) ?? 0) + 1;
    this.#ids.set(id, count);
    return count === 1 ? id : `${id}${separator}${count}`;
  }

  #table(lines: string[], separator: string): void {
    const rows = tableRows(
      lines.filter((line) => !line.startsWith('//')),
      separator,
      this.#cols,
      (cell) => this.#inline(cell),
    );
    this.#cols = undefined;
    this.list.paragraph(rows.map((row) => row.join(' | ')).join('\n'));
  }

  #text(lines: string[], i: number): number {
    const line = lines[i]!;
    const item = ITEM.exec(line)?.[0];
    const term =
      item === undefined && line.includes(line.includes('::') ? '::' : ';;') ? TERM.exec(line) : null;
    if (item !== undefined) this.#items.push([line.slice(item.length)]);
    else if (term) {
      this.#items.push([`${term[1]} +`]);
      if (term[2]) this.#items.at(-1)!.push(term[2]);
    } else if (this.#items.length === 0 && /^[ \t]/.test(line)) {
      // A paragraph that is indented is code.
      let end = i;
      while (end < lines.length && lines[end] !== '' && lines[end] !== '+') end++;
      this.list.paragraph(lines.slice(i, end).join('\n'));
      return end - 1;
    } else {
      if (this.#items.length === 0) this.#items.push([line.replace(ADMONITION, '')]);
      else this.#items.at(-1)!.push(line.trim());
    }
    return i;
  }

  #flush(): void {
    this.list.paragraph(this.#items.map((item) => this.#join(item)).join('\n'));
    this.#items = [];
  }

  /** Joins lines, except after ` +`. */
  #join(lines: string[]): string {
    const groups: string[][] = [[]];
    for (const line of lines) {
      groups.at(-1)!.push(line.replace(/[ \t]\+$/, ''));
      if (/[ \t]\+$/.test(line)) groups.push([]);
    }
    return groups
      .map((group) => this.#inline(unwrap(group)))
      .filter((text) => text !== '')
      .join('\n');
  }

  #inline(text: string): string {
    return inlineAsciidoc(text, this.attributes);
  }
}

/** Whether the next line makes this one a heading: about as long, of one character. */
function isUnderlined(line: string, next: string): boolean {
  return (
    /^(?:={2,}|-{3,}|~{2,}|\^{2,}|\+{2,})$/.test(next) &&
    /[\p{L}\p{N}]/u.test(line) &&
    Math.abs([...line].length - next.length) <= 2 &&
    !/^[ \t[.]/.test(line)
  );
}
