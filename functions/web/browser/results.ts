import type { Overview } from '../../../index/format/overview-types.ts';
import type { Answer, ContextPassage, PassageAnswer, SearchResult } from '../../../index/search/answer.ts';
import { marksOf, splitAtMarks } from '../../../index/search/marks.ts';
import { PolyseekError } from '../client/call.ts';
import { buttonOf, copyText, isPlainKey, make } from './dom.ts';
import type { Endpoint } from './endpoint.ts';
import { inLanguage, languageIn, type Texts } from './texts.ts';

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
  // The answer itself says that it is one, except to those who cannot see it.
  return [make('h2', { class: verdict === 'answered' ? 'unseen' : 'summary' }, line + more)];
}

/** Results by document, in the order of the best of each. Results of a single document in one language are not grouped. */
function byDocument(results: readonly SearchResult[]): SearchResult[][] {
  const documents = [...Map.groupBy(results, untranslated).values()];
  const isOne = documents.length === 1 && results.every(({ source }) => source === results[0]!.source);
  return isOne ? results.map((result) => [result]) : documents;
}

/** The path of a document without its language: the same for `guide.md`, `de/guide.md` and `guide.de.md`. */
function untranslated({ source, lang }: SearchResult): string {
  const own = languageIn(lang);
  return source
    .split(/[/.]/)
    .filter((part) => own === undefined || languageIn(part) !== own)
    .join('/');
}

/** The results of an answer by document. If the first one probably answers, it is a card with its best sentence. */
export function listOf({ verdict, results }: Answer, context: ResultContext): Node[] {
  if (results.length === 0) return [];
  const answer = verdict === 'answered' ? results[0] : undefined;
  const items = byDocument(results).map((group) => itemOf(group, context, answer));
  return [make('ol', {}, ...items)];
}

/** Asks whether an answer helped, for endpoints that take feedback. */
export function feedbackOf({ q }: Answer, { endpoint, texts }: ResultContext): HTMLElement {
  const buttons = [true, false].map((helpful) =>
    buttonOf('quiet', texts.of(helpful ? 'yes' : 'no'), () => {
      // Once. Nobody waits for the answer, and a failure is nothing to a reader.
      if (buttons.some(({ ariaPressed }) => ariaPressed)) return;
      buttons[helpful ? 0 : 1]!.ariaPressed = 'true';
      endpoint.post('feedback', { q, helpful }).catch(() => {});
    }),
  );
  return make('div', { class: 'feedback' }, texts.of('helped'), ...buttons);
}

/**
 * The results of a document. Of its translations, one is shown, and buttons show the others. It is the answer, the one in the reader's
 * language, or else the best: a passage in the reader's language may be another than the one that answers.
 */
function itemOf(
  group: readonly SearchResult[],
  context: ResultContext,
  answer: SearchResult | undefined,
): HTMLLIElement {
  const { texts } = context;
  const articles = new Map(
    [...Map.groupBy(group, ({ lang }) => texts.languageName(lang))].map(([language, results]) => [
      language,
      results.map((result) => resultOf(result, context, result === answer)),
    ]),
  );
  const buttons = [...articles.keys()].map((language) => buttonOf('quiet', language, () => show(language)));
  const item = make('li', {}, ...[...articles.values()].flat());
  if (buttons.length > 1)
    item.append(
      make('div', { class: 'languages', role: 'group', 'aria-label': texts.of('language') }, ...buttons),
    );

  function show(chosen: string): void {
    for (const [language, all] of articles) for (const one of all) one.hidden = language !== chosen;
    for (const button of buttons) button.ariaPressed = String(button.textContent === chosen);
    // Further results are told by their places.
    item.prepend(...articles.get(chosen)!);
  }

  const best = group[0]!;
  const own = texts.languageName(texts.lang);
  show(best !== answer && articles.has(own) ? own : texts.languageName(best.lang));
  return item;
}

/** A result: its heading, its place, and a snippet that expands to the passage and the surrounding text. */
function resultOf(result: SearchResult, context: ResultContext, isAnswer: boolean): HTMLElement {
  const { endpoint, texts, permalinkOf } = context;
  const { id, lang } = result;
  const snippet = make('p', { class: 'snippet', ...inLanguage(lang) }, ...snippetOf(result, isAnswer));
  const passage = make('div', { class: 'passage' }, snippet);
  const note = make('span', { role: 'status' });
  const more = buttonOf('quiet', texts.of('more'), () => void toggle(more.ariaExpanded !== 'true'));
  more.ariaExpanded = 'false';

  async function toggle(isOpen: boolean): Promise<void> {
    more.ariaExpanded = String(isOpen);
    more.textContent = texts.of(isOpen ? 'less' : 'more');
    note.textContent = '';
    if (!isOpen) {
      passage.replaceChildren(snippet);
      return;
    }
    const whole = textOf(result, partsOf(result));
    const also = alsoInOf(result, texts);
    passage.replaceChildren(whole, ...also);
    try {
      const found = await endpoint.get<PassageAnswer>(passagePath(id));
      if (!whole.isConnected) return;
      passage.replaceChildren(...withNeighbours(found, whole, texts), ...also);
      if (!found.before?.length && !found.after?.length) note.textContent = texts.of('alone');
    } catch (error) {
      note.replaceChildren(...errorNodes(error, texts, () => void toggle(true)));
    }
  }

  const permalink = permalinkOf
    ? [make('a', { class: 'quiet permalink', href: permalinkOf(id) }, texts.of('permalink'))]
    : [];
  const cite = isAnswer ? citeOf(result, result.highlight.text.trim(), context, note) : [];
  return make(
    'article',
    { 'data-id': id, ...(isAnswer && { class: 'answer' }) },
    titleOf(result, context, 'h3'),
    metaOf(result, texts),
    make('div', { class: 'more' }, ...cite, more, ...permalink, note),
    passage,
  );
}

