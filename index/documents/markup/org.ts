import type { MetadataValue } from '../../format/passage.ts';
import type { Document } from '../document.ts';
import { unwrap } from '../plain/paragraphs.ts';
import { BlockList } from './block-list.ts';
import { titleFromHeadings } from './readme.ts';

const HEADING = /^(\*+)[ \t]+(.*)$/;
const TAGS = /[ \t]+:(?:[\p{L}\p{N}_@#%]+:)+$/u;
const KEYWORD = /^[ \t]*#\+([\w-]+)(?:\[[^\]]*\])?:[ \t]*(.*)$/;
const BEGIN = /^[ \t]*#\+begin_(\S+)/i;
const DRAWER = /^[ \t]*:([\w-]+):$/;
/** Drawers end at the next heading at the latest. */
const DRAWER_END = /^[ \t]*:end:$/i;
const ITEM =
  /^([ \t]*)(?:[-+]|[ \t]\*|(?:\d+|[a-zA-Z])[.)])(?:[ \t]+|$)(?:\[@\d+\][ \t]*)?(?:\[[ xX-]\][ \t]+)?/;
const PLANNING = /^[ \t]*(?:(?:CLOSED|DEADLINE|SCHEDULED|CLOCK):[ \t]*[[<].*)$/;
const METADATA = new Set([
  'author',
  'date',
  'email',
  'description',
  'keywords',
  'filetags',
  'subtitle',
  'category',
]);
const IMAGE = /\.(?:png|jpe?g|gif|svg|webp|bmp|tiff?)$/i;

/** Links, footnotes, targets and macros. Alternatives end at the next bracket of their kind, so that the time is linear. */
const LINKS =
  /\[\[([^[\]]{1,2000})\](?:\[([^[\]]*(?:\][^[\]]+)*)\])?\]|\[fn:[\w-]*:([^[\]]*)\]|\[fn:[\w-]+\]|\[cite[^\]\n:]*:[^\]]*\]|<<<?([^<>\n]{1,200})>>>?|\{\{\{[^{}\n]*\}\}\}/g;
