import { type Block, type Document, languageTag } from '../document.ts';
import { MAX_DEPTH } from '../file.ts';
import { unwrap } from '../plain/paragraphs.ts';
import { BlockList } from './block-list.ts';
import { titleFromHeadings } from './readme.ts';
import {
  blankAfter,
  blockEnd,
  csvRows,
  dedent,
  expandTabs,
  GRID_BORDER,
  gridRows,
  inlineRst,
  listRows,
  makeId,
  runEnd,
  SIMPLE_BORDER,
  simpleRows,
  trimBlank,
} from './rst-text.ts';

const EXPLICIT = /^\.\.(?:[ ]+(.*))?$/;
const BULLET = /^[-*+•‣⁃](?:[ ]+|$)/;
const ENUMERATOR =
  /^(?:\(?(?:\d{1,9}|[a-zA-Z]|[ivxlcdm]{1,9}|[IVXLCDM]{1,9}|#)\)|(?:\d{1,9}|[a-zA-Z]|[ivxlcdm]{1,9}|[IVXLCDM]{1,9}|#)\.)(?:[ ]+|$)/;
const FIELD = /^:((?![ ])[^:\n]{1,200}(?:\\:[^:\n]{0,200})?(?<![ ])):(?:[ ]+(.*))?$/;
/** UTF-16 code units. Longer fields at the top are text. */
const MAX_FIELD = 500;
/** Substitutions may contain each other. */
const MAX_SUBSTITUTION = 500;

/** A line of one punctuation mark: above and below headings, and between sections. */
const ADORNMENT = /^([!-/:-@[-`{-~])\1*$/;

/** Whether the next line makes this one a heading. */
function isUnderline(line: string, next: string): boolean {
  return ADORNMENT.test(next) && (next.length >= line.length || next.length >= 4) && !ADORNMENT.test(line);
}

const OPTION = /^:([\w-]+):(?:[ ]+(.*))?$/;

/** What Sphinx prints before these directives. */
const VERSION_LABELS = new Map([
  ['versionadded', 'Added in version'],
  ['versionchanged', 'Changed in version'],
  ['deprecated', 'Deprecated since version'],
  ['versionremoved', 'Removed in version'],
]);

/** How the text of a directive is read. */
const KINDS = {
  dropped: `toctree contents sectnum image raw include literalinclude index meta highlight default-role role tabularcolumns
    autosummary automodule autoclass autofunction automethod autodata autoattribute autoexception title sectionauthor codeauthor
    moduleauthor testsetup testcleanup header footer target-notes date unicode replace graphviz digraph graph
    inheritance-diagram bibliography program`,
  module: 'module currentmodule py:module py:currentmodule',
  table: 'csv-table list-table',
  literal: `code code-block sourcecode parsed-literal math prompt doctest testcode testoutput productionlist ipython console uml
    mermaid`,
  /** The argument is a title, and the content is text. */
  titled: `admonition topic sidebar rubric tab tab-item group-tab dropdown card collapse details grid-item-card table centered
    deprecated-removed`,
  /** The argument is the start of the content. */
  starting: `note warning tip hint important attention caution danger error seealso todo compound epigraph highlights pull-quote
    versionadded versionchanged deprecated versionremoved impl-detail availability`,
  /** The content is text. */
  content:
    'figure only class container ifconfig tabs tab-set grid hlist glossary line-block rst-class cssclass',
};
type Kind = keyof typeof KINDS;
const KIND_OF = new Map(
  (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
    KINDS[kind].split(/\s+/).map((name) => [name, kind] as const),
  ),
);
/** Describe a name of a Python program. */
const PYTHON =
  /^(?:py:)?(?:function|class|method|attribute|data|exception|decorator|classmethod|staticmethod|property|coroutinefunction|coroutinemethod|awaitablefunction)$/;

/** A directive: `.. name:: argument`, options and content. */
interface Directive {
  name: string;
  argument: string;
  options: Map<string, string>;
  content: string[];
}

/** The part of a text that elements are read from: the document, or the content of an element. */
interface Body {
  list: BlockList;
  depth: number;
  /** Of the names that directives in it describe: `Class.`. */
  prefix: string;
}

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
  const { title, lang, fields } = reader;
  return {
    source,
    title: title ?? titleFromHeadings(blocks, source, path),
    lang,
    metadata: fields.size === 0 ? undefined : Object.fromEntries(fields),
    blocks,
  };
}

class RstReader {
  readonly list = new BlockList();
  /** What the fields at the top say about the text. */
  title: string | undefined;
  lang: string | undefined;
  readonly fields = new Map<string, string>();
  /** Adornments of headings in order of appearance. */
  readonly #levels: string[] = [];
  readonly #ids = new Set<string>();
  /** Prefix of names that Python directives describe. */
  #module = '';
  readonly #substitutions = new Map<string, string>();

  constructor(lines: string[]) {
    for (const line of lines) {
      const [, name, value] =
        /^\.\. \|([^|]+)\| (?:replace:: *(.*)|(?:image|unicode|date)::.*)$/.exec(line) ?? [];
      if (name !== undefined)
        this.#substitutions.set(name, this.#inline(value ?? '').slice(0, MAX_SUBSTITUTION));
    }
    this.#read(lines, { list: this.list, depth: 0, prefix: '' });
  }

  #inline(text: string): string {
    return inlineRst(text, this.#substitutions);
  }

  #read(lines: string[], body: Body): void {
    if (body.depth > MAX_DEPTH) {
      body.list.paragraph(this.#paragraph(lines));
      return;
    }
    for (let i = 0; i < lines.length; ) {
      const line = lines[i]!;
      if (line === '') i++;
      else if (line.startsWith(' ')) i = this.#quotation(lines, i, body);
      else i = this.#element(lines, i, body);
    }
  }

  #titled(title: string, content: string[], body: Body): void {
    const list = new BlockList();
    this.#read(content, bodyIn(body, { list }));
    const [first, ...rest] = list.blocks;
    body.list.paragraph(first ? `${title}\n${first.text}`.trim() : title);
    body.list.add(rest);
  }

  /** @param adornment its character, with `over` if there is a line above too */
  #heading(list: BlockList, title: string, adornment: string): void {
    let level = this.#levels.indexOf(adornment);
    if (level < 0) level = this.#levels.push(adornment) - 1;
    const id = makeId(title);
    // Sphinx numbers ids of repeated titles and of titles without Latin letters.
    const anchor = id === '' || this.#ids.has(id) ? undefined : id;
    this.#ids.add(id);
    list.heading(level + 1, title, list.takeAnchor() ?? anchor);
  }

  #paragraph(lines: string[]): string {
    return this.#inline(unwrap(lines.map((line) => line.trim())));
  }

  #quotation(lines: string[], start: number, body: Body): number {
    const end = blockEnd(lines, start);
    this.#read(dedent(lines.slice(start, end)), bodyIn(body));
    return end;
  }

  /** Reads the element that begins in a line without indentation. Returns the number of the line after it. */
  #element(lines: string[], i: number, body: Body): number {
    const line = lines[i]!;
    const next = lines[i + 1] ?? '';
    if (EXPLICIT.test(line)) return this.#explicit(lines, i, body);
    if (/^__(?: |$)/.test(line)) return blockEnd(lines, i + 1);
    if (GRID_BORDER.test(line)) {
      const end = blankAfter(lines, i);
      body.list.table(gridRows(lines.slice(i, end), (cell) => this.#inline(cell)));
      return end;
    }
    if (SIMPLE_BORDER.test(line)) return this.#simpleTable(lines, i, body.list);
    if (ADORNMENT.test(line)) {
      if (next !== '' && lines[i + 2] === line && !ADORNMENT.test(next)) {
        this.#heading(body.list, this.#inline(next.trim()), `over ${line[0]}`);
        return i + 3;
      }
      // A transition.
      if (line.length >= 4 && next === '') return i + 1;
    }
    if (isUnderline(line, next)) {
      this.#heading(body.list, this.#inline(line.trim()), next[0]!);
      return i + 2;
    }
    if (BULLET.test(line)) return this.#items(lines, i, BULLET, body);
    if (ENUMERATOR.test(line) && (next === '' || next.startsWith(' ') || ENUMERATOR.test(next)))
      return this.#items(lines, i, ENUMERATOR, body);
    if (FIELD.test(line)) return this.#field(lines, i, body);
    if (/^\|(?: |$)/.test(line)) return this.#lineBlock(lines, i, body.list);
    if (line.startsWith('>>> ')) {
      const end = blankAfter(lines, i);
      body.list.paragraph(lines.slice(i, end).join('\n'));
      return end;
    }
    if (next.startsWith(' ') && !line.endsWith('::')) return this.#definition(lines, i, body);
    return this.#text(lines, i, body.list);
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
    const end = runEnd(lines, start, (line) => /^(?:\||\s+\S)/.test(line));
    const content = lines.slice(start, end).map((line) => this.#inline(line.replace(/^\| ?/, '').trim()));
    list.paragraph(content.join('\n'));
    return end;
  }

  /** Bullets or numbers. Without blank lines, the list is one paragraph. */
  #items(lines: string[], start: number, marker: RegExp, body: Body): number {
    const items: Block[][] = [];
    let isLoose = false;
    let i = start;
    while (i < lines.length) {
      const mark = marker.exec(lines[i]!)?.[0];
      if (mark === undefined) break;
      const end = blockEnd(lines, i + 1);
      const content = [lines[i]!.slice(mark.length), ...dedent(lines.slice(i + 1, end), mark.length)];
      isLoose ||= trimBlank(content).includes('') || (content.at(-1) === '' && marker.test(lines[end] ?? ''));
      const list = new BlockList();
      this.#read(content, bodyIn(body, { list }));
      items.push(list.blocks);
      i = end;
    }
    if (isLoose) body.list.add(items.flat());
    else
      body.list.paragraph(
        items.map((item) => item.map(({ text }) => text).join('\n')).join('\n'),
        items[0]?.[0]?.anchor,
      );
    return i;
  }

  /** A term, and its definition in the next lines. */
  #definition(lines: string[], start: number, body: Body): number {
    const end = blockEnd(lines, start + 1);
    this.#titled(this.#inline(lines[start]!), dedent(lines.slice(start + 1, end)), body);
    return end;
  }

  #field(lines: string[], start: number, body: Body): number {
    const [, name = '', rest = ''] = FIELD.exec(lines[start]!) ?? [];
    const end = blockEnd(lines, start + 1);
    const content = [rest, ...dedent(lines.slice(start + 1, end))];
    const value = this.#paragraph(content.filter((line) => line !== '')).replace(/^\$\w+: (.*) \$$/, '$1');
    const isTop = body.depth === 0 && body.list.blocks.every(({ kind }) => kind === 'heading');
    if (!(isTop && this.#takeField(name, value)) && trimBlank(content).length > 0)
      this.#titled(`${this.#inline(name)}:`, content, body);
    return end;
  }

  /** Takes a field at the top, unless it is text of the document. Whether it was taken. Empty fields are dropped. */
  #takeField(name: string, value: string): boolean {
    const key = name.toLowerCase();
    if (value.length > MAX_FIELD || /^(?:abstract|dedication)$/.test(key)) return false;
    const lang = /^lang(?:uage)?$/.test(key) ? languageTag(value) : undefined;
    if (lang !== undefined) this.lang = lang;
    else if (key === 'title' && value !== '') this.title = value;
    else if (value !== '') this.fields.set(key, value);
    return true;
  }

  #simpleTable(lines: string[], start: number, list: BlockList): number {
    let end = start + 1;
    let borders = 0;
    while (end < lines.length && !(borders > 0 && lines[end] === '' && SIMPLE_BORDER.test(lines[end - 1]!))) {
      if (SIMPLE_BORDER.test(lines[end]!)) borders++;
      end++;
    }
    list.table(simpleRows(lines[start]!, lines.slice(start + 1, end), (cell) => this.#inline(cell)));
    return end;
  }

  /** `.. ` begins a target, a footnote, a directive, or a comment. */
  #explicit(lines: string[], start: number, body: Body): number {
    // An empty comment does not continue after a blank line.
    if (lines[start] === '..' && (lines[start + 1] ?? '') === '') return start + 1;
    const end = blockEnd(lines, start + 1);
    const [, head = ''] = EXPLICIT.exec(lines[start]!) ?? [];
    const content = dedent(lines.slice(start + 1, end));
    const target = /^_(?:`([^`]+)`|([^:`_][^:]*)):$/.exec(head);
    if (target && content.every((line) => line === ''))
      body.list.anchorNext(makeId(target[1] ?? target[2] ?? ''));
    const note = /^\[(?:\d+|#[\w-]*|\*|[\w.:-]+)\](?:[ ]+(.*))?$/.exec(head);
    if (note) this.#read([note[1] ?? '', ...content], bodyIn(body));
    const [, name, rest = ''] = /^((?!\|)[\w:.+-]+?) ?::(?:[ ]+(.*))?$/.exec(head) ?? [];
    if (name !== undefined) this.#directive(readDirective(name, rest, content), body);
    return end;
  }

  #directive(directive: Directive, body: Body): void {
    const { name, argument, options, content } = directive;
    const { list } = body;
    const anchor = options.get('name');
    if (anchor) list.anchorNext(makeId(anchor));
    switch (kindOf(directive)) {
      case 'dropped':
        return;
      case 'module':
        this.#module = `${argument}.`;
        if (!name.includes('current')) list.anchorNext(`module-${argument}`);
        break;
      case 'table':
        this.#table(directive, list);
        return;
      case 'literal':
        list.paragraph(options.get('caption') ?? '');
        list.paragraph(
          [...(content.length === 0 || name === 'math' ? [argument] : []), ...content].join('\n'),
        );
        return;
      case 'starting':
        this.#startedContent(directive, body);
        return;
      case 'described':
        this.#described(directive, body);
        return;
      case 'titled':
        list.paragraph(this.#inline(argument.replace(/\n/g, ' ')));
    }
    this.#read(content, name === 'only' ? body : bodyIn(body));
  }

  #table({ name, argument, options, content }: Directive, list: BlockList): void {
    const cell = (text: string) => this.#inline(text);
    list.paragraph(cell(argument));
    const delimiter = options.get('delim')?.slice(0, 1) || ',';
    const header = options.get('header') ?? '';
    list.table(
      name === 'list-table'
        ? listRows(content, cell)
        : csvRows([header, ...content].join('\n'), delimiter, cell),
    );
  }

  /** The argument is the start of the content, after a version if there is one. */
  #startedContent({ name, argument, content }: Directive, body: Body): void {
    const [, version, text = ''] = VERSION_LABELS.has(name) ? (/^(\S+)\s*(.*)$/s.exec(argument) ?? []) : [];
    const label = version === undefined ? '' : `${VERSION_LABELS.get(name)} ${version}`;
    const start = label && (text || content.length > 0) ? `${label}: ${text}` : label || argument;
    this.#read(
      [...start.split('\n'), ...(start && content.length > 0 ? ['', ...content] : content)],
      bodyIn(body),
    );
  }

  /** The description of a function, a class or the like. */
  #described({ name, argument, content }: Directive, body: Body): void {
    const own = /^(?:[\w ]*\s)?(\w+(?:\.\w+)*)/.exec(argument)?.[1];
    const isFull = own?.includes('.') && own.split('.')[0] === this.#module.split('.')[0];
    const full =
      PYTHON.test(name) && own ? (isFull ? own : `${body.prefix || this.#module}${own}`) : undefined;
    if (full) body.list.anchorNext(full);
    const prefix = full && /class|exception/.test(name) ? `${full}.` : body.prefix;
    this.#titled(argument, content, { ...body, prefix });
  }
}

