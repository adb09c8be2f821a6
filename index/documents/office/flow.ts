import { type Block, type Document, tableText } from '../document.ts';
import type { Input } from '../input.ts';
import { fittingLanguage } from './language.ts';
import { noText } from './office-package.ts';

/** What elements of Word, PowerPoint and OpenDocument are, or the character that they stand for. */
const PARTS = new Map(
  Object.entries({
    paragraph: 'w:p a:p text:p text:h',
    table: 'w:tbl a:tbl table:table',
    row: 'w:tr a:tr table:table-row',
    cell: 'w:tc a:tc table:table-cell table:covered-table-cell',
    '\t': 'w:tab w:ptab a:tab text:tab',
    '\n': 'w:br w:cr a:br text:line-break',
    '-': 'w:noBreakHyphen',
  }).flatMap(([part, names]) => names.split(' ').map((name) => [name, part] as const)),
);

interface Cell {
  blocks: Block[];
  containsTable: boolean;
}

/**
 * Builds blocks from the nested parts of an office document: paragraphs with notes and text boxes in them, tables, and tables in
 * cells. A note or a text box follows the paragraph that contains it.
 */
export class Flow {
  /** All blocks so far. */
  readonly blocks: Block[] = [];
  /** Where finished blocks go: the document, the cell of a table, or the list of what follows an open paragraph. */
  readonly #targets = [this.blocks];
  readonly #paragraphs: { pieces: string[]; level: number | undefined }[] = [];
  readonly #tables: Cell[][][] = [];

  /**
   * Opens a paragraph, or a table, row or cell. Adds a line break, a tab or another character that an element stands for.
   * @param name of an element of any office format
   * @param level of a heading; none for a paragraph
   */
  open(name: string, level?: number): void {
    const part = PARTS.get(name);
    if (part === 'paragraph') {
      this.#paragraphs.push({ pieces: [], level });
      this.#targets.push([]);
    } else if (part === 'table') this.#tables.push([]);
    else if (part === 'row') this.#tables.at(-1)?.push([]);
    else if (part === 'cell') {
      const cell: Cell = { blocks: [], containsTable: false };
      this.#tables.at(-1)?.at(-1)?.push(cell);
      this.#targets.push(cell.blocks);
    } else if (part !== undefined) this.append(part);
  }

  /** Closes what `open` opened. */
  close(name: string): void {
    const part = PARTS.get(name);
    if (part === 'paragraph') this.#closeParagraph();
    else if (part === 'table') this.#closeTable();
    else if (part === 'cell') this.#targets.pop();
  }

  /** Makes the innermost open paragraph a heading of a level, or a paragraph again. */
  setLevel(level: number | undefined): void {
    const paragraph = this.#paragraphs.at(-1);
    if (paragraph) paragraph.level = level;
  }

  /** Adds text to the innermost open paragraph. A line feed is a line break. */
  append(text: string): void {
    this.#paragraphs.at(-1)?.pieces.push(text);
  }

  /** Adds a finished block, unless it is empty. */
  add(block: Block | undefined): void {
    if (block) this.#targets.at(-1)?.push(block);
  }

  #closeParagraph(): void {
    const paragraph = this.#paragraphs.pop();
    const followers = this.#targets.pop();
    if (!paragraph || !followers) return;
    this.add(blockOf(paragraph.pieces.join(''), paragraph.level));
    for (const block of followers) this.add(block);
  }

  /** Adds the table as a paragraph with a line per row, or its content, if it is a frame or the layout of a page. */
  #closeTable(): void {
    const rows = this.#tables.pop() ?? [];
    const outer = this.#tables.at(-1)?.at(-1)?.at(-1);
    if (outer) outer.containsTable = true;
    const cells = rows.flat();
    const isLayout =
      cells.length === 1 ||
      cells.some((cell) => cell.containsTable || cell.blocks.some(({ kind }) => kind === 'heading'));
    if (isLayout) for (const { blocks } of cells) for (const block of blocks) this.add(block);
    else this.add(tableBlock(rows.map((row) => row.map(({ blocks }) => joined(blocks)))));
  }
}

function joined(blocks: Block[]): string {
  return blocks.map(({ text }) => text).join(' ');
}

/** A table as a paragraph with a line per row. Rows without text are left out. */
export function tableBlock(rows: string[][]): Block | undefined {
  const filled = rows
    .map((row) => row.map((cell) => tidy(cell).replaceAll('\n', ' ')))
    .filter((row) => row.some((cell) => cell !== ''));
  return filled.length === 0 ? undefined : { kind: 'paragraph', text: tableText(filled) };
}

/** A paragraph, or a heading if it has a level; undefined without text. */
function blockOf(text: string, level?: number): Block | undefined {
  const content = tidy(text);
  if (content === '') return undefined;
  if (level === undefined) return { kind: 'paragraph', text: content };
  return { kind: 'heading', level: Math.min(6, Math.max(1, level)), text: content.replaceAll('\n', ' ') };
}

/** Collapses white space except line feeds. Single spaces do not match, since replacing each would take long. */
function tidy(text: string): string {
  return text
    .replace(/[ \t\r\f\v]{2,}|[\t\r\f\v]/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .trim();
}

/** Collects the parts of a slide: its title, and its text in reading order, with the speaker notes last. */
export class Slide {
  readonly #title = new Flow();
  readonly #text = new Flow();
  /** Where text goes now. */
  flow = this.#text;

  /** @param role of the frame, such as `title` */
  openFrame(role: string): void {
    if (role === 'title') this.flow = this.#title;
  }

  closeFrame(): void {
    this.flow = this.#text;
  }

  get title(): string {
    return joined(this.#title.blocks);
  }

  /**
   * None for a slide without text. The heading starts with the slide's number, because no viewer opens a slide by a link:
   * `3. Results`, or `Slide 3` without a title.
   */
  blocks(number: number): Block[] {
    const { title } = this;
    const heading = blockOf(title === '' ? `Slide ${number}` : `${number}. ${title}`, 2)!;
    // Programs mark some text on slides as headings, such as that of outline shapes. The slide's title is its only heading.
    const text = this.#text.blocks.map(({ text }): Block => ({ kind: 'paragraph', text }));
    return title === '' && text.length === 0 ? [] : [heading, ...text];
  }
}

/**
 * The document of a file. Its blocks have the level of the file's heading plus 1; level 1 is text in the style Title. The title is that
 * text, else the title in the file's properties, else the first heading.
 * @param languages as for `fittingLanguage`
 * @throws Unreadable `no text`
 */
export function toDocument(
  input: Input,
  blocks: Block[],
  declaredTitle: string | undefined,
  languages: Iterable<string | undefined>,
): Document {
  if (blocks.length === 0) throw noText(input);
  const lang = fittingLanguage(languages, blocks);
  const title = blocks.find(({ level }) => level === 1)?.text ?? declaredTitle;
  if (title) return { source: input.source, title, lang, blocks };
  const lifted = blocks.map((block) => (block.level ? { ...block, level: block.level - 1 } : block));
  const heading = lifted.find(({ kind }) => kind === 'heading');
  return { source: input.source, title: heading?.text, lang, blocks: lifted };
}