/** Marks around words: `*bold*`, `=code=`. */
const MARKS = /(?<![^\s\-–—({'"“‘[|])([*/_+=~])(?=\S)([^\n]{0,500}?\S)\1(?![^\s\-–—.,:;!?'")}\]|“”’[\\])/g;

/**
 * Reads Org: headings without their tags and states, tables, lists and code. Drops drawers, comments and settings. The title is
 * `#+TITLE`, which then is above the other headings. Anchors are `CUSTOM_ID` properties.
 */
export function readOrg(text: string, source: string, path = source): Document {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  const settings = readSettings(lines);
  const title = inline(settings.get('title') ?? '');
  const reader = new OrgReader(settings, title === '' ? 0 : 1);
  if (title !== '') reader.list.heading(1, title);
  reader.read(lines);
  const { blocks } = reader.list;
  const isOnly = blocks.filter(({ level }) => level === 1).length === 1;
  const fromHeadings = titleFromHeadings(blocks, source, path);
  const own =
    isOnly || fromHeadings !== blocks.find(({ level }) => level === 1)?.text ? fromHeadings : undefined;
  const lang = settings.get('language');
  const metadata = Object.fromEntries(
    [...settings].flatMap(([key, value]): [string, MetadataValue][] =>
      METADATA.has(key) && value !== ''
        ? [[key, key === 'filetags' ? value.split(/[:\s]+/).filter((tag) => tag !== '') : inline(value)]]
        : [],
    ),
  );
  return {
    source,
    title: title || own,
    lang: lang && /^[a-z]{2,3}(?:[-_]\w+)*$/i.test(lang) ? lang.replaceAll('_', '-') : undefined,
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
    blocks,
  };
}

/** `#+KEY: value` lines. Values of repeated keys are joined. */
function readSettings(lines: string[]): Map<string, string> {
  const settings = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = line.startsWith('#+') ? (KEYWORD.exec(line) ?? []) : [];
    const key = name.toLowerCase();
    if (key !== '') settings.set(key, `${settings.get(key) ?? ''} ${value.trim()}`.trim().slice(0, 1_000));
  }
  return settings;
}

class OrgReader {
  readonly list = new BlockList();
  readonly #states: Set<string>;
  readonly #shift: number;
  /** The lines of each item of the list, or of the paragraph. */
  #items: string[][] = [];
  /** For each kind of end that was searched in vain, the line where the search stopped. */
  readonly #missing = new Map<string, number>();
  #rows: string[] = [];
  /** The heading whose section is a comment. */
  #commentLevel: number | undefined;

  /** @param shift of the levels of headings */
  constructor(settings: Map<string, string>, shift: number) {
    const own = ['todo', 'seq_todo', 'typ_todo'].flatMap((key) => settings.get(key)?.split(/[\s|]+/) ?? []);
    this.#states = new Set([
      'TODO',
      'DONE',
      ...own.map((state) => state.replace(/\(.*/, '')).filter((state) => state !== ''),
    ]);
    this.#shift = shift;
  }

  read(lines: string[]): void {
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!.trimEnd();
      const heading = HEADING.exec(line);
      if (heading) this.#heading(heading[1]!.length, heading[2]!, lines, i);
      else if (this.#commentLevel !== undefined) continue;
      else i = this.#line(line, lines, i);
    }
    this.#flush();
  }

  /** Reads a line, and the block or drawer that begins with it. Returns the number of its last line. */
  #line(line: string, lines: string[], i: number): number {
    const begin = BEGIN.exec(line)?.[1]?.toLowerCase();
    if (begin !== undefined && /^(?:src|example|export|comment|verse)$/.test(begin)) {
      const end = this.#endOf(lines, i + 1, new RegExp(`^[ \\t]*#\\+end_${begin}$`, 'i'));
      this.#flush();
      if (end !== undefined) {
        const content = dedent(lines.slice(i + 1, end)).map((code) =>
          code.replace(/^([ \t]*),(?=[*#,])/, '$1'),
        );
        if (begin === 'verse') this.list.paragraph(content.map(inline).join('\n'));
        else if (begin === 'src' || begin === 'example') this.list.paragraph(content.join('\n'));
      }
      return end ?? i;
    }
    if (DRAWER.test(line)) {
      const end = this.#endOf(lines, i + 1, DRAWER_END);
      if (end !== undefined) return end;
    }
    if (begin !== undefined || /^[ \t]*#\+end_\S+$/i.test(line) || line === '' || /^[ \t]*-{5,}$/.test(line))
      this.#flush();
    else if (/^[ \t]*\|/.test(line)) this.#row(line);
    else if (/^[ \t]*: |^[ \t]*:$/.test(line)) return this.#fixedWidth(lines, i);
    else if (KEYWORD.test(line)) {
      const [, key = '', value = ''] = KEYWORD.exec(line) ?? [];
      this.#flush();
      if (key.toLowerCase() === 'caption') this.list.paragraph(inline(value));
    } else if (!/^[ \t]*#(?:\s|$)/.test(line) && !PLANNING.test(line)) this.#text(line);
    return i;
  }

  /** The first line that matches, before the next heading. */
  #endOf(lines: string[], start: number, end: RegExp): number | undefined {
    if (start <= (this.#missing.get(end.source) ?? -1)) return undefined;
    let i = start;
    for (; i < lines.length && !HEADING.test(lines[i]!); i++) if (end.test(lines[i]!.trimEnd())) return i;
    this.#missing.set(end.source, i);
    return undefined;
  }

  #heading(level: number, text: string, lines: string[], i: number): void {
    if (this.#commentLevel !== undefined && level > this.#commentLevel) return;
    this.#commentLevel = undefined;
    this.#flush();
    let words = text.replace(TAGS, '');
    const [, state = ''] = /^(\S+)(?:\s|$)/.exec(words) ?? [];
    if (this.#states.has(state)) words = words.slice(state.length).trimStart();
    words = words.replace(/^\[#[A-Z0-9]+\][ \t]*/, '');
    if (/^COMMENT(?:\s|$)/.test(words)) {
      this.#commentLevel = level;
      return;
    }
    this.list.heading(
      level + this.#shift,
      inline(words.replace(/[ \t]*\[\d*(?:\/\d*|%)\][ \t]*$/, '')),
      customId(lines, i + 1),
    );
  }

  #text(line: string): void {
    if (this.#rows.length > 0) this.#flush();
    const item = ITEM.exec(line)?.[0];
    const content = (item === undefined ? line : line.slice(item.length))
      .trim()
      .replace(/^\[fn:[\w-]+\][ \t]*/, '');
    const term = item === undefined ? undefined : /^(.*?)[ \t]+::(?:[ \t]+|$)(.*)$/.exec(content);
    if (item !== undefined || this.#items.length === 0) this.#items.push([]);
    if (term) this.#items.at(-1)!.push(`${term[1]}\\\\`, term[2]!);
    else this.#items.at(-1)!.push(content);
  }

  #row(line: string): void {
    if (this.#items.length > 0) this.#flush();
    if (/^[ \t]*\|[-+]/.test(line)) return;
    const cells = line
      .trim()
      .replace(/^\||\|$/g, '')
      .split('|')
      .map((cell) => inline(cell.trim()));
    if (cells.some((cell) => cell !== '' && !/^<[lrc]?\d*>$/.test(cell))) this.#rows.push(cells.join(' | '));
  }

  #fixedWidth(lines: string[], start: number): number {
    this.#flush();
    let end = start;
    while (/^[ \t]*:(?: |$)/.test(lines[end]?.trimEnd() ?? '')) end++;
    this.list.paragraph(
      lines
        .slice(start, end)
        .map((line) => line.replace(/^[ \t]*: ?/, ''))
        .join('\n'),
    );
    return end - 1;
  }

  #flush(): void {
    this.list.paragraph(this.#items.map(joinLines).join('\n'));
    this.list.paragraph(this.#rows.join('\n'));
    this.#items = [];
    this.#rows = [];
  }
}

/** Joins lines, except after `\\\\`. */
function joinLines(lines: string[]): string {
  const groups: string[][] = [[]];
  for (const line of lines) {
    groups.at(-1)!.push(line.replace(/\\\\$/, ''));
    if (line.endsWith('\\\\')) groups.push([]);
  }
  return groups.map((group) => inline(unwrap(group))).join('\n');
}

/** The `CUSTOM_ID` in the properties that follow a heading. */
function customId(lines: string[], start: number): string | undefined {
  let i = start;
  while (PLANNING.test(lines[i] ?? '')) i++;
  if (!/^[ \t]*:properties:[ \t]*$/i.test(lines[i] ?? '')) return undefined;
  for (i++; i < lines.length && !/^[ \t]*:end:/i.test(lines[i]!) && !HEADING.test(lines[i]!); i++) {
    const id = /^[ \t]*:custom_id:[ \t]+(\S+)/i.exec(lines[i]!)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

function dedent(lines: string[]): string[] {
  const indents = lines
    .filter((line) => line.trim() !== '')
    .map((line) => line.length - line.trimStart().length);
  const common = indents.reduce((least, next) => Math.min(least, next), 1_000);
  return lines.map((line) => line.slice(common));
}

function inline(text: string): string {
  return text
    .replace(LINKS, (_, target: string | undefined, label, note, anchor) => {
      if (target === undefined)
        return note === undefined ? (_.startsWith('<<<') ? anchor : '') : ` (${note.trim()})`;
      const words = label ?? target.replace(/^(?:file|id|mailto):/, '');
      return IMAGE.test(words) && !/\s/.test(words) ? '' : words;
    })
    .replace(MARKS, '$2')
    .replace(MARKS, '$2')
    .replace(/\\\\$/, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/(?<=\S)[_^]\{([^{}\n]*)\}/g, '$1')
    .trim();
}
