import type { PassageAnswer } from '../../../index/search/answer.ts';
import { make } from '../browser/dom.ts';
import {
  alsoInOf,
  bodyStart,
  headOf,
  isLink,
  passagePath,
  type ResultContext,
  withNeighbours,
} from '../browser/results.ts';
import { inLanguage } from '../browser/texts.ts';
import { PolyseekError } from '../client/call.ts';
import { copyText } from './request-code.ts';

/** A passage by its id, with its surroundings. Throws an error whose message is for the reader if there is none. */
export async function loadPassage(
  id: string,
  context: ResultContext,
  signal: AbortSignal,
): Promise<PassageAnswer> {
  try {
    return await context.endpoint.get<PassageAnswer>(passagePath(id), signal);
  } catch (error) {
    if (error instanceof PolyseekError && error.status === 404)
      throw new Error(context.texts.of('page.gone'));
    throw error;
  }
}

/** One passage with its surroundings, a link to its document and its permalink. `back` returns to the results it came from. */
export function passageNodes(
  passage: PassageAnswer,
  { endpoint, texts }: ResultContext,
  permalink: string,
  back: (() => void) | undefined,
): Node[] {
  const { text, lang, url } = passage;
  const body = make(
    'p',
    { class: 'chosen-passage', ...inLanguage(lang) },
    text.slice(bodyStart(passage, text.length)),
  );
  const note = make('span', { role: 'status' });
  const address = make('code', { class: 'address', dir: 'ltr' }, permalink);
  const copy = buttonOf('quiet', texts.of('page.copyLink'), () => copyText(address, note, texts));
  const open = isLink(url) ? [make('a', { class: 'quiet', href: url }, texts.of('page.open'))] : [];
  return [
    ...(back ? [buttonOf('quiet back', texts.of('page.back'), back)] : []),
    ...headOf(passage, { endpoint, texts }, 'h2'),
    make('div', { class: 'passage' }, ...withNeighbours(passage, body, texts)),
    ...alsoInOf(passage, texts),
    make('div', { class: 'more' }, ...open, copy, address, note),
  ];
}

function buttonOf(className: string, text: string, clicked: () => void): HTMLElement {
  const button = make('button', { type: 'button', class: className }, text);
  button.addEventListener('click', clicked);
  return button;
}
