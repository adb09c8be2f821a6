import type { Block, Document } from '../document.ts';
import type { Input } from '../input.ts';
import { type XmlEvent, xmlEvents } from './events.ts';

const set = (names: string): Set<string> => new Set(names.split(' '));

/** Elements of DocBook, DITA, TEI and JATS whose content is a block: others in them are a part of its text. */
const PARAGRAPHS = set(
  'p para simpara ab l line term screen programlisting literallayout synopsis codeblock code-block verse label caption refname refpurpose attribution dt dd li shortdesc table informaltable table-wrap',
);
const TITLES = set('title head subtitle bridgehead article-title h1 h2 h3 h4 h5 h6');
const SECTIONS = set(
  'section sect1 sect2 sect3 sect4 sect5 sec chapter part appendix preface div div1 div2 div3 refsect1 refsect2 topic concept task reference glossary simplesect refsection',
);
const VERBATIM = set('screen programlisting literallayout synopsis codeblock code-block verse code');
const TABLES = set('table informaltable table-wrap');
const SKIPPED = set(
  'indexterm remark comment script style journal-meta encodingDesc revisionDesc publicationStmt sourceDesc object-id',
);

/** Credits and data about a text: parts of DocBook's and Mallard's `info`. */
const CREDITS = set(
  'author authorgroup editor othercredit copyright legalnotice license credit date pubdate releaseinfo edition revision revhistory publisher keywordset',
);
/** What is between the parts of keys and menus: `Ctrl+Z`. */
const BETWEEN: Record<string, string> = { keyseq: '+', keycombo: '+', guiseq: ' ▸ ', menuchoice: ' ▸ ' };

/** Characters of a text. */
const MAX_TEXT = 64 * 2 ** 20;

/** Reads XML with a text, as one document. */
export async function readXmlText(input: Input, onError: (message: string) => void): Promise<Document> {
  const builder = new BlockBuilder();
  let length = 0;
  for await (const event of xmlEvents(input, onError)) {
    if (event.kind === 'text') length += event.text.length;
    if (length > MAX_TEXT) throw input.failure('too large', 'Split it into files of at most 64 MiB of text.');
    builder.add(event);
  }
  const { blocks, lang } = builder.end();
  return { source: input.source, title: blocks.find(({ kind }) => kind === 'heading')?.text, lang, blocks };
}

class BlockBuilder {
  readonly #blocks: Block[] = [];
  readonly #open: string[] = [];
  /** The places in `#open` of the elements that are blocks. */
  readonly #blocksOpen: number[] = [];
  #skippedAt: number | undefined;
  #text = '';
  /** Where the text of the innermost keys or menus starts. */
  #sequenceStart = 0;
  #lang: string | undefined;

  add(event: XmlEvent): void {
    if (event.kind === 'text') {
      if (this.#skippedAt === undefined) this.#text += event.text;
    } else if (event.kind === 'open') this.#enter(event.name, event.attributes);
    else this.#leave();
  }

  end(): { blocks: Block[]; lang: string | undefined } {
    this.#flush();
    return { blocks: this.#blocks, lang: this.#lang };
  }

  #enter(name: string, attributes: ReadonlyMap<string, string>): void {
    if (this.#open.length === 0)
      this.#lang = attributes.get('xml:lang') ?? attributes.get('lang') ?? undefined;
    if (SKIPPED.has(name) || this.#isCredit(name, attributes)) this.#skippedAt ??= this.#open.length;
    const between = BETWEEN[this.#open.at(-1) ?? ''];
    if (between && this.#text.slice(this.#sequenceStart).trim() !== '')
      this.#text = this.#text.trimEnd() + between;
    if (name in BETWEEN) this.#sequenceStart = this.#text.length;
    const isTable = TABLES.has(this.#block() ?? '');
    if (isTable && /^(?:row|tr|colspec|thead|tbody)$/.test(name)) this.#text = `${this.#text.trimEnd()}\n`;
    else if (isTable && /^(?:entry|td|th|cell)$/.test(name))
      this.#text += this.#text.endsWith('\n') ? '' : ' | ';
    else if (this.#isBlock(name, isTable) || !this.#block()) this.#flush();
    if (this.#isBlock(name, isTable)) this.#blocksOpen.push(this.#open.length);
    this.#open.push(name);
  }

  #leave(): void {
    const place = this.#open.length - 1;
    if (this.#blocksOpen.at(-1) === place || !this.#block()) this.#flush();
    if (this.#blocksOpen.at(-1) === place) this.#blocksOpen.pop();
    this.#open.pop();
    if (this.#skippedAt === place) this.#skippedAt = undefined;
  }

  /** Mallard's titles with a type are for links and lists. */
  #isCredit(name: string, attributes: ReadonlyMap<string, string>): boolean {
    const inInfo = this.#open.some((outer) => outer.endsWith('info'));
    return inInfo && (CREDITS.has(name) || (name === 'title' && attributes.has('type')));
  }

  /** Paragraphs of a table are text of its cells. Mallard's code is a block where no paragraph is around it. */
  #isBlock(name: string, isTable: boolean): boolean {
    if (name === 'code') return this.#block() === undefined;
    return TITLES.has(name) || (PARAGRAPHS.has(name) && !isTable);
  }

  /** The innermost element that is a block. */
  #block(): string | undefined {
    const place = this.#blocksOpen.at(-1);
    return place === undefined ? undefined : this.#open[place];
  }

  #flush(): void {
    const name = this.#block() ?? '';
    const text = textOf(this.#text, name);
    this.#text = '';
    if (text === '') return;
    if (!TITLES.has(name)) this.#blocks.push({ kind: 'paragraph', text });
    else this.#blocks.push({ kind: 'heading', level: this.#level(), text });
  }

  #level(): number {
    const sections = this.#open.filter((name) => SECTIONS.has(name)).length;
    return this.#blocks.some(({ kind }) => kind === 'heading') ? Math.min(6, Math.max(2, sections + 1)) : 1;
  }
}

function textOf(text: string, name: string): string {
  if (VERBATIM.has(name)) return text.replace(/^\s*\n/, '').trimEnd();
  const lines = TABLES.has(name) ? text.split('\n') : [text];
  return lines
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '')
    .join('\n');
}
