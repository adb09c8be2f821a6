import type { PassageAnswer, SearchResult } from '../../../index/search/answer.ts';
import { buttonOf, copyText, make } from '../browser/dom.ts';
import {
  alsoInOf,
  bodyStart,
  citeOf,
  isLink,
  metaOf,
  partsOf,
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

/**
 * One passage with its surroundings, a link to its document and its permalink. As the `result` of a question it has marks.
 * `back` returns to the results.
 */
export function passageNodes(
  passage: PassageAnswer,
  result: SearchResult | undefined,
  context: ResultContext,
  permalink: string,
  back: (() => void) | undefined,
): Node[] {
  const { endpoint, texts } = context;
  const { text, title, source, url } = passage;
  const body = textOf(passage, result && partsOf(result));
  body.classList.add('chosen-passage');
  const quotation = result?.highlight.text ?? text.slice(bodyStart(passage, text.length));
  const note = make('span', { role: 'status' });
  const address = make('code', { class: 'address', dir: 'ltr' }, permalink);
  const cite = citeOf(passage, quotation.trim(), context, note);
  const copy = buttonOf('quiet', texts.of('page.copyLink'), () => copyText(permalink, address, note, texts));
  return [
    ...(back ? [buttonOf('quiet back', texts.of('page.back'), back)] : []),
    titleOf(passage, { endpoint, texts }, 'h2'),
    metaOf(passage, texts, ...(title.includes(' › ') ? [make('bdi', {}, source)] : [])),
    make('div', { class: 'passage' }, ...withNeighbours(passage, body, texts)),
    ...alsoInOf(passage, texts),
    make('div', { class: 'more' }, ...(isLink(url) ? cite : cite.slice(1)), copy, address, note),
  ];
}
