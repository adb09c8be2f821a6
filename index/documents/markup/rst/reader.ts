import type { MetadataValue } from '../../../format/passage.ts';
import type { Block, Document } from '../../document.ts';
import { MAX_DEPTH } from '../../nesting.ts';
import { unwrap } from '../../plain/paragraphs.ts';
import { BlockList } from '../block-list.ts';
import { titleFromHeadings } from '../readme.ts';
import { type Directive, describesPython, directiveKind, readDirective, trimBlank } from './directives.ts';
import { inlineRst } from './inline.ts';
import { csvRows, GRID_BORDER, gridRows, listRows, SIMPLE_BORDER, simpleRows } from './tables.ts';

const ADORNMENT = /^([!-/:-@[-`{-~])\1*$/;
const EXPLICIT = /^\.\.(?:[ ]+(.*))?$/;
const BULLET = /^[-*+•‣⁃](?:[ ]+|$)/;
const ENUMERATOR =
  /^(?:\(?(?:\d{1,9}|[a-zA-Z]|[ivxlcdm]{1,9}|[IVXLCDM]{1,9}|#)\)|(?:\d{1,9}|[a-zA-Z]|[ivxlcdm]{1,9}|[IVXLCDM]{1,9}|#)\.)(?:[ ]+|$)/;
const FIELD = /^:((?![ ])[^:\n]{1,200}(?:\\:[^:\n]{0,200})?(?<![ ])):(?:[ ]+(.*))?$/;
/** What Sphinx prints before these directives. */
const VERSION_LABELS = new Map([
  ['versionadded', 'Added in version'],
  ['versionchanged', 'Changed in version'],
  ['deprecated', 'Deprecated since version'],
  ['versionremoved', 'Removed in version'],
]);
/** UTF-16 code units. Longer fields at the top are text. */
const MAX_FIELD = 500;

/**
 * Reads reStructuredText, as docutils and Sphinx do, without following includes. The title is the first heading. Fields at the top
 * are metadata; `:lang:` and `:language:` are the language.
 */
export function readRst(text: string, source: string, path = source): Document {
  const lines = text
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map((line) => expandTabs(line).trimEnd());
  const reader = new RstReader(lines);
  const { blocks } = reader.list;
  return {
    source,
    title: reader.title ?? titleFromHeadings(blocks, source, path),
    lang: reader.lang,
    metadata: reader.metadata(),
    blocks,
  };
}

function expandTabs(line: string): string {
  if (!line.includes('\t')) return line;
  let out = '';
  for (const part of line.split(/(?<=\t)/)) {
    const text = part.replace('\t', '');
    out += text;
    if (text !== part) out += ' '.repeat(8 - (out.length % 8));
  }
  return out;
}

class RstReader {
  readonly list = new BlockList();
  title: string | undefined;
  lang: string | undefined;
  readonly #fields = new Map<string, MetadataValue>();
  readonly #substitutions = new Map<string, string>();
  /** Adornments of headings in order of appearance. */
  readonly #levels: string[] = [];
  readonly #slugs = new Set<string>();
  /** Prefix of names that Python directives describe. */
  #module = '';

  constructor(lines: string[]) {
    for (const line of lines) {
      const [, name, value] =
        /^\.\. \|([^|]+)\| (?:replace:: *(.*)|(?:image|unicode|date)::.*)$/.exec(line) ?? [];
      if (name !== undefined) this.#substitutions.set(name, this.#inline(value ?? ''));
    }
    this.#read(lines, this.list, 0, '');
  }

  metadata(): Record<string, MetadataValue> | undefined {
    return this.#fields.size === 0 ? undefined : Object.fromEntries(this.#fields);
  }

  #inline(text: string): string {
    return inlineRst(text, this.#substitutions);
  }

  #paragraph(lines: string[]): string {
    return this.#inline(unwrap(lines.map((line) => line.trim())));
  }

  /** @param prefix of the names that directives in it describe */
  #read(lines: string[], list: BlockList, depth: number, prefix: string): void {
    if (depth > MAX_DEPTH) {
      list.paragraph(this.#paragraph(lines));
      return;
    }
    for (let i = 0; i < lines.length; ) {
      const line = lines[i]!;
      if (line === '') i++;
      else if (line.startsWith(' ')) i = this.#indented(lines, i, list, depth, prefix);
      else i = this.#element(lines, i, list, depth, prefix);
    }
  }

  /** A quotation. */
  #indented(lines: string[], start: number, list: BlockList, depth: number, prefix: string): number {
    const end = blockEnd(lines, start);
    this.#read(dedent(lines.slice(start, end)), list, depth + 1, prefix);
    return end;
  }

  /** Reads the element that begins in a line without indentation. Returns the number of the line after it. */
  #element(lines: string[], i: number, list: BlockList, depth: number, prefix: string): number {
    const line = lines[i]!;
    const next = lines[i + 1] ?? '';
    if (EXPLICIT.test(line)) return this.#explicit(lines, i, list, depth, prefix);
    if (/^__(?: |$)/.test(line)) return blockEnd(lines, i + 1);
    if (GRID_BORDER.test(line)) {
      const end = blankAfter(lines, i);
      addTable(
        list,
        gridRows(lines.slice(i, end), (cell) => this.#inline(cell)),
      );
      return end;
    }
    if (SIMPLE_BORDER.test(line)) return this.#simpleTable(lines, i, list);
    if (ADORNMENT.test(line)) {
      if (next !== '' && lines[i + 2] === line && !ADORNMENT.test(next)) {
        this.#heading(next, `over ${line[0]}`, list);
        return i + 3;
      }
      // A transition.
      if (line.length >= 4 && next === '') return i + 1;
    }
    if (isUnderline(line, next)) {
      this.#heading(line, next[0]!, list);
      return i + 2;
    }
    if (BULLET.test(line)) return this.#items(lines, i, BULLET, list, depth, prefix);
    if (ENUMERATOR.test(line) && (next === '' || next.startsWith(' ') || ENUMERATOR.test(next)))
      return this.#items(lines, i, ENUMERATOR, list, depth, prefix);
    if (FIELD.test(line)) return this.#field(lines, i, list, depth, prefix);
    if (/^\|(?: |$)/.test(line)) return this.#lineBlock(lines, i, list);
    if (line.startsWith('>>> ')) {
      const end = blankAfter(lines, i);
      list.paragraph(lines.slice(i, end).join('\n'));
      return end;
    }
    if (next.startsWith(' ') && !line.endsWith('::')) return this.#definition(lines, i, list, depth, prefix);
    return this.#text(lines, i, list);
  }

  #heading(text: string, adornment: string, list: BlockList): void {
    let level = this.#levels.indexOf(adornment);
    if (level < 0) level = this.#levels.push(adornment) - 1;
    const title = this.#inline(text.trim());
    const slug = makeId(title);
    // Sphinx numbers ids of repeated titles and of titles without Latin letters.
    const anchor = slug === '' || this.#slugs.has(slug) ? undefined : slug;
    this.#slugs.add(slug);
    list.heading(level + 1, title, list.takeAnchor() ?? anchor);
  }

  #text(lines: string[], start: number, list: BlockList): number {
    let end = start + 1;
    while (end < lines.length && lines[end] !== '' && !isUnderline(lines[end]!, lines[end + 1] ?? '')) end++;
    const last = lines[end - 1]!;
    const content = lines.slice(start, end);
    if (!last.endsWith('::')) {
      list.paragraph(this.#paragraph(content));
      return end;
    }
    content[content.length - 1] = /^(?:.*\s)?::$/.test(last) ? last.slice(0, -2) : last.slice(0, -1);
    list.paragraph(this.#paragraph(content));
    return literalBlock(lines, end, list);
  }

  #lineBlock(lines: string[], start: number, list: BlockList): number {
    let end = start;
    while (end < lines.length && /^(?:\||\s+\S)/.test(lines[end]!)) end++;
    const content = lines.slice(start, end).map((line) => this.#inline(line.replace(/^\| ?/, '').trim()));
    list.paragraph(content.join('\n'));
    return end;
  }

  /** Bullets or numbers. Without blank lines, the list is one paragraph. */
  #items(
    lines: string[],
    start: number,
    marker: RegExp,
    list: BlockList,
    depth: number,
    prefix: string,
  ): number {
    const items: Block[][] = [];
    let isLoose = false;
    let i = start;
    while (i < lines.length) {
      const mark = marker.exec(lines[i]!)?.[0];
      if (mark === undefined) break;
      const end = blockEnd(lines, i + 1);
      const content = [lines[i]!.slice(mark.length), ...dedent(lines.slice(i + 1, end), mark.length)];
      isLoose ||= trimBlank(content).includes('') || (content.at(-1) === '' && marker.test(lines[end] ?? ''));
      const item = new BlockList();
      this.#read(content, item, depth + 1, prefix);
      items.push(item.blocks);
      i = end;
    }
    if (isLoose) list.add(items.flat());
    else
      list.paragraph(
        items.map((item) => item.map(({ text }) => text).join('\n')).join('\n'),
        items[0]?.[0]?.anchor,
      );
    return i;
  }

  /** A term, and its definition in the next lines. */
  #definition(lines: string[], start: number, list: BlockList, depth: number, prefix: string): number {
    const end = blockEnd(lines, start + 1);
    this.#titled(this.#inline(lines[start]!), dedent(lines.slice(start + 1, end)), list, depth, prefix);
    return end;
  }

  /** A title, and content whose first paragraph belongs to it. */
  #titled(title: string, content: string[], list: BlockList, depth: number, prefix: string): void {
    const inner = new BlockList();
    this.#read(content, inner, depth + 1, prefix);
    const [first, ...rest] = inner.blocks;
    list.paragraph(first ? `${title}\n${first.text}`.trim() : title);
    list.add(rest);
  }

  #field(lines: string[], start: number, list: BlockList, depth: number, prefix: string): number {
    const [, name = '', rest = ''] = FIELD.exec(lines[start]!) ?? [];
    const end = blockEnd(lines, start + 1);
    const content = [rest, ...dedent(lines.slice(start + 1, end))];
    const key = name.toLowerCase();
    const value = this.#paragraph(content.filter((line) => line !== '')).replace(/^\$\w+: (.*) \$$/, '$1');
    const isTop = depth === 0 && list.blocks.every(({ kind }) => kind === 'heading');
    if (isTop && value.length <= MAX_FIELD && !/^(?:abstract|dedication)$/.test(key)) {
      if (/^lang(?:uage)?$/.test(key) && /^[a-z]{2,3}(?:[-_]\w+)*$/i.test(value))
        this.lang = value.replaceAll('_', '-');
      else if (key === 'title' && value !== '') this.title = value;
      else if (value !== '') this.#fields.set(key, value);
    } else if (trimBlank(content).length > 0)
      this.#titled(`${this.#inline(name)}:`, content, list, depth, prefix);
    return end;
  }

  #simpleTable(lines: string[], start: number, list: BlockList): number {
    let end = start + 1;
    let borders = 0;
    while (end < lines.length && !(borders > 0 && lines[end] === '' && SIMPLE_BORDER.test(lines[end - 1]!))) {
      if (SIMPLE_BORDER.test(lines[end]!)) borders++;
      end++;
    }
    addTable(
      list,
      simpleRows(lines[start]!, lines.slice(start + 1, end), (cell) => this.#inline(cell)),
    );
    return end;
  }

  /** `.. ` begins a target, a footnote, a directive, or a comment. */
  #explicit(lines: string[], start: number, list: BlockList, depth: number, prefix: string): number {
    // An empty comment does not continue after a blank line.
    if (lines[start] === '..' && (lines[start + 1] ?? '') === '') return start + 1;
    const end = blockEnd(lines, start + 1);
    const [, head = ''] = EXPLICIT.exec(lines[start]!) ?? [];
    const body = dedent(lines.slice(start + 1, end));
    const target = /^_(?:`([^`]+)`|([^:`_][^:]*)):$/.exec(head);
    if (target && body.every((line) => line === '')) list.anchorNext(makeId(target[1] ?? target[2] ?? ''));
    const note = /^\[(?:\d+|#[\w-]*|\*|[\w.:-]+)\](?:[ ]+(.*))?$/.exec(head);
    if (note) this.#read([note[1] ?? '', ...body], list, depth + 1, prefix);
    const [, name, rest = ''] = /^((?!\|)[\w:.+-]+?) ?::(?:[ ]+(.*))?$/.exec(head) ?? [];
    if (name !== undefined) this.#directive(readDirective(name, rest, body), list, depth, prefix);
    return end;
  }

  #directive(directive: Directive, list: BlockList, depth: number, prefix: string): void {
    const { name, argument, options, content } = directive;
    const anchor = options.get('name');
    const cell = (text: string) => this.#inline(text);
    if (anchor) list.anchorNext(makeId(anchor));
    if (/^(?:py:)?(?:current)?module$/.test(name)) {
      this.#module = `${argument}.`;
      if (!name.includes('current')) list.anchorNext(`module-${argument}`);
      this.#read(content, list, depth + 1, prefix);
      return;
    }
    if (name === 'csv-table' || name === 'list-table') {
      list.paragraph(this.#inline(argument));
      const delimiter = options.get('delim')?.slice(0, 1) || ',';
      const header = options.get('header');
      const rows =
        name === 'list-table'
          ? listRows(content, cell)
          : csvRows([header ?? '', ...content].join('\n'), delimiter, cell);
      addTable(list, rows);
      return;
    }
    switch (directiveKind(directive)) {
      case 'dropped':
        return;
      case 'literal':
        list.paragraph(options.get('caption') ?? '');
        list.paragraph(
          [...(content.length === 0 || name === 'math' ? argument.split('\n') : []), ...content].join('\n'),
        );
        return;
      case 'content': {
        const [, version, text = ''] = VERSION_LABELS.has(name)
          ? (/^(\S+)\s*(.*)$/s.exec(argument) ?? [])
          : [];
        const label = version === undefined ? '' : `${VERSION_LABELS.get(name)} ${version}`;
        const start = label && (text || content.length > 0) ? `${label}: ${text}` : label || argument;
        this.#read(
          [...start.split('\n'), ...(start && content.length > 0 ? ['', ...content] : content)],
          list,
          depth + 1,
          prefix,
        );
        return;
      }
      case 'titled':
        list.paragraph(this.#inline(argument.replace(/\n/g, ' ')));
        this.#read(content, list, depth + 1, prefix);
        return;
      case 'figure':
      case 'only-content':
        this.#read(content, list, depth + (name === 'only' ? 0 : 1), prefix);
        return;
      case 'described': {
        const own = /^(?:[\w ]*\s)?(\w+(?:\.\w+)*)/.exec(argument)?.[1];
        const isFull = own?.includes('.') && own.split('.')[0] === this.#module.split('.')[0];
        const full =
          describesPython(name) && own ? (isFull ? own : `${prefix || this.#module}${own}`) : undefined;
        if (full) list.anchorNext(full);
        this.#titled(
          argument,
          content,
          list,
          depth,
          full && /class|exception/.test(name) ? `${full}.` : prefix,
        );
      }
    }
  }
}

