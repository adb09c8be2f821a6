import type { Block, Document } from '../../document.ts';
import { MAX_DEPTH } from '../../nesting.ts';
import { unwrap } from '../../plain/paragraphs.ts';
import { BlockList } from '../block-list.ts';
import { dedent } from '../dedent.ts';
import { titleFromHeadings } from '../readme.ts';
import { expandTabs } from '../tabs.ts';
import { type Body, type BodyReader, bodyIn } from './body.ts';
import { DirectiveReader } from './directive-reader.ts';
import { readDirective } from './directives.ts';
import { DocInfo } from './doc-info.ts';
import { ADORNMENT, Headings, isUnderline, makeId } from './headings.ts';
import { inlineRst } from './inline.ts';
import { blankAfter, blockEnd, trimBlank } from './lines.ts';
import { GRID_BORDER, gridRows, SIMPLE_BORDER, simpleRows } from './tables.ts';

const EXPLICIT = /^\.\.(?:[ ]+(.*))?$/;
const BULLET = /^[-*+•‣⁃](?:[ ]+|$)/;
const ENUMERATOR =
  /^(?:\(?(?:\d{1,9}|[a-zA-Z]|[ivxlcdm]{1,9}|[IVXLCDM]{1,9}|#)\)|(?:\d{1,9}|[a-zA-Z]|[ivxlcdm]{1,9}|[IVXLCDM]{1,9}|#)\.)(?:[ ]+|$)/;
const FIELD = /^:((?![ ])[^:\n]{1,200}(?:\\:[^:\n]{0,200})?(?<![ ])):(?:[ ]+(.*))?$/;
/** Substitutions may contain each other. */
const MAX_SUBSTITUTION = 500;

/**
 * Reads reStructuredText, as docutils and Sphinx do, without following includes. The title is the first heading. Fields at the top
 * are metadata; `:lang:` and `:language:` are the language.
 */
export function readRst(text: string, source: string, path = source): Document {
  const lines = text
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map((line) => expandTabs(line, 8).trimEnd());
  const reader = new RstReader(lines);
  const { blocks } = reader.list;
  const { title, lang, metadata } = reader.docInfo;
  return {
    source,
    title: title ?? titleFromHeadings(blocks, source, path),
    lang,
    metadata,
    blocks,
  };
}

class RstReader implements BodyReader {
  readonly list = new BlockList();
  readonly docInfo = new DocInfo();
  readonly #headings = new Headings();
  readonly #directives = new DirectiveReader(this);
  readonly #substitutions = new Map<string, string>();

  constructor(lines: string[]) {
    for (const line of lines) {
      const [, name, value] =
        /^\.\. \|([^|]+)\| (?:replace:: *(.*)|(?:image|unicode|date)::.*)$/.exec(line) ?? [];
      if (name !== undefined)
        this.#substitutions.set(name, this.inline(value ?? '').slice(0, MAX_SUBSTITUTION));
    }
    this.read(lines, { list: this.list, depth: 0, prefix: '' });
  }

  inline(text: string): string {
    return inlineRst(text, this.#substitutions);
  }

  read(lines: string[], body: Body): void {
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

  titled(title: string, content: string[], body: Body): void {
    const list = new BlockList();
    this.read(content, bodyIn(body, { list }));
    const [first, ...rest] = list.blocks;
    body.list.paragraph(first ? `${title}\n${first.text}`.trim() : title);
    body.list.add(rest);
  }

  #paragraph(lines: string[]): string {
    return this.inline(unwrap(lines.map((line) => line.trim())));
  }

  #quotation(lines: string[], start: number, body: Body): number {
    const end = blockEnd(lines, start);
    this.read(dedent(lines.slice(start, end)), bodyIn(body));
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
      body.list.table(gridRows(lines.slice(i, end), (cell) => this.inline(cell)));
      return end;
    }
    if (SIMPLE_BORDER.test(line)) return this.#simpleTable(lines, i, body.list);
    if (ADORNMENT.test(line)) {
      if (next !== '' && lines[i + 2] === line && !ADORNMENT.test(next)) {
        this.#headings.add(body.list, this.inline(next.trim()), `over ${line[0]}`);
        return i + 3;
      }
      // A transition.
      if (line.length >= 4 && next === '') return i + 1;
    }
    if (isUnderline(line, next)) {
      this.#headings.add(body.list, this.inline(line.trim()), next[0]!);
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
    let end = start;
    while (end < lines.length && /^(?:\||\s+\S)/.test(lines[end]!)) end++;
    const content = lines.slice(start, end).map((line) => this.inline(line.replace(/^\| ?/, '').trim()));
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
      this.read(content, bodyIn(body, { list }));
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
    this.titled(this.inline(lines[start]!), dedent(lines.slice(start + 1, end)), body);
    return end;
  }

  #field(lines: string[], start: number, body: Body): number {
    const [, name = '', rest = ''] = FIELD.exec(lines[start]!) ?? [];
    const end = blockEnd(lines, start + 1);
    const content = [rest, ...dedent(lines.slice(start + 1, end))];
    const value = this.#paragraph(content.filter((line) => line !== '')).replace(/^\$\w+: (.*) \$$/, '$1');
    const isTop = body.depth === 0 && body.list.blocks.every(({ kind }) => kind === 'heading');
    if (!(isTop && this.docInfo.take(name, value)) && trimBlank(content).length > 0)
      this.titled(`${this.inline(name)}:`, content, body);
    return end;
  }

  #simpleTable(lines: string[], start: number, list: BlockList): number {
    let end = start + 1;
    let borders = 0;
    while (end < lines.length && !(borders > 0 && lines[end] === '' && SIMPLE_BORDER.test(lines[end - 1]!))) {
      if (SIMPLE_BORDER.test(lines[end]!)) borders++;
      end++;
    }
    list.table(simpleRows(lines[start]!, lines.slice(start + 1, end), (cell) => this.inline(cell)));
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
    if (note) this.read([note[1] ?? '', ...content], bodyIn(body));
    const [, name, rest = ''] = /^((?!\|)[\w:.+-]+?) ?::(?:[ ]+(.*))?$/.exec(head) ?? [];
    if (name !== undefined) this.#directives.read(readDirective(name, rest, content), body);
    return end;
  }
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
