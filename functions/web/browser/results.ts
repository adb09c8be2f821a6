import type { Overview } from '../../../index/format/overview-types.ts';
import type { Answer, ContextPassage, PassageAnswer, SearchResult } from '../../../index/search/answer.ts';
import { marksOf, splitAtMarks } from '../../../index/search/marks.ts';
import { PolyseekError } from '../client/call.ts';
import { make } from './dom.ts';
import type { Endpoint } from './endpoint.ts';
import { inLanguage, type Texts } from './texts.ts';

export interface ResultContext {
  endpoint: Endpoint;
  texts: Texts;
  /** Address of a passage in the search page. Without it, results have no link to themselves. */
  permalinkOf?: (id: string) => string;
}

/** Items of a list of questions to start with. */
export const suggestionsOf = (
  suggestions: Overview['suggestions'],
  hrefOf: (question: string) => string,
): HTMLLIElement[] =>
  suggestions.map(({ text, lang }) =>
    make('li', {}, make('a', { href: hrefOf(text), ...inLanguage(lang) }, text)),
  );

/** A quiet line above the results of an answer, which screen readers announce. It is the heading of the results. */
export function summaryOf({ verdict, results }: Answer, texts: Texts): Node[] {
  const line = texts.of(({ answered: 'matches', possible: 'close', none: 'none' } as const)[verdict]);
  const more = verdict !== 'none' ? '' : ` ${texts.of(results.length > 0 ? 'closest' : 'noMatch')}`;
  return [make('h2', { class: 'summary' }, line + more)];
}

/** The results of an answer. The best one has a badge if it probably answers. */
export function listOf({ verdict, results }: Answer, context: ResultContext): Node[] {
  if (results.length === 0) return [];
  const items = results.map((result, i) =>
    make('li', {}, resultOf(result, context, verdict === 'answered' && i === 0)),
  );
  return [make('ol', {}, ...items)];
}

function resultOf(result: SearchResult, context: ResultContext, isBest: boolean): HTMLElement {
  const { texts } = context;
  const badge = isBest ? [make('span', { class: 'badge' }, texts.of('bestMatch'))] : [];
  return make(
    'article',
    {},
    ...headOf(result, context, 'h3', ...badge),
    ...passageOf(result, context),
    ...alsoInOf(result, texts),
  );
}

/** The headings of a passage, linked to its document, and a line with its source, place and language. */
export function headOf(
  { id, title, source, url, anchor, lang }: PassageAnswer,
  { texts, permalinkOf }: ResultContext,
  level: 'h2' | 'h3',
  ...more: Node[]
): Node[] {
  const headings = title.split(' › ');
  const heading = headings.pop() || source;
  const href = isLink(url) ? url : permalinkOf?.(id);
  const place = placeOf(anchor, texts);
  return [
    ...(headings.length > 0
      ? [make('p', { class: 'crumbs', ...inLanguage(lang) }, headings.join(' › '))]
      : []),
    make(level, inLanguage(lang), href === undefined ? heading : make('a', { href }, heading)),
    make(
      'p',
      { class: 'meta' },
      make('span', { class: 'source' }, make('bdi', {}, source)),
      ...(place === undefined ? [] : [make('span', { class: 'place' }, place)]),
      make('span', { class: 'language' }, texts.languageName(lang)),
      ...more,
    ),
  ];
}

/** The page or the time that an anchor refers to. */
function placeOf(anchor: string | undefined, texts: Texts): string | undefined {
  const [, unit, value] = /^(page|t)=(\d+)/.exec(anchor ?? '') ?? [];
  if (unit === undefined) return undefined;
  if (unit === 'page') return texts.of('pageNumber', { number: Number(value) });
  const seconds = Number(value);
  const clock = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
  return [Math.floor(seconds / 3600), ...clock].join(':');
}

/** The other places of a passage's text, each once. */
export function alsoInOf({ alsoIn = [] }: PassageAnswer, texts: Texts): HTMLElement[] {
  if (alsoIn.length === 0) return [];
  const places = new Map(alsoIn.map(({ source, url }) => [url ?? source, { source, url }]));
  const names = [...places.values()].map(({ source, url }) => {
    const name = make('bdi', {}, source);
    return isLink(url) ? make('a', { href: url }, name) : name;
  });
  return [make('p', { class: 'also' }, `${texts.of('alsoIn')} `, ...texts.list(names))];
}

