import { LIMITS } from '../../../index/search/limits.ts';
import { make } from '../browser/dom.ts';
import type { ResultContext } from '../browser/results.ts';
import type { PolyseekSearchDetail, PolyseekSelectDetail } from '../client/widget.d.ts';
import type { WidgetOptions } from './options.ts';

export interface WidgetEvents {
  'polyseek-search': PolyseekSearchDetail;
  'polyseek-select': PolyseekSelectDetail;
}

/** Sends an event that also leaves the shadow roots around the element. Returns false if a listener called `preventDefault`. */
export type Emit = <Name extends keyof WidgetEvents>(name: Name, detail: WidgetEvents[Name]) => boolean;

/** One of the element's two parts: the search or the chat. */
export interface Panel {
  element: HTMLElement;
  /** Gets the focus when the panel is shown. */
  field: HTMLInputElement;
  stop(): void;
}

export interface PanelContext extends Omit<ResultContext, 'permalinkOf'> {
  /** Address of a passage in the endpoint's page, with the marks of a question, if visitors can open it. */
  addressOf?: (id: string, q: string) => string;
  options: WidgetOptions;
  emit: Emit;
  /** A person follows a link in this tab. */
  followed: () => void;
}

/** Creates a labelled field in a form, with further elements on its line. */
export function createAskForm({ texts }: PanelContext, placeholder = texts.of('ask'), ...more: Node[]) {
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
  return { form: make('form', { class: 'ask' }, make('div', { class: 'line' }, field, ...more)), field };
}

/** Reports each link to a result that a person follows. A listener that calls `preventDefault` opens it itself, but not in another tab. */
export function reportLinks(
  container: HTMLElement,
  { emit, followed }: PanelContext,
  resultOf: (link: HTMLAnchorElement) => Omit<PolyseekSelectDetail, 'url'> | undefined,
): void {
  container.addEventListener('click', (event) => {
    const link = event.target instanceof Element && event.target.closest('a');
    const chosen = link && resultOf(link);
    if (!chosen) return;
    const isTaken = !emit('polyseek-select', { ...chosen, url: link.href });
    // With these keys, the link opens elsewhere.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (isTaken) event.preventDefault();
    followed();
  });
}
