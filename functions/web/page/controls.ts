import type { CountedSource, Overview } from '../../../index/format/overview-types.ts';
import type { IndexInfo } from '../../../index/search/answer.ts';
import { isPlainKey, make, moveByArrows } from '../browser/dom.ts';
import type { TextName, Texts } from '../browser/texts.ts';

/** Finds an element of index.html. Throws if it does not exist. */
export function find<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  selector: string,
): HTMLElementTagNameMap[Tag] {
  const element = document.querySelector<HTMLElementTagNameMap[Tag]>(`${tag}${selector}`);
  if (element) return element;
  throw new Error(`The page has no ${tag}${selector}.`);
}

/** Fills the texts of index.html, and sets the page's language and direction. */
export function fillTexts(texts: Texts): void {
  const root = document.documentElement;
  root.lang = texts.lang;
  root.dir = texts.dir;
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]'))
    element.textContent = texts.of(element.dataset.text as TextName);
  find('input', '#question').placeholder = texts.of('ask');
  find('input', '#api-key').title = texts.of('page.keyForm');
}

export function describeIndex(
  { index, documents, languages }: Overview & { index: IndexInfo },
  texts: Texts,
): string {
  const [language] = languages;
  return texts.of('page.about', {
    passages: texts.of('page.aboutPassages', { count: index.passages }),
    languages:
      languages.length === 1
        ? texts.of('page.aboutLanguage', { language: texts.languageName(language!.value) })
        : texts.of('page.aboutLanguages', { count: languages.length }),
    documents: texts.of('page.aboutDocuments', { count: documents }),
  });
}

/** Name of the collection in the page's path, as in `/prod/c/hr/`, or ''. */
export function collectionIn(path: string): string {
  const [, name = ''] = /\/c\/([^/]+)\/?$/.exec(path) ?? [];
  return decodeURIComponent(name);
}

/** Makes the filter menu of a field's values with their counts, which is hidden while it has fewer than two. */
export function createFilterMenu(
  id: 'lang' | 'source',
  texts: Texts,
  nameOf: (value: string) => string,
  changed: (values: string[]) => void,
) {
  const details = find('details', `#${id}`);
  const summary = find('summary', `#${id}-name`);
  const fieldset = find('fieldset', `#${id}-values`);
  const boxes = new Map<string, HTMLInputElement>();
  const titles = new Map<string, string | undefined>();
  const labelOf = (value: string) => titles.get(value) ?? nameOf(value);

  function add(value: string, passages?: number): void {
    if (boxes.has(value)) return;
    const box = make('input', { type: 'checkbox' });
    const count = passages === undefined ? [] : [make('span', { class: 'number' }, texts.number(passages))];
    boxes.set(value, box);
    fieldset.append(make('label', {}, box, make('bdi', {}, labelOf(value)), ...count));
    details.hidden = boxes.size < 2;
  }

  fieldset.addEventListener('change', () => {
    changed([...boxes].filter(([, box]) => box.checked).map(([value]) => value));
  });
  details.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !details.open) return;
    event.preventDefault();
    details.open = false;
    summary.focus();
  });
  // The open menu covers the results, so it closes when it loses the focus.
  details.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !details.contains(relatedTarget)) details.open = false;
  });
  document.addEventListener('click', ({ target }) => {
    if (target instanceof Node && !details.contains(target)) details.open = false;
  });

  return {
    list(values: readonly CountedSource[]): void {
      for (const { value, passages, title } of values) {
        titles.set(value, title);
        add(value, passages);
      }
    },
    /** Selects these values only. A value that is not listed, as in an old URL, is added so that it can be removed. */
    choose(values: readonly string[]): void {
      for (const value of values) add(value);
      for (const [value, box] of boxes) box.checked = values.includes(value);
      if (values.length > 0) details.hidden = false;
      find('span', `#${id}-chosen`).textContent = texts.list(values.map(labelOf)).join('');
    },
  };
}

/** Enables the keys of the page: `/` focuses the question, arrows move through the links, Escape outside menus leaves. */
export function enableKeys(
  question: HTMLInputElement,
  links: () => readonly HTMLElement[],
  leave: () => void,
): void {
  document.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (!isPlainKey(event) || !(target instanceof Element)) return;
    const isTyping = target.matches('input:not([type=checkbox], [type=radio])');
    if (key === '/' && !isTyping) {
      event.preventDefault();
      question.focus();
      question.select();
    } else if (key === 'Escape' && (target === question || !isTyping)) {
      event.preventDefault();
      leave();
    }
  });
  moveByArrows(document.body, question, links);
}
