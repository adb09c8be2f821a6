import type { Counted } from '../../../../index/format/overview-types.ts';
import { make } from '../../browser/dom.ts';
import type { Texts } from '../../browser/texts.ts';
import { find } from './find.ts';

/** A menu of a field's values with their counts. */
export interface FilterMenu {
  /** Adds values to the menu. */
  list(values: readonly Counted[]): void;
  /** Selects these values only. A value that is not listed, as in an old URL, is added so that it can be removed. */
  choose(values: readonly string[]): void;
}

/**
 * Makes the filter menu of a field. It is hidden while it has fewer than two values.
 * @param nameOf returns the label of a value
 * @param changed called with the selected values
 */
export function createFilterMenu(
  id: 'lang' | 'source',
  texts: Texts,
  nameOf: (value: string) => string,
  changed: (values: string[]) => void,
): FilterMenu {
  const details = find('details', `#${id}`);
  const summary = find('summary', `#${id}-name`);
  const fieldset = find('fieldset', `#${id}-values`);
  const boxes = new Map<string, HTMLInputElement>();

  function add(value: string, passages?: number): void {
    if (boxes.has(value)) return;
    const box = make('input', { type: 'checkbox' });
    const count = passages === undefined ? [] : [make('span', { class: 'number' }, texts.number(passages))];
    boxes.set(value, box);
    fieldset.append(make('label', {}, box, make('bdi', {}, nameOf(value)), ...count));
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
    list(values) {
      for (const { value, passages } of values) add(value, passages);
    },
    choose(values) {
      for (const value of values) add(value);
      for (const [value, box] of boxes) box.checked = values.includes(value);
      if (values.length > 0) details.hidden = false;
      find('span', `#${id}-chosen`).textContent = texts.list(values.map(nameOf)).join('');
    },
  };
}
