import type { Texts } from '../../browser/texts.ts';

/**
 * Copies the text of an element.
 * @param note shows the outcome for some seconds
 */
export async function copyText(element: HTMLElement, note: HTMLElement, texts: Texts): Promise<void> {
  try {
    await navigator.clipboard.writeText(element.textContent ?? '');
    note.textContent = texts.of('page.copied');
  } catch {
    // Some browsers do not let a page copy.
    getSelection()?.selectAllChildren(element);
    note.textContent = texts.of('page.selected');
  }
  setTimeout(() => note.replaceChildren(), 3000);
}