/** Whether the next line makes this one a heading. */
function isUnderline(line: string, next: string): boolean {
  return (
    ADORNMENT.test(next) &&
    (next.length >= line.length || next.length >= 4) &&
    !line.startsWith(' ') &&
    line !== '' &&
    !ADORNMENT.test(line)
  );
}

/** The line after an indented block: the next one without indentation. */
function blockEnd(lines: string[], start: number): number {
  let end = start;
  while (end < lines.length && (lines[end] === '' || lines[end]!.startsWith(' '))) end++;
  return end;
}

function blankAfter(lines: string[], start: number): number {
  let end = start;
  while (end < lines.length && lines[end] !== '') end++;
  return end;
}

/** Removes the indentation that all lines have in common, but at most `most` columns. */
function dedent(lines: string[], most = Number.POSITIVE_INFINITY): string[] {
  const indents = lines.filter((line) => line !== '').map((line) => line.length - line.trimStart().length);
  const common = indents.reduce((least, next) => Math.min(least, next), most);
  return common === Number.POSITIVE_INFINITY ? lines : lines.map((line) => line.slice(common));
}

/** Code after `::`: indented, or each line with the same quote mark. */
function literalBlock(lines: string[], start: number, list: BlockList): number {
  let first = start;
  while (first < lines.length && lines[first] === '') first++;
  const line = lines[first];
  if (line === undefined) return first;
  if (line.startsWith(' ')) {
    const end = blockEnd(lines, first);
    list.paragraph(dedent(lines.slice(first, end)).join('\n'));
    return end;
  }
  if (!/^[!-/:-@[-`{-~]/.test(line)) return first;
  let end = first;
  while (end < lines.length && lines[end]!.startsWith(line[0]!)) end++;
  list.paragraph(lines.slice(first, end).join('\n'));
  return end;
}

function addTable(list: BlockList, rows: string[][]): void {
  list.paragraph(rows.map((row) => row.join(' | ')).join('\n'));
}

/** The id that docutils makes of a name or title: ASCII letters, digits and hyphens. */
function makeId(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '');
}
