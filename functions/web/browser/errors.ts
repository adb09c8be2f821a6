import { make } from './dom.ts';
import { EndpointError } from './endpoint.ts';
import type { Texts } from './texts.ts';

/** The message of a failed request and, if the same request may succeed later, a button to repeat it. */
export function errorNodes(error: unknown, texts: Texts, retry: () => void): Node[] {
  if (!(error instanceof EndpointError && error.isTransient)) {
    // The endpoint's own messages are in English.
    return [make('p', { class: 'error', lang: 'en', dir: 'ltr' }, (error as Error).message)];
  }
  const name = error.status === 0 ? 'offline' : error.status === 429 ? 'busy' : 'unavailable';
  const button = make('button', { type: 'button', class: 'again' }, texts.of('tryAgain'));
  button.addEventListener('click', retry);
  return [make('p', { class: 'error' }, texts.of(name)), button];
}
