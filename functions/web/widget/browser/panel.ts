import { LIMITS } from '../../../../index/search/limits.ts';
import { make } from '../../browser/dom.ts';
import type { ResultContext } from '../../browser/results.ts';
import type { Emit } from './events.ts';
import type { WidgetOptions } from './options.ts';

/** One of the element's two parts: the search or the chat. */
export interface Panel {
  element: HTMLElement;
  /** Gets the focus when the panel is shown. */
  field: HTMLInputElement;
  /** Aborts requests. */
  stop(): void;
  /** Requests what a panel shows before the first question. */
  load(): Promise<void>;
}

/** What panels need. */
export interface PanelContext extends ResultContext {
  options: WidgetOptions;
  emit: Emit;
  /** A person follows a link in this tab. */
  followed: () => void;
}

/** Creates a labelled field in a form. */
export function createAskForm(
  { texts }: PanelContext,
  placeholder = texts.of('ask'),
): { form: HTMLFormElement; field: HTMLInputElement; line: HTMLElement } {
  const field = make('input', {
    part: 'input',
    type: 'search',
    dir: 'auto',
    placeholder,
    maxlength: String(LIMITS.questionCharacters),
    autocomplete: 'off',
    enterkeyhint: 'search',
    'aria-label': texts.of('ask'),
  });
  const line = make('div', { class: 'line' }, field);
  return { form: make('form', { class: 'ask' }, line), field, line };
}
