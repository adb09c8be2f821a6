import type { Texts } from './texts.ts';

/** Makes an element with these attributes. Strings among its children become text, never markup. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Makes a button of these classes. */
export function buttonOf(className: string, text: string, clicked: () => void): HTMLButtonElement {
  const button = make('button', { type: 'button', class: className }, text);
  button.addEventListener('click', clicked);
  return button;
}

/** Copies a text, which `element` shows. `note` shows the outcome for some seconds. */
export async function copyText(
  text: string,
  element: Element,
  note: HTMLElement,
  texts: Texts,
): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    note.textContent = texts.of('copied');
  } catch {
    // Some browsers do not let a page copy.
    getSelection()?.selectAllChildren(element);
    note.textContent = texts.of('selected');
  }
  setTimeout(() => note.replaceChildren(), 3000);
}

/** Calls `typed` for each change of a field but parts of a word that an input method composes, and `sent` for Enter. */
export function listenToField(
  form: HTMLFormElement,
  field: HTMLInputElement,
  typed: () => void,
  sent: () => void,
): void {
  field.addEventListener('input', (event) => {
    if (!(event instanceof InputEvent && event.isComposing)) typed();
  });
  // Some browsers send no further input event when a composed word is complete.
  field.addEventListener('compositionend', typed);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    // Hides a phone's keyboard, which covers the results.
    if (matchMedia('(pointer: coarse)').matches) field.blur();
    sent();
  });
}

/**
 * Moves the focus between a field and the visible links below it with the arrow keys. The links stay in the tab order: a list of links
 * needs no roles that would hide the texts below them from screen readers.
 */
export function moveByArrows(
  container: HTMLElement,
  field: HTMLElement,
  links: () => readonly HTMLElement[],
): void {
  container.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (event.shiftKey || !isPlainKey(event) || !(target instanceof Element)) return;
    const all = links().filter((link) => link.checkVisibility());
    // A button in a result moves to the result after or before it.
    const result = target.closest('article');
    const at = all.findIndex((link) => link === target || (result && link.closest('article') === result));
    if (target !== field && at === -1) return;
    const next = { ArrowDown: all[at + 1], ArrowUp: at === 0 ? field : all[at - 1] }[key];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

/** Whether a key is pressed without Ctrl, ⌘ and Alt, and neither composes a word nor has done something else. */
export const isPlainKey = (event: KeyboardEvent): boolean =>
  !(event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey);
