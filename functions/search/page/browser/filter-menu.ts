import type { Counted } from '../../../../index/format/overview-types.ts';
import { find, make } from './dom.ts';

/** A field's values with their counts, of which any may be chosen. */
export interface Filter {
  /** Says what there is to choose from. */
  list(values: readonly Counted[]): void;
  /** Sets what is chosen. A value that is not listed (in an old address, say) is added, so that it can be taken off. */
  choose(values: readonly string[]): void;
}

/**
 * The filter of a field. It hides itself where there is nothing to choose.
 * @param nameOf a value as people read it
 * @param changed told what the reader has chosen
 */
export function createFilter(
  id: 'lang' | 'source',
  nameOf: (value: string) => string,
  changed: (values: string[]) => void,
): Filter {
  const details = find('details', `#${id}`);
  const summary = find('summary', `#${id}-name`);
  const fieldset = find('fieldset', `#${id}-values`);
  const boxes = new Map<string, HTMLInputElement>();

  function add(value: string, passages?: number): void {
    if (boxes.has(value)) return;
    const box = make('input', { type: 'checkbox' });
    const count =
      passages === undefined ? [] : [make('span', { class: 'number' }, passages.toLocaleString('en'))];
    boxes.set(value, box);
    fieldset.append(make('label', {}, box, make('bdi', {}, nameOf(value)), ...count));
    details.hidden = boxes.size < 2;
  }

  fieldset.addEventListener('change', () => {
    changed([...boxes].filter(([, box]) => box.checked).map(([value]) => value));
  });
  details.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || !details.open) return;
    details.open = false;
    summary.focus();
  });
  // Open, it lies over the results: it closes as soon as the reader turns to something else.
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
      find('span', `#${id}-chosen`).textContent = values.map(nameOf).join(', ');
    },
  };
}
