import type { Answer, ContextPassage, PassageAnswer, SearchResult } from '../../../../index/search/answer.ts';
import { marksOf, splitAtMarks } from '../../../../index/search/marks.ts';
import { make } from './dom.ts';
import { get } from './endpoint.ts';
import { inLanguage, languageName } from './language-name.ts';

const SHOW = 'Show surrounding text';

/** Summary of an answer, which screen readers announce. */
export function summaryOf({ verdict, results }: Answer): Node[] {
  const count = results.length === 1 ? '1 passage' : `${results.length} passages, best first`;
  if (verdict === 'answered') return [make('h2', { class: 'count' }, count)];
  const finding = verdict === 'possible' ? 'No sure answer.' : 'No answer found.';
  const rest = results.length > 0 ? 'The closest passages:' : 'No passages match these filters.';
  return [make('h2', {}, finding), make('p', {}, rest)];
}

/** The results of an answer. */
export function listOf({ results }: Answer): Node[] {
  return results.length > 0 ? [make('ol', {}, ...results.map((one) => make('li', {}, resultOf(one))))] : [];
}

function resultOf(result: SearchResult): HTMLElement {
  const { title, source, url, lang, confidence } = result;
  const headings = title.split(' › ');
  const heading = headings.pop() ?? '';
  const crumbs = make('p', { class: 'crumbs', ...inLanguage(lang) }, headings.join(' › '));
  return make(
    'article',
    {},
    ...(headings.length > 0 ? [crumbs] : []),
    make('h3', inLanguage(lang), isLink(url) ? make('a', { href: url }, heading) : heading),
    make(
      'p',
      { class: 'meta' },
      make('span', { class: 'source' }, make('bdi', {}, source)),
      make('span', {}, languageName(lang)),
      confidenceOf(confidence),
    ),
    ...passageOf(result),
    ...alsoInOf(result),
  );
}

/** The other places of a result's text, each once. */
function alsoInOf({ alsoIn = [] }: SearchResult): HTMLElement[] {
  if (alsoIn.length === 0) return [];
  const places = new Map(alsoIn.map(({ source, url }) => [url ?? source, { source, url }]));
  const names = [...places.values()].map(({ source, url }) => {
    const name = make('bdi', {}, source);
    return isLink(url) ? make('a', { href: url }, name) : name;
  });
  return [make('p', { class: 'also' }, ...names.flatMap((name, i) => [i === 0 ? 'Also in: ' : ', ', name]))];
}

/** Whether a document's URL is safe to follow. */
function isLink(url: string | undefined): url is string {
  return url !== undefined && /^https?:\/\//i.test(url);
}

function confidenceOf(confidence: number): HTMLElement {
  const percent = `${Math.round(confidence * 100)}%`;
  const filled = make('span', { class: 'fill' });
  // The page's policy forbids a style attribute.
  filled.style.width = percent;
  return make(
    'span',
    { class: 'confidence', title: 'Probability that this passage answers the question' },
    make('span', { class: 'unseen' }, 'Confidence '),
    make('span', { class: 'bar', 'aria-hidden': 'true' }, filled),
    percent,
  );
}

/** The passage, and a button that shows the surrounding text. */
function passageOf(result: SearchResult): Node[] {
  const { id, lang } = result;
  const body = make('p', inLanguage(lang), ...textOf(result));
  const around = make('div', { class: 'passage' }, body);
  const button = make('button', { class: 'quiet', 'aria-expanded': 'false' }, SHOW);
  const note = make('span', { role: 'status' });

  button.addEventListener('click', async () => {
    if (button.ariaExpanded === 'true') {
      around.replaceChildren(body);
      toggle(false);
      return;
    }
    try {
      const passage = await get<PassageAnswer>(`passages/${encodeURIComponent(id)}?context=1`);
      const [before, after] = [passage.before ?? [], passage.after ?? []];
      around.replaceChildren(
        ...before.map((one) => neighbourOf('Before', one, lang)),
        body,
        ...after.map((one) => neighbourOf('After', one, lang)),
      );
      toggle(true);
      if (before.length + after.length === 0) note.textContent = 'This document has no other passages.';
    } catch (error) {
      note.textContent = (error as Error).message;
    }
  });

  function toggle(open: boolean): void {
    button.ariaExpanded = String(open);
    button.textContent = open ? 'Hide surrounding text' : SHOW;
    note.textContent = '';
  }

  return [around, make('p', { class: 'more' }, button, note)];
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
  return [...part(bodyStart(result), start), sentence, ...part(end, text.length)];
}

function neighbourOf(place: string, { text }: ContextPassage, lang: string): HTMLElement {
  return make('div', { class: 'neighbour' }, make('p', {}, place), make('p', inLanguage(lang), text));
}

/** Offset after the headings at the start of a passage, which its title already shows. */
function bodyStart({ text, title, highlight }: SearchResult): number {
  const headings = title.split(' › ');
  let start = 0;
  for (;;) {
    const end = text.indexOf('\n', start);
    const isHeading = end !== -1 && headings.includes(text.slice(start, end).trim());
    if (!isHeading || end >= highlight.start) return start;
    start = end + 1;
  }
}
