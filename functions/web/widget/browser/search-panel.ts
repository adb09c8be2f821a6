import type { Overview } from '../../../../index/format/overview-types.ts';
import type { Answer } from '../../../../index/search/answer.ts';
import { createAsker, isLongEnough, type SearchState } from '../../browser/ask.ts';
import { make } from '../../browser/dom.ts';
import { errorNodes } from '../../browser/errors.ts';
import { inLanguage } from '../../browser/language-name.ts';
import { listOf } from '../../browser/results.ts';
import { summaryOf } from '../../browser/verdict.ts';
import { moveByArrows } from './arrow-keys.ts';
import { reportLinks } from './events.ts';
import { createFilterMenu } from './filter-menu.ts';
import { createAskForm, type Panel, type PanelContext } from './panel.ts';

/** Searches as you type: a field, filters and results. */
export interface SearchPanel extends Panel {
  /** Searches now, as if this question had been typed. */
  search(q: string): void;
}

export function createSearchPanel(context: PanelContext): SearchPanel {
  const { options, texts, endpoint, emit } = context;
  const { form, field } = createAskForm(context, options.placeholder);
  const status = make('div', { class: 'status', part: 'status', role: 'status' });
  const results = make('div', { class: 'results', part: 'results' });
  const suggestions = make('section', { class: 'suggestions', hidden: '' });
  const languages = createFilterMenu(texts.of('language'), texts.of('widget.allLanguages'), searchNow);
  const sources = createFilterMenu(texts.of('source'), texts.of('widget.allSources'), searchNow);
  const filters = make('div', { class: 'filters', part: 'filters' }, languages.element, sources.element);
  const body = make('div', { class: 'body' }, filters, suggestions, status, results);
  const element = make('div', { class: 'part' }, make('search', {}, form), body);
  const asker = createAsker(options.key ? { get: postQuery } : endpoint, show);

  let answer: Answer | undefined;
  /** Whether Enter has asked for the first result. */
  let wantsFirst = false;

  /** Where arrows move: the link of each result, or the result itself if its document has no address. */
  const linksOfResults = () =>
    [...results.querySelectorAll('article')].map((one) => one.querySelector<HTMLElement>('h3 a') ?? one);
  const linksOfSuggestions = () => [...suggestions.querySelectorAll<HTMLElement>('a')];

  function query(): string {
    const parameters = new URLSearchParams({ q: field.value.trim(), k: String(options.k) });
    for (const lang of languages.value ? [languages.value] : options.langs) parameters.append('lang', lang);
    for (const source of sources.value ? [sources.value] : options.sources)
      parameters.append('source', source);
    return String(parameters);
  }

  /**
   * Sends a query in a body. With a key, a browser asks the endpoint before each new address whether it may send the header
   * (CORS preflight). `POST /search` has one address, for which it asks once an hour.
   */
  function postQuery<T>(path: string, signal?: AbortSignal): Promise<T> {
    const parameters = new URLSearchParams(path.slice(path.indexOf('?')));
    const body = {
      q: parameters.get('q'),
      k: options.k,
      matches: true,
      ...(parameters.has('lang') && { lang: parameters.getAll('lang') }),
      ...(parameters.has('source') && { source: parameters.getAll('source') }),
    };
    return endpoint.post<T>('search', body, signal);
  }

  function searchNow(): void {
    if (field.value.trim()) asker.ask(query());
  }

  function typed(): void {
    if (isLongEnough(field.value)) asker.askSoon(query());
    else asker.stop();
  }

  function show(state: SearchState): void {
    suggestions.hidden = state.kind !== 'idle' || !suggestions.querySelector('li');
    results.ariaBusy = String(/waiting|searching|slow/.test(state.kind));
    if (state.kind === 'slow') {
      status.replaceChildren(make('p', { class: 'count' }, texts.of('searching')));
    } else if (state.kind === 'answer') {
      ({ answer } = state);
      status.replaceChildren(...summaryOf(answer, texts));
      results.replaceChildren(...listOf(answer, context));
      for (const one of results.querySelectorAll('article')) {
        one.part.add('result');
        one.tabIndex = -1;
        one.querySelector('h3')?.part.add('result-title');
      }
      for (const one of results.querySelectorAll('mark')) one.part.add('mark');
      body.scrollTop = 0;
      if (wantsFirst && field.matches(':focus')) linksOfResults()[0]?.focus();
      wantsFirst = false;
      emit('polyseek-search', { q: answer.q, answer });
    } else if (state.kind === 'idle' || state.kind === 'error') {
      answer = undefined;
      results.replaceChildren();
      status.replaceChildren(...(state.kind === 'error' ? errorNodes(state.error, texts, searchNow) : []));
    }
  }

  async function load(): Promise<void> {
    try {
      const overview = await endpoint.get<Overview>('overview');
      if (options.langs.length === 0) languages.list(overview.languages, texts.languageName);
      if (options.sources.length === 0) sources.list(overview.sources, (source) => source);
      const items = overview.suggestions.map(({ text, lang }) =>
        make('li', {}, make('a', { href: '', ...inLanguage(lang) }, text)),
      );
      suggestions.replaceChildren(make('h2', {}, texts.of('suggestions')), make('ul', {}, ...items));
      suggestions.hidden = items.length === 0 || field.value.trim() !== '';
      if (!field.value.trim()) status.replaceChildren();
    } catch (error) {
      // A search reports its own error.
      if (!field.value.trim()) status.replaceChildren(...errorNodes(error, texts, () => void load()));
    }
  }

  field.addEventListener('input', (event) => {
    wantsFirst = false;
    if (event instanceof InputEvent && event.isComposing) return;
    typed();
  });
  // Some browsers send no further input event when a composed word is complete.
  field.addEventListener('compositionend', typed);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    // Hides a phone's keyboard, which covers the results.
    if (matchMedia('(pointer: coarse)').matches) field.blur();
    wantsFirst = true;
    searchNow();
  });
  suggestions.addEventListener('click', (event) => {
    const link = event.target instanceof Element && event.target.closest('a');
    if (!link) return;
    event.preventDefault();
    field.focus();
    search(link.textContent);
  });
  moveByArrows(element, field, () => (suggestions.hidden ? linksOfResults() : linksOfSuggestions()));
  reportLinks(
    results,
    emit,
    (link) => {
      const position = [...results.querySelectorAll('article')].indexOf(link.closest('article')!);
      const result = answer?.results[position];
      return result && answer && { q: answer.q, result, position: position + 1 };
    },
    context.followed,
  );

  function search(q: string): void {
    field.value = q;
    wantsFirst = false;
    if (q.trim()) searchNow();
    else asker.stop();
  }

  return { element, field, search, stop: () => asker.stop(), load };
}
