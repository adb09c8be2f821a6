import type { PassageAnswer } from '../../../index/search/answer.ts';
import { buttonOf, copyText, make } from '../browser/dom.ts';
import {
  alsoInOf,
  isLink,
  metaOf,
  passagePath,
  type ResultContext,
  textOf,
  titleOf,
  withNeighbours,
} from '../browser/results.ts';
import { PolyseekError } from '../client/call.ts';

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
  const { title, source, url } = passage;
  const body = textOf(passage);
  body.classList.add('chosen-passage');
  const note = make('span', { role: 'status' });
  const address = make('code', { class: 'address', dir: 'ltr' }, permalink);
  const copy = buttonOf('quiet', texts.of('page.copyLink'), () => copyText(permalink, address, note, texts));
  const open = isLink(url) ? [make('a', { class: 'quiet', href: url }, texts.of('page.open'))] : [];
  return [
    ...(back ? [buttonOf('quiet back', texts.of('page.back'), back)] : []),
    titleOf(passage, { endpoint, texts }, 'h2'),
    metaOf(passage, texts, ...(title.includes(' › ') ? [make('bdi', {}, source)] : [])),
    make('div', { class: 'passage' }, ...withNeighbours(passage, body, texts)),
    ...alsoInOf(passage, texts),
    make('div', { class: 'more' }, ...open, copy, address, note),
  ];
}