/** Lights up a word of the question in all passages: the word at the caret, or that of a mark under the pointer. */
export function alignWords(field: HTMLInputElement, results: HTMLElement): void {
  const light = (isSame: (word: string) => boolean) => {
    for (const mark of results.querySelectorAll<HTMLElement>('[data-words]'))
      mark.classList.toggle('lit', mark.dataset.words!.split(' ').some(isSame));
  };
  results.addEventListener('pointerover', ({ target }) => {
    const words = target instanceof HTMLElement ? target.dataset.words?.split(' ') : undefined;
    light((word) => words?.includes(word) === true);
  });
  for (const type of ['keyup', 'pointerup']) {
    field.addEventListener(type, () => {
      const at = field.selectionStart ?? 0;
      light((word) => {
        const [start = 0, end = 0] = word.split('-').map(Number);
        return start <= at && at < end;
      });
    });
  }
}

/** Copies the answer by the key C, except while a person types. */
export function copyByKey(container: HTMLElement): void {
  container.addEventListener('keydown', (event) => {
    // By its place, because other alphabets have other letters there.
    if (event.code !== 'KeyC' || event.shiftKey || !isPlainKey(event)) return;
    if (
      event.target instanceof Element &&
      !event.target.matches('input:not([type=checkbox], [type=radio]), select')
    )
      container.querySelector<HTMLElement>('.cite')?.click();
  });
}

/** A link to a quotation in its document, and a button that copies the quotation with its title and address. */
export function citeOf(
  { id, title, source, url }: PassageAnswer,
  quotation: string,
  { texts, permalinkOf }: ResultContext,
  note: HTMLElement,
): Node[] {
  const href = isLink(url) ? urlOf(url, quotation) : permalinkOf?.(id);
  const read = make('a', { class: 'quiet' }, texts.of('inContext'));
  if (href) read.href = href;
  const cite = buttonOf('quiet cite', texts.of('cite'), () => {
    const citation = [`“${quotation}”`, title || source, isLink(url) ? url : read.href];
    void copyText(citation.filter(Boolean).join('\n'), cite.closest('article, section')!, note, texts);
  });
  cite.setAttribute('aria-keyshortcuts', 'c');
  cite.append(make('kbd', { 'aria-hidden': 'true' }, 'C'));
  return [...(href ? [read] : []), cite];
}

/** A URL at which a browser scrolls to a quotation and marks it, if it can. A long one is given by its first and last words. */
function urlOf(url: string, quotation: string): string {
  if (!('fragmentDirective' in document)) return url;
  const words = quotation.split(/\s+/);
  const ends = words.length > 8 ? [words.slice(0, 4), words.slice(-4)] : [words];
  // A hyphen has a meaning in a directive.
  const text = ends.map((part) => encodeURIComponent(part.join(' ')).replaceAll('-', '%2D'));
  return `${url}${url.includes('#') ? '' : '#'}:~:text=${text.join(',')}`;
}

/** The heading of a passage, linked to its document. */
export function titleOf(
  { id, title, source, url, lang }: PassageAnswer,
  { permalinkOf }: ResultContext,
  level: 'h2' | 'h3',
): HTMLElement {
  const heading = title.split(' › ').pop() || source;
  const href = isLink(url) ? url : permalinkOf?.(id);
  return make(level, inLanguage(lang), href === undefined ? heading : make('a', { href }, heading));
}

