import type { CountedSource, Overview, Suggestion } from '../../../index/format/overview-types.ts';
import type { Answer, SearchResult } from '../../../index/search/answer.ts';
import { createAsker, isLongEnough, type SearchState } from '../browser/ask.ts';
import { buttonOf, listenToField, make, moveByArrows } from '../browser/dom.ts';
import type { Endpoint } from '../browser/endpoint.ts';
import {
  alignWords,
  copyByKey,
  errorNodes,
  feedbackOf,
  listOf,
  suggestionsOf,
  summaryOf,
} from '../browser/results.ts';
import { mergeLanguages, type TextName, type Texts } from '../browser/texts.ts';
import { createAskForm, type Panel, type PanelContext, reportLinks } from './panel.ts';

/** Searches as you type: a field, filters and results. */
export interface SearchPanel extends Panel {
  /** Searches now, as if this question had been typed. */
  search(q: string): void;
  /** Requests what the panel shows before the first question. */
  load(): Promise<void>;
}

/** `more` is further content of the field's line. */
export function createSearchPanel(context: PanelContext, ...more: Node[]): SearchPanel {
  const { options, texts, endpoint, emit, addressOf } = context;
  const { form, field } = createAskForm(context, options.placeholder, ...more);
  const language = createMenu(texts.of('language'), searchNow);
  const source = createMenu(texts.of('source'), searchNow);
  const filters = make('div', { class: 'filters', part: 'filters', hidden: '' }, language, source);
  const suggestions = make('section', { class: 'suggestions', hidden: '' });
  const status = make('div', { class: 'status', part: 'status', role: 'status' });
  const results = make('div', { class: 'results', part: 'results' });
  const head = make('div', { class: 'bar' }, status, filters);
  const body = make('div', { class: 'body' }, head, suggestions, results);
  const keys = options.isInline ? [] : [keysOf(texts)];
  const element = make('div', { class: 'part' }, make('search', {}, form), body, ...keys);
  const recent = createRecent(`polyseek ${options.api}`);
  const asker = createAsker(
    options.key ? { get: (...sent) => postQuery(endpoint, ...sent) } : endpoint,
    show,
  );
  let shown: { q: string; results: SearchResult[] } | undefined;
  /** Whether Enter has asked for the first result. */
  let wantsFirst = false;
  let questions: Suggestion[] = [];
  /** Whether the endpoint asks people if an answer helped. */
  let takesFeedback = false;

  const isIdle = () => !field.value.trim();
  const articles = () => [...results.querySelectorAll<HTMLElement>('article:not([hidden])')];
  const suggested = () => [...suggestions.querySelectorAll('a')];
  /** Where arrows move: the link of each result, or the result itself if its document has no address. */
  const links = () => articles().map((one) => one.querySelector<HTMLElement>('h3 a') ?? one);

  function searchNow(): void {
    if (!isIdle()) asker.ask(queryOf(field.value.trim()));
  }

  function queryOf(q: string): string {
    const query = new URLSearchParams({ q, k: String(options.k) });
    const valuesOf = ({ value }: HTMLSelectElement, fixed: string[]) => (value ? [value] : fixed);
    for (const value of valuesOf(language, options.langs)) query.append('lang', value);
    for (const value of valuesOf(source, options.sources)) query.append('source', value);
    return String(query);
  }

  function typed(): void {
    wantsFirst = false;
    if (isLongEnough(field.value)) asker.askSoon(queryOf(field.value.trim()));
    else asker.stop();
  }

  function search(q: string): void {
    field.value = q;
    wantsFirst = false;
    if (isIdle()) asker.stop();
    else searchNow();
  }

  function show(state: SearchState): void {
    const isIdle = state.kind === 'idle';
    filters.hidden = isIdle;
    showSuggestions(isIdle);
    results.ariaBusy = String(/waiting|searching|slow/.test(state.kind));
    if (state.kind === 'slow') status.replaceChildren(make('p', { class: 'count' }, texts.of('searching')));
    else if (state.kind === 'answer') showAnswer(state.answer);
    else if (state.kind === 'idle' || state.kind === 'error') {
      results.replaceChildren();
      status.replaceChildren(...(state.kind === 'error' ? errorNodes(state.error, texts, searchNow) : []));
    }
  }

  /** Shows recent searches and suggested questions. */
  function showSuggestions(isShown: boolean): void {
    const clear = buttonOf('quiet', texts.of('widget.clear'), () => {
      recent.clear();
      showSuggestions(true);
      field.focus();
    });
    const listed = (name: TextName, items: Suggestion[], ...more: Node[]) =>
      items.length === 0
        ? []
        : [
            make('div', { class: 'bar' }, make('h2', {}, texts.of(name)), ...more),
            make('ul', {}, ...suggestionsOf(items, () => '')),
          ];
    const asked = recent.list().map((text) => ({ text, lang: 'und' }));
    suggestions.replaceChildren(
      ...listed('widget.recent', asked, clear),
      ...listed('suggestions', questions),
    );
    suggestions.hidden = !isShown || suggested().length === 0;
  }

  function showAnswer(answer: Answer): void {
    shown = { q: answer.q, results: answer.results };
    status.replaceChildren(...summaryOf(answer, texts));
    if (answer.results.length === 0 && (language.value || source.value))
      status.append(buttonOf('again', texts.of('clearFilters'), clearFilters));
    const permalinkOf = addressOf && ((id: string) => addressOf(id, answer.q));
    results.replaceChildren(...listOf(answer, { endpoint, texts, permalinkOf }));
    if (takesFeedback && answer.results.length > 0) results.append(feedbackOf(answer, { endpoint, texts }));
    for (const one of results.querySelectorAll('article')) {
      one.part.add('result');
      one.tabIndex = -1;
      one.querySelector('h3')?.part.add('result-title');
    }
    for (const one of results.querySelectorAll('mark')) one.part.add('mark');
    body.scrollTop = 0;
    if (wantsFirst && field.matches(':focus')) links()[0]?.focus();
    wantsFirst = false;
    emit('polyseek-search', { q: answer.q, answer });
  }

  function clearFilters(): void {
    language.value = source.value = '';
    field.focus();
    searchNow();
  }

  async function load(): Promise<void> {
    try {
      const overview = await endpoint.get<Overview & { takesFeedback?: true }>('overview');
      takesFeedback = overview.takesFeedback === true;
      // A field that the element's attributes fix has no menu.
      if (options.langs.length === 0)
        fillMenu(language, texts.of('widget.allLanguages'), mergeLanguages(overview.languages), ({ value }) =>
          texts.languageName(value),
        );
      if (options.sources.length === 0)
        fillMenu(
          source,
          texts.of('widget.allSources'),
          overview.sources,
          ({ value, title }) => title ?? value,
        );
      questions = overview.suggestions;
      showSuggestions(isIdle());
      if (isIdle()) status.replaceChildren();
    } catch (error) {
      // A search reports its own error.
      if (isIdle()) status.replaceChildren(...errorNodes(error, texts, () => void load()));
    }
  }

  listenToField(form, field, typed, () => {
    wantsFirst = true;
    if (!isIdle()) recent.add(field.value.trim());
    searchNow();
  });
  suggestions.addEventListener('click', (event) => {
    const link = event.target instanceof Element && event.target.closest('a');
    if (!link) return;
    event.preventDefault();
    field.focus();
    recent.add(link.textContent);
    search(link.textContent);
  });
  reportLinks(results, context, (link) => {
    const article = link.closest('article')!;
    const position = articles().indexOf(article);
    const result = shown?.results.find(({ id }) => id === article.dataset.id);
    if (shown) recent.add(shown.q);
    return result && shown && { q: shown.q, result, position: position + 1 };
  });
  alignWords(field, results);
  copyByKey(element);
  moveByArrows(element, field, () => (suggestions.hidden ? links() : suggested()));

  return { element, field, search, stop: asker.stop, load };
}