/** Code after `::`: indented, or each line with the same quote mark. */
function literalBlock(lines: string[], start: number, list: BlockList): number {
  const first = runEnd(lines, start, (line) => line === '');
  const line = lines[first];
  if (line === undefined) return first;
  if (line.startsWith(' ')) {
    const end = blockEnd(lines, first);
    list.paragraph(dedent(lines.slice(first, end)).join('\n'));
    return end;
  }
  if (!/^[!-/:-@[-`{-~]/.test(line)) return first;
  const end = runEnd(lines, first, (next) => next.startsWith(line[0]!));
  list.paragraph(lines.slice(first, end).join('\n'));
  return end;
}

/** The body of an element in a body. It adds to the same list, unless it has its own. */
function bodyIn(body: Body, own: Partial<Body> = {}): Body {
  return { ...body, depth: body.depth + 1, ...own };
}

/** The kind of a directive, or `described`: it describes something that its arguments name, such as a function. */
function kindOf({ name, argument, content }: Directive): Kind | 'described' {
  // In docutils, `class` sets the style of its content. In Sphinx, it describes a class.
  if (name === 'class' && /[A-Z(.]/.test(argument)) return 'described';
  return KIND_OF.get(name) ?? (content.length > 0 || PYTHON.test(name) ? 'described' : 'dropped');
}

/** Reads a directive from the lines of its block, where the lines after the first are dedented. */
function readDirective(name: string, rest: string, lines: string[]): Directive {
  const end = blankAfter(lines, 0);
  const start = Math.min(
    end,
    runEnd(lines, 0, (line) => !OPTION.test(line)),
  );
  const argument = [rest, ...lines.slice(0, start)].map((line) => line.trim()).filter((line) => line !== '');
  const options = new Map<string, string>();
  let last = '';
  for (const line of lines.slice(start, end)) {
    const [option, key = last, value = ''] = OPTION.exec(line) ?? [];
    options.set(key, (option === undefined ? `${options.get(key)} ${line.trim()}` : value).trim());
    last = key;
  }
  const content = trimBlank(lines.slice(end));
  return { name: name.toLowerCase(), argument: argument.join('\n'), options, content };
}