/** Whether a document's URL is safe to follow. */
export function isLink(url: string | undefined): url is string {
  return url !== undefined && /^https?:\/\//i.test(url);
}

/** The passage, a button that shows the surrounding text, and a link to the passage. */
function passageOf(result: SearchResult, { endpoint, texts, permalinkOf }: ResultContext): Node[] {
  const { id, lang } = result;
  const body = make('p', inLanguage(lang), ...textOf(result));
  const around = make('div', { class: 'passage' }, body);
  const button = make('button', { type: 'button', class: 'quiet', 'aria-expanded': 'false' });
  const note = make('span', { role: 'status' });

  button.addEventListener('click', async () => {
    if (button.ariaExpanded === 'true') {
      around.replaceChildren(body);
      toggle(false);
      return;
    }
    try {
      const passage = await endpoint.get<PassageAnswer>(passagePath(id));
      const { before = [], after = [] } = passage;
      around.replaceChildren(...withNeighbours(passage, body, texts));
      toggle(true);
      if (before.length + after.length === 0) note.textContent = texts.of('alone');
    } catch (error) {
      note.replaceChildren(...errorNodes(error, texts, () => button.click()));
    }
  });

  function toggle(open: boolean): void {
    button.ariaExpanded = String(open);
    button.textContent = texts.of(open ? 'hideAround' : 'showAround');
    note.textContent = '';
  }

  toggle(false);
  const link = permalinkOf
    ? [make('a', { class: 'quiet permalink', href: permalinkOf(id) }, texts.of('permalink'))]
    : [];
  return [around, make('div', { class: 'more' }, button, ...link, note)];
}

/** Path of a passage with one passage on each side. */
export const passagePath = (id: string) => `passages/${encodeURIComponent(id)}?context=1`;

/** A passage's text between the passages before and after it. */
export function withNeighbours(
  { lang, before = [], after = [] }: PassageAnswer,
  body: Node,
  texts: Texts,
): Node[] {
  const neighbourOf = (place: string, { text }: ContextPassage) =>
    make('div', { class: 'neighbour' }, make('p', {}, place), make('p', inLanguage(lang), text));
  return [
    ...before.map((one) => neighbourOf(texts.of('before'), one)),
    body,
    ...after.map((one) => neighbourOf(texts.of('after'), one)),
  ];
}

/** The text of a passage with its best sentence, in which the matching words are marked; without matches, the sentence itself is. */
function textOf(result: SearchResult): (Node | string)[] {
  const { text, highlight, matches } = result;
  const { start, end } = highlight;
  const marks = marksOf(text, matches);
  const part = (from: number, to: number) =>
    splitAtMarks(text, from, to, marks).map(({ part, isMarked }) =>
      isMarked ? make('mark', {}, part) : part,
    );
  const sentence = make(marks.length > 0 ? 'span' : 'mark', { class: 'best' }, ...part(start, end));
  return [...part(bodyStart(result, start), start), sentence, ...part(end, text.length)];
}

/** Offset after the headings at the start of a passage, which its title already shows; at most `last`. */
export function bodyStart({ text, title }: PassageAnswer, last: number): number {
  const headings = title.split(' › ');
  let start = 0;
  for (;;) {
    const end = text.indexOf('\n', start);
    const isHeading = end !== -1 && headings.includes(text.slice(start, end).trim());
    if (!isHeading || end >= last) return start;
    start = end + 1;
  }
}

/** The text for a failure after which the same request may succeed later; undefined for another. */
function transientText(error: unknown): 'offline' | 'busy' | 'unavailable' | undefined {
  if (!(error instanceof PolyseekError)) return undefined;
  const { status } = error;
  if (status === undefined) return 'offline';
  if (status === 429) return 'busy';
  return [502, 503, 504].includes(status) ? 'unavailable' : undefined;
}

/** The message of a failed request and, if the same request may succeed later, a button to repeat it. */
export function errorNodes(error: unknown, texts: Texts, retry: () => void): Node[] {
  const text = transientText(error);
  // The endpoint's own messages are in English.
  if (!text) return [make('p', { class: 'error', lang: 'en', dir: 'ltr' }, (error as Error).message)];
  const button = make('button', { type: 'button', class: 'again' }, texts.of('tryAgain'));
  button.addEventListener('click', retry);
  return [make('p', { class: 'error' }, texts.of(text)), button];
}
