import type { PolyseekSearch as Published } from '../client/widget.d.ts';
import { isHotkey } from './dialog.ts';
import { OBSERVED } from './options.ts';
import type { Emit } from './panel.ts';
import { createView, type View } from './view.ts';

/** The style of all elements, with the first of them. A policy of the page forbids `<style>`, but not this. */
let style: CSSStyleSheet | undefined;

// In Node, as when a framework renders on a server, the module must load although there are no elements.
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/** The element `<polyseek-search>`: searches an endpoint in a dialog or in the page. */
export class PolyseekSearch extends Base implements Published {
  static readonly observedAttributes = OBSERVED;

  #view: View | undefined;
  #isOutdated = false;

  connectedCallback(): void {
    document.addEventListener('keydown', this.#openByHotkey);
    this.#build();
  }

  disconnectedCallback(): void {
    document.removeEventListener('keydown', this.#openByHotkey);
    this.#view?.stop();
    this.#view = undefined;
  }

  attributeChangedCallback(): void {
    if (!this.#view || this.#isOutdated) return;
    // Frameworks set attributes one by one.
    this.#isOutdated = true;
    queueMicrotask(() => {
      if (this.#view) this.#build();
    });
  }

  /** Opens the dialog. Inline, moves the focus to the field. */
  open(): void {
    // A dialog that is not displayed would still block the page.
    if (this.checkVisibility()) this.#view?.open();
  }

  close(): void {
    this.#view?.close();
  }

  /** Opens the element and searches. The event `polyseek-search` reports the answer. */
  search(q: string): void {
    this.open();
    this.#view?.search(q);
  }

  readonly #emit: Emit = (name, detail) =>
    this.dispatchEvent(
      new CustomEvent(name, {
        detail,
        bubbles: true,
        composed: true,
        cancelable: name === 'polyseek-select',
      }),
    );

  // Of several elements, the first one that is displayed opens: a key that it has handled is no hotkey for the others.
  readonly #openByHotkey = (event: KeyboardEvent): void => {
    if (!isHotkey(event, this.getAttribute('hotkeys')) || !this.checkVisibility()) return;
    event.preventDefault();
    this.open();
  };

  #build(): void {
    this.#isOutdated = false;
    this.#view?.stop();
    this.#view = createView(this, this.#emit);
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    if (!style) {
      style = new CSSStyleSheet();
      // assets.ts puts the style sheet here.
      style.replaceSync('POLYSEEK_STYLE');
    }
    root.adoptedStyleSheets = [style];
    root.replaceChildren(this.#view.root);
  }
}

// A page may load the module from two addresses. In Node, as when a framework renders on a server, there are no elements.
if (globalThis.customElements && !customElements.get('polyseek-search'))
  customElements.define('polyseek-search', PolyseekSearch);