/** A line with the headings above a passage's own, or else its document, with its place and, if it is another, its language. */
export function metaOf(
  { title, source, anchor, lang }: PassageAnswer,
  texts: Texts,
  ...more: Node[]
): HTMLElement {
  const crumbs = title.split(' › ').slice(0, -1).join(' › ');
  const place = placeOf(anchor, texts);
  const language = texts.languageName(lang);
  const isOther = language !== texts.languageName(texts.lang);
  return make(
    'div',
    { class: 'meta' },
    crumbs
      ? make('span', { class: 'crumbs', ...inLanguage(lang) }, crumbs)
      : make('span', { class: 'source', dir: 'auto' }, source),
    ...(place === undefined ? [] : [make('span', { class: 'place' }, place)]),
    ...(isOther ? [make('span', { class: 'language' }, language)] : []),
    ...more,
  );
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

/** Path of a passage with one passage on each side. */
export const passagePath = (id: string) => `passages/${encodeURIComponent(id)}?context=1`;

/** A passage's text between the passages before and after it. */
export function withNeighbours(
  { lang, before = [], after = [] }: PassageAnswer,
  body: Node,
  texts: Texts,
): Node[] {
  const neighbourOf = (place: string, { text }: ContextPassage) =>
    make(
      'div',
      { class: 'neighbour' },
      make('p', {}, place),
      make('div', inLanguage(lang), ...blocksOf(text)),
    );
  return [
    ...before.map((one) => neighbourOf(texts.of('before'), one)),
    body,
    ...after.map((one) => neighbourOf(texts.of('after'), one)),
  ];
}

/** Characters of a snippet: what its lines show, and at most. */
const SNIPPET = { shown: 160, most: 480 };

/** The best sentence of a result and, unless it is the answer, what follows it, or what precedes it near the end of the passage. */
function snippetOf(result: SearchResult, isAnswer: boolean): (Node | string)[] {
  const { text, highlight } = result;
  const { start, end } = highlight;
  const first = bodyStart(result, start);
  if (isAnswer) return partsOf(result)(start, end);
  const earliest = Math.max(first, text.trimEnd().length - SNIPPET.shown);
  const sentences = [...new Intl.Segmenter(undefined, { granularity: 'sentence' }).segment(text)];
  const from = Math.min(start, sentences.find(({ index }) => index >= earliest)?.index ?? start);
  return [
    ...(from > first ? ['… '] : []),
    ...partsOf(result)(from, Math.min(text.length, from + SNIPPET.most)),
  ];
}

/** Makes the nodes of parts of a passage, from one offset to another. */
type Parts = (from: number, to: number) => (Node | string)[];

/** Marks the matching words and, more quietly, the best sentence; without matches, the sentence itself is marked. */
export function partsOf({ text, highlight, matches }: SearchResult): Parts {
  const marks = marksOf(text, matches);
  const marked: Parts = (from, to) => {
    let at = from;
    return splitAtMarks(text, from, to, marks).map(({ part, isMarked }) => {
      const start = at;
      at += part.length;
      if (!isMarked) return part;
      const own = matches!.filter((match) => match.text[0] < at && match.text[1] > start);
      return make('mark', { 'data-words': own.map(({ query }) => query.join('-')).join(' ') }, part);
    });
  };
  return (from, to) => {
    const [start, end] = [highlight.start, highlight.end].map((at) => Math.min(Math.max(at, from), to)) as [
      number,
      number,
    ];
    const best = make(marks.length > 0 ? 'span' : 'mark', { class: 'best' }, ...marked(start, end));
    return [...marked(from, start), ...(start < end ? [best] : []), ...marked(end, to)];
  };
}

/** The whole text of a passage below its headings. */
export function textOf(passage: PassageAnswer, parts?: Parts): HTMLElement {
  const { text, lang } = passage;
  const blocks = blocksOf(text, bodyStart(passage, text.length), parts);
  return make('div', { class: 'text', ...inLanguage(lang) }, ...blocks);
}

/** The paragraphs of a text from an offset on. Lines with as many cells between bars are a table, indented lines are code. */
function blocksOf(
  text: string,
  start = 0,
  parts: Parts = (from, to) => [text.slice(from, to)],
): HTMLElement[] {
  return [...text.slice(start).matchAll(/.+(?:\n.+)*/g)].map(({ 0: block, index }) => {
    const from = start + index;
    const rows = [...block.matchAll(/.+/g)].map((line) => ({
      at: from + line.index,
      cells: line[0].split(' | '),
    }));
    const width = rows[0]!.cells.length;
    if (width === 1 || rows.length === 1 || rows.some(({ cells }) => cells.length !== width))
      return make(/^(?: {2}|\t)/m.test(block) ? 'pre' : 'p', {}, ...parts(from, from + block.length));
    const lines = rows.map(({ at, cells }) => {
      let next = at;
      const all = cells.map((cell) => {
        const cellStart = next;
        next += cell.length + ' | '.length;
        return make('td', {}, ...parts(cellStart, cellStart + cell.length));
      });
      return make('tr', {}, ...all);
    });
    return make('table', {}, ...lines);
  });
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
export function transientText(error: unknown): 'offline' | 'busy' | 'unavailable' | undefined {
  if (!(error instanceof PolyseekError)) return undefined;
  const { status } = error;
  if (status === undefined) return 'offline';
  if (status === 429) return 'busy';
  return [502, 503, 504].includes(status) ? 'unavailable' : undefined;
}

/** The message of a failed request and, if the same request may succeed later, a button to repeat it. */
export function errorNodes(error: unknown, texts: Texts, retry: () => void): Node[] {
  const text = transientText(error);
  if (!text) {
    // The endpoint's own messages are in English.
    const language = error instanceof PolyseekError ? inLanguage('en') : {};
    return [make('p', { class: 'error', ...language }, (error as Error).message)];
  }
  const button = make('button', { type: 'button', class: 'again' }, texts.of('tryAgain'));
  button.addEventListener('click', retry);
  return [make('p', { class: 'error' }, texts.of(text)), button];
}
