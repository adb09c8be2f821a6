import type { Counted, Overview, Suggestion } from '../../../index/format/overview-types.ts';
import type { Answer } from '../../../index/search/answer.ts';
import { createAsker, isLongEnough, type SearchState } from '../browser/ask.ts';
import { make, moveByArrows } from '../browser/dom.ts';
import type { Endpoint } from '../browser/endpoint.ts';
import { errorNodes, listOf, summaryOf } from '../browser/results.ts';
import { inLanguage, type Texts } from '../browser/texts.ts';
import { createAskForm, type Panel, type PanelContext, reportLinks } from './panel.ts';

/** Searches as you type: a field, filters and results. */
export interface SearchPanel extends Panel {
  /** Searches now, as if this question had been typed. */
  search(q: string): void;
}

export function createSearchPanel(context: PanelContext): SearchPanel {
  const { options, texts, endpoint, emit } = context;
  const { form, field } = createAskForm(context, options.placeholder);
  const filters = createFilters(context, searchNow);
  const suggestions = createSuggestions(texts, (q) => {
    field.focus();
    search(q);
  });
  const status = make('div', { class: 'status', part: 'status', role: 'status' });
  const results = createResults(context);
  const body = make('div', { class: 'body' }, filters.element, suggestions.element, status, results.element);
  const element = make('div', { class: 'part' }, make('search', {}, form), body);
  const asker = createAsker(
    options.key ? { get: (...sent) => postQuery(endpoint, ...sent) } : endpoint,
    show,
  );
  /** Whether Enter has asked for the first result. */
  let wantsFirst = false;

  function searchNow(): void {
    const q = field.value.trim();
    if (q) asker.ask(queryOf(q));
  }

  const queryOf = (q: string) =>
    String(new URLSearchParams([['q', q], ['k', String(options.k)], ...filters.parameters()]));

  function typed(): void {
    if (isLongEnough(field.value)) asker.askSoon(queryOf(field.value.trim()));
    else asker.stop();
  }

  function search(q: string): void {
    field.value = q;
    wantsFirst = false;
    if (q.trim()) searchNow();
    else asker.stop();
  }

  function show(state: SearchState): void {
    suggestions.show(state.kind === 'idle');
    results.element.ariaBusy = String(/waiting|searching|slow/.test(state.kind));
    if (state.kind === 'slow') status.replaceChildren(make('p', { class: 'count' }, texts.of('searching')));
    else if (state.kind === 'answer') showAnswer(state.answer);
    else if (state.kind === 'idle' || state.kind === 'error') {
      results.show(undefined);
      status.replaceChildren(...(state.kind === 'error' ? errorNodes(state.error, texts, searchNow) : []));
    }
  }

  function showAnswer(answer: Answer): void {
    status.replaceChildren(...summaryOf(answer, texts));
    results.show(answer);
    body.scrollTop = 0;
    if (wantsFirst && field.matches(':focus')) results.links()[0]?.focus();
    wantsFirst = false;
    emit('polyseek-search', { q: answer.q, answer });
  }

  async function load(): Promise<void> {
    const isIdle = () => !field.value.trim();
    try {
      const overview = await endpoint.get<Overview>('overview');
      filters.list(overview);
      suggestions.list(overview.suggestions);
      suggestions.show(isIdle());
      if (isIdle()) status.replaceChildren();
    } catch (error) {
      // A search reports its own error.
      if (isIdle()) status.replaceChildren(...errorNodes(error, texts, () => void load()));
    }
  }

  field.addEventListener('input', (event) => {
    wantsFirst = false;
    if (!(event instanceof InputEvent && event.isComposing)) typed();
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
  moveByArrows(element, field, () => (suggestions.element.hidden ? results.links() : suggestions.links()));

  return { element, field, search, stop: () => asker.stop(), load };
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

/** Menus of languages and sources. A field that the element's attributes fix has none. */
function createFilters({ options: { langs, sources }, texts }: PanelContext, changed: () => void) {
  const language = createMenu(texts.of('language'), texts.of('widget.allLanguages'), changed);
  const source = createMenu(texts.of('source'), texts.of('widget.allSources'), changed);
  const valuesOf = (menu: Menu, fixed: string[]) => (menu.element.value ? [menu.element.value] : fixed);
  return {
    element: make('div', { class: 'filters', part: 'filters' }, language.element, source.element),
    list(overview: Overview): void {
      if (langs.length === 0) language.list(overview.languages, texts.languageName);
      if (sources.length === 0) source.list(overview.sources, (value) => value);
    },
    /** Parameters of `GET /search`. */
    parameters: (): [name: string, value: string][] => [
      ...valuesOf(language, langs).map((value): [string, string] => ['lang', value]),
      ...valuesOf(source, sources).map((value): [string, string] => ['source', value]),
    ],
  };
}

/** A menu of a field's values. The browser's own menu is accessible, and fits a phone. */
interface Menu {
  /** Its value is '' for all. */
  element: HTMLSelectElement;
  /** Shows the menu if there are several values. */
  list(values: readonly Counted[], nameOf: (value: string) => string): void;
}

/**
 * @param name accessible name
 * @param all label of the choice that filters nothing
 */
function createMenu(name: string, all: string, changed: () => void): Menu {
  const element = make('select', { 'aria-label': name, part: 'filter', hidden: '' });
  element.addEventListener('change', changed);
  return {
    element,
    list(values, nameOf) {
      const options = values.map(({ value }) => make('option', { value }, nameOf(value)));
      element.replaceChildren(make('option', { value: '' }, all), ...options);
      element.hidden = values.length < 2;
    },
  };
}

/** Questions to start with. */
function createSuggestions(texts: Texts, chosen: (q: string) => void) {
  const element = make('section', { class: 'suggestions', hidden: '' });
  element.addEventListener('click', (event) => {
    const link = event.target instanceof Element && event.target.closest('a');
    if (!link) return;
    event.preventDefault();
    chosen(link.textContent);
  });
  const links = () => [...element.querySelectorAll('a')];
  return {
    element,
    links,
    list(suggestions: readonly Suggestion[]): void {
      const items = suggestions.map(({ text, lang }) =>
        make('li', {}, make('a', { href: '', ...inLanguage(lang) }, text)),
      );
      element.replaceChildren(make('h2', {}, texts.of('suggestions')), make('ul', {}, ...items));
    },
    show(isShown: boolean): void {
      element.hidden = !isShown || links().length === 0;
    },
  };
}

/** The results of the current answer. */
function createResults(context: PanelContext) {
  const element = make('div', { class: 'results', part: 'results' });
  let current: Answer | undefined;
  const articles = () => [...element.querySelectorAll('article')];
  reportLinks(
    element,
    context.emit,
    (link) => {
      const position = articles().indexOf(link.closest('article')!);
      const result = current?.results[position];
      return result && current && { q: current.q, result, position: position + 1 };
    },
    context.followed,
  );
  return {
    element,
    /** Where arrows move: the link of each result, or the result itself if its document has no address. */
    links: () => articles().map((one) => one.querySelector<HTMLElement>('h3 a') ?? one),
    show(answer: Answer | undefined): void {
      current = answer;
      element.replaceChildren(...(answer ? listOf(answer, context) : []));
      for (const one of articles()) {
        one.part.add('result');
        one.tabIndex = -1;
        one.querySelector('h3')?.part.add('result-title');
      }
      for (const one of element.querySelectorAll('mark')) one.part.add('mark');
    },
  };
}
