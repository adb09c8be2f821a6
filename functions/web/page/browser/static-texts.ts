import type { TextName, Texts } from '../../browser/texts.ts';
import { find } from './find.ts';

/** Fills the texts of index.html, and sets the page's language and direction. */
export function fillTexts(texts: Texts): void {
  const root = document.documentElement;
  root.lang = texts.lang;
  root.dir = texts.dir;
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]'))
    element.textContent = texts.of(element.dataset.text as TextName);
  find('input', '#api-key').title = texts.of('page.keyForm');
}
