import { attribute, BLOCKS, DROPPED, type Element, findAll, walk } from './html-tree.ts';

/**
 * Collects the text of inline elements, and collapses white space as browsers do. The text is a list, because appending to a string
 * would copy a long paragraph once per element.
 */
export class InlineText {
  /** How many open elements preserve white space. */
  preformatted = 0;
  /** How many open elements are links. */
  links = 0;
  #pieces: string[] = [];
  #afterSpace = true;
  #length = 0;
  #linked = 0;

  append(text: string): void {
    if (this.preformatted > 0) {
      this.#push(text);
      return;
    }
    const collapsed = text.replace(/[ \t\n\f\r]+/g, ' ');
    this.#push(this.#afterSpace && collapsed.startsWith(' ') ? collapsed.slice(1) : collapsed);
  }

  breakLine(): void {
    const last = this.#pieces.at(-1);
    if (this.preformatted === 0 && last?.endsWith(' ')) this.#pieces.splice(-1, 1, last.slice(0, -1));
    this.#push('\n');
  }

  /** Whether there is any text but white space. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Returns the text and the share of it in links (0 to 1), and starts again. */
  take(): { text: string; links: number } {
    const text = this.#pieces.join('').trim();
    const links = this.#length === 0 ? 0 : this.#linked / this.#length;
    this.#pieces = [];
    this.#afterSpace = true;
    this.#length = 0;
    this.#linked = 0;
    return { text, links };
  }

  #push(text: string): void {
    if (text === '') return;
    this.#pieces.push(text);
    this.#afterSpace = /[ \n]$/.test(text);
    const { length } = text.trim();
    this.#length += length;
    if (this.links > 0) this.#linked += length;
  }
}

/** The text of an element in one line. `isDropped` are elements to leave out. */
export function flatText(element: Element, isDropped: (element: Element) => boolean = () => false) {
  const text = new InlineText();
  walk(element, {
    enter(inner) {
      const { tagName } = inner;
      if (tagName === 'br' || BLOCKS.has(tagName)) text.append(' ');
      const formula = formulaOf(inner);
      if (formula !== undefined) text.append(formula);
      if (formula !== undefined) return false;
      if (inner !== element && (DROPPED.has(tagName) || isDropped(inner))) return false;
      if (isLink(inner)) text.links++;
      return true;
    },
    leave(inner) {
      if (BLOCKS.has(inner.tagName)) text.append(' ');
      if (isLink(inner)) text.links--;
    },
    text: (value) => text.append(value),
  });
  return text.take();
}

export function isLink(element: Element): boolean {
  return element.tagName === 'a' && attribute(element, 'href') !== undefined;
}

/**
 * The source of a formula, if an element is one: TeX or alternative text, instead of the parts that draw it.
 */
export function formulaOf(element: Element): string | undefined {
  const { tagName } = element;
  if (tagName === 'img') {
    const isFormula = /\b(?:math|tex|latex|equation)/i.test(attribute(element, 'class') ?? '');
    return isFormula ? attribute(element, 'alt') : undefined;
  }
  if (tagName === 'script')
    return /^math\/(?:tex|asciimath)/i.test(attribute(element, 'type') ?? '') ? rawText(element) : undefined;
  if (tagName !== 'math') return undefined;
  const annotation = findAll(element, (inner) =>
    /tex/i.test((inner.tagName === 'annotation' && attribute(inner, 'encoding')) || ''),
  )[0];
  return (annotation && rawText(annotation).trim()) || attribute(element, 'alttext') || undefined;
}

function rawText(element: Element): string {
  return element.childNodes.map((child) => ('value' in child ? child.value : '')).join('');
}
