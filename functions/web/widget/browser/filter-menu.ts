import type { Counted } from '../../../../index/format/overview-types.ts';
import { make } from '../../browser/dom.ts';

/** A menu of a field's values. The browser's own menu is accessible, and fits a phone. */
export interface FilterMenu {
  element: HTMLSelectElement;
  /** The chosen value, or '' for all. */
  readonly value: string;
  /** Shows the menu if there are several values. */
  list(values: readonly Counted[], nameOf: (value: string) => string): void;
}

/**
 * @param name accessible name
 * @param all label of the choice that filters nothing
 */
export function createFilterMenu(name: string, all: string, changed: () => void): FilterMenu {
  const element = make('select', { 'aria-label': name, part: 'filter', hidden: '' });
  element.addEventListener('change', changed);
  return {
    element,
    get value() {
      return element.value;
    },
    list(values, nameOf) {
      const options = values.map(({ value }) => make('option', { value }, nameOf(value)));
      element.replaceChildren(make('option', { value: '' }, all), ...options);
      element.hidden = values.length < 2;
    },
  };
}
