import type { Block } from '../document.ts';
import type { Flow } from './flow.ts';
import type { WordStyles } from './word-styles.ts';
import type { XmlElement } from './xml.ts';

/** Subtrees that are not text: deleted and moved text, earlier formats, pronunciations, copies for older programs. */
const SKIPPED = new Set([
  'w:del',
  'w:moveFrom',
  'w:pPrChange',
  'w:rPrChange',
  'w:tblPrChange',
  'w:tcPrChange',
  'w:trPrChange',
  'w:sectPrChange',
  'w:rt',
  'mc:Fallback',
]);
const CHARACTERS = new Map([
  ['w:tab', '\t'],
  ['w:ptab', '\t'],
  ['w:br', '\n'],
  ['w:cr', '\n'],
  ['w:noBreakHyphen', '-'],
]);

/** Adds the content of a part of a Word document to a flow. */
export class WordReader {
  readonly #flow: Flow;
  readonly #styles: WordStyles;
  /** Notes that no paragraph has referred to yet. */
  readonly #notes: Map<string, Block[]>;
  /** Depths of the open paragraphs and content controls. */
  readonly #paragraphs: number[] = [];
  readonly #controls: number[] = [];
  /** The state around each open text box. */
  readonly #boxes: { isInRun: boolean; isHidden: boolean }[] = [];
  #depth = 0;
  /** Depth of the open element whose content is left out; 0 if there is none. */
  #skippedFrom = 0;
  #isInRun = false;
  #isHidden = false;
  #isText = false;

  constructor(flow: Flow, styles: WordStyles, notes: Map<string, Block[]>) {
    this.#flow = flow;
    this.#styles = styles;
    this.#notes = notes;
  }

  open(element: XmlElement): void {
    const { name } = element;
    this.#depth++;
    if (this.#skippedFrom > 0) return;
    if (SKIPPED.has(name)) this.#skippedFrom = this.#depth;
    else if (name === 'w:txbxContent') this.#openBox();
    else if (this.#isInRun) this.#openInRun(element);
    else if (name === 'w:p') {
      this.#paragraphs.push(this.#depth);
      this.#flow.openParagraph();
    } else if (name === 'w:r') this.#isInRun = true;
    else if (name === 'm:t') this.#isText = true;
    else if (name === 'w:pStyle') this.#setRole(this.#styles.roleOf(val(element)));
    else if (name === 'w:outlineLvl') this.#setOutline(Number(val(element)));
    else if (name === 'w:sdt') this.#controls.push(this.#depth);
    else if (name === 'w:docPartGallery' && val(element) === 'Table of Contents')
      this.#skippedFrom = this.#controls.at(-1) ?? 0;
    else if (name === 'w:tbl') this.#flow.openTable();
    else if (name === 'w:tr') this.#flow.openRow();
    else if (name === 'w:tc') this.#flow.openCell();
  }

  text(value: string): void {
    if (this.#isText && !this.#isHidden && this.#skippedFrom === 0) this.#flow.append(value);
  }

  close(name: string): void {
    const depth = this.#depth--;
    if (this.#skippedFrom > 0 && this.#skippedFrom !== depth) return;
    this.#skippedFrom = 0;
    if (name === 'w:t' || name === 'm:t') this.#isText = false;
    else if (name === 'w:r') this.#isInRun = this.#isHidden = false;
    else if (name === 'w:p') {
      this.#paragraphs.pop();
      this.#flow.closeParagraph();
    } else if (name === 'w:txbxContent') this.#closeBox();
    else if (name === 'w:sdt') this.#controls.pop();
    else if (name === 'w:tc') this.#flow.closeCell();
    else if (name === 'w:tbl') this.#flow.closeTable();
  }

  /** The paragraphs of a text box contain runs of their own. */
  #openBox(): void {
    this.#boxes.push({ isInRun: this.#isInRun, isHidden: this.#isHidden });
    this.#isInRun = this.#isHidden = false;
  }

  #closeBox(): void {
    const { isInRun = false, isHidden = false } = this.#boxes.pop() ?? {};
    this.#isInRun = isInRun;
    this.#isHidden = isHidden;
  }

  #openInRun(element: XmlElement): void {
    const { name, attributes } = element;
    if (name === 'w:t' || name === 'm:t') this.#isText = true;
    else if (name === 'w:vanish') this.#isHidden = !/^(?:0|false|off)$/.test(val(element));
    else if (name === 'w:footnoteReference' || name === 'w:endnoteReference')
      this.#addNote(`${name.slice(2, -9)} ${attributes.get('w:id')}`);
    else if (CHARACTERS.has(name) && !this.#isHidden) this.#flow.append(CHARACTERS.get(name) ?? '');
  }

  #addNote(key: string): void {
    for (const block of this.#notes.get(key) ?? []) this.#flow.add(block);
    this.#notes.delete(key);
  }

  #setRole(role: ReturnType<WordStyles['roleOf']>): void {
    if (role === 'contents') this.#skippedFrom = this.#paragraphs.at(-1) ?? 0;
    else if (role !== 'text') this.#flow.setLevel(role.level);
  }

  /** An outline level of the paragraph itself, from 0; 9 is body text. */
  #setOutline(outline: number): void {
    if (outline >= 0 && outline < 9) this.#flow.setLevel(outline + 2);
    else this.#flow.setLevel(undefined);
  }
}

function val({ attributes }: XmlElement): string {
  return attributes.get('w:val') ?? '';
}