/**
 * Sends a query in a body. With a key, a browser asks the endpoint before each new address whether it may send the header
 * (CORS preflight). `POST /search` has one address, for which it asks once an hour.
 */
function postQuery<T>(endpoint: Endpoint, path: string, signal?: AbortSignal): Promise<T> {
  const parameters = new URLSearchParams(path.slice(path.indexOf('?')));
  const body = {
    q: parameters.get('q'),
    k: Number(parameters.get('k')),
    matches: true,
    ...(parameters.has('lang') && { lang: parameters.getAll('lang') }),
    ...(parameters.has('source') && { source: parameters.getAll('source') }),
  };
  return endpoint.post<T>('search', body, signal);
}

/** Creates a menu of a field's values. The browser's own menu is accessible, and fits a phone. Its value is '' for all. */
function createMenu(name: string, changed: () => void): HTMLSelectElement {
  const menu = make('select', { 'aria-label': name, part: 'filter', hidden: '' });
  menu.addEventListener('change', changed);
  return menu;
}

/** Shows a menu if there are several values. Its choice `all` filters nothing. */
function fillMenu(
  menu: HTMLSelectElement,
  all: string,
  values: readonly CountedSource[],
  nameOf: (value: CountedSource) => string,
): void {
  const options = values.map((one) => make('option', { value: one.value }, nameOf(one)));
  menu.replaceChildren(make('option', { value: '' }, all), ...options);
  menu.hidden = values.length < 2;
}

/** The last five questions of this tab, newest first. They end with the tab, for the sake of those who share a machine. */
function createRecent(name: string) {
  // Pages without storage, such as sandboxed frames, throw.
  function list(): string[] {
    try {
      return JSON.parse(sessionStorage.getItem(name) ?? '[]');
    } catch {
      return [];
    }
  }
  function write(questions: string[]): void {
    try {
      sessionStorage.setItem(name, JSON.stringify(questions));
    } catch {}
  }
  return {
    list,
    add: (q: string) => write([q, ...list().filter((other) => other !== q)].slice(0, 5)),
    clear: () => write([]),
  };
}

/** A line with the keys of the dialog, which screen readers skip: they have keys of their own. */
function keysOf(texts: Texts): HTMLElement {
  const keys = [
    ['↑', '↓', texts.of('widget.move')],
    ['↵', texts.of('widget.open')],
    ['Esc', texts.of('widget.close')],
  ];
  const items = keys.map((key) =>
    make('span', {}, ...key.slice(0, -1).map((cap) => make('kbd', {}, cap)), key.at(-1)!),
  );
  return make('p', { class: 'keys', 'aria-hidden': 'true' }, ...items);
}
