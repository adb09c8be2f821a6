import type { Overview } from '../../../index/format/overview-types.ts';
import type { IndexInfo } from '../../../index/search/answer.ts';
import { createAsker, isLongEnough, type SearchState } from '../browser/ask.ts';
import { listenToField, make } from '../browser/dom.ts';
import { createEndpoint } from '../browser/endpoint.ts';
import {
  alignWords,
  copyByKey,
  errorNodes,
  feedbackOf,
  listOf,
  type ResultContext,
  suggestionsOf,
  summaryOf,
} from '../browser/results.ts';
import { createTexts, mergeLanguages } from '../browser/texts.ts';
import { writtenAnswer } from '../browser/written-answer.ts';
import { PolyseekError } from '../client/call.ts';
import { collectionIn, createFilterMenu, describeIndex, enableKeys, fillTexts, find } from './controls.ts';
import { loadPassage, passageNodes } from './passage-view.ts';
import { createRequestCode } from './request-code.ts';
import { addressOf, createHistory, HOME, type PageState, queryOf, readState } from './state.ts';

/** The overview of an index, and what the endpoint offers. */
type EndpointOverview = Overview & { index: IndexInfo; writesAnswers?: true; takesFeedback?: true };

const KEY = 'polyseek-api-key';

const question = find('input', '#question');
const status = find('div', '#status');
const results = find('div', '#results');
const passageView = find('section', '#passage');
const suggestions = find('section', '#suggestions');
const keyForm = find('form', '#key');
const clear = find('button', '#clear');

/** `?ui=de` shows the page in German, whatever the browser's languages. */
const ui = new URLSearchParams(location.search).get('ui');
const texts = createTexts([...(ui === null ? [] : [ui]), ...navigator.languages]);
fillTexts(texts);

const path = location.pathname;
const key = () => sessionStorage.getItem(KEY);
// The page's own URL may lack the slash after the stage or the collection.
const endpoint = createEndpoint(new URL(path.replace(/\/?$/, '/'), location.origin).href, key);
find('bdi', '#collection').textContent = collectionIn(path);
const permalinkOf = (passage: string) => addressOf({ ...state, passage }, path, null);
const context: ResultContext = { endpoint, texts, permalinkOf };

const languages = createFilterMenu('lang', texts, texts.languageName, (lang) => go({ ...state, lang }));
const sources = createFilterMenu(
  'source',
  texts,
  (source) => source,
  (source) => go({ ...state, source }),
);
const showRequest = createRequestCode(texts, () =>
  state.q && !state.passage ? { base: endpoint.base, state, withKey: key() !== null } : undefined,
);
const asker = createAsker(endpoint, report);
const pages = createHistory(path, ui);

let state = readState(location);
let loading = new AbortController();
/** Whether the endpoint has a language model. */
let writesAnswers = false;
/** Whether the endpoint asks people if an answer helped. */
let takesFeedback = false;

/** Shows another state and adds it to the browser's history. */
function go(next: PageState): void {
  const hasResults = state.q !== '' && next.passage !== '';
  state = next;
  pages.add(state, hasResults);
  show();
}

/** Searches for the text in the box, now or once the reader stops typing. */
function readQuestion(isSent: boolean): void {
  const q = question.value.trim();
  const isSearched = isSent ? q !== '' : isLongEnough(q);
  state = { ...state, q: isSearched ? q : '', passage: '' };
  if (isSent) pages.send(state);
  showControls();
  if (!isSearched) {
    pages.draft(state);
    asker.stop();
  } else if (isSent) asker.ask(queryOf(state));
  else asker.askSoon(queryOf(state));
}

/** Shows the state: the controls at once, the answer or the passage when it arrives. */
function show(): void {
  if (question.value.trim() !== state.q) question.value = state.q;
  showControls();
  if (state.q && !state.passage) asker.ask(queryOf(state));
  else asker.stop();
  if (state.passage) void showPassage(state.passage);
}

function showControls(): void {
  loading.abort();
  const { q, lang, source, passage } = state;
  if (!passage) document.title = q ? `${q} – polyseek` : 'polyseek';
  languages.choose(lang);
  sources.choose(source);
  clear.hidden = lang.length + source.length === 0;
  find('div', '#tools').hidden = passage !== '';
  find('p', '#about').hidden = q !== '' || passage !== '';
  suggestions.hidden = q !== '' || passage !== '' || !suggestions.querySelector('li');
  passageView.hidden = passage === '';
  showRequest();
}

/** Shows a state of the search. Results of an earlier question stay, paler, until those of the next replace them. */
function report(search: SearchState): void {
  const { kind } = search;
  results.ariaBusy = String(/waiting|searching|slow/.test(kind));
  // A question that was typed enters the history only when it is searched.
  if (kind === 'searching') pages.draft(state);
  else if (kind === 'slow') status.replaceChildren(make('p', { class: 'searching' }, texts.of('searching')));
  else if (kind === 'answer') {
    status.replaceChildren(...summaryOf(search.answer, texts));
    results.replaceChildren(...listOf(search.answer, context));
    if (takesFeedback && search.answer.results.length > 0) results.append(feedbackOf(search.answer, context));
    offerAnswer();
  } else if (kind !== 'waiting') {
    results.replaceChildren();
    if (kind === 'error') showError(search.error, show);
    else status.replaceChildren();
  }
}

function offerAnswer(): void {
  if (!writesAnswers || !results.querySelector('article') || results.querySelector('.written')) return;
  const { q, lang, source } = state;
  const filter = {
    ...(lang.length > 0 && { lang: [...lang] }),
    ...(source.length > 0 && { source: [...source] }),
  };
  results.prepend(writtenAnswer({ q, ...filter }, context));
}

async function showPassage(id: string): Promise<void> {
  loading = new AbortController();
  const { signal } = loading;
  passageView.ariaBusy = 'true';
  passageView.replaceChildren();
  try {
    // The question's answer has the marks, without which the passage is shown too.
    const answering = state.q ? asker.answerTo(queryOf(state), signal).catch(() => undefined) : undefined;
    const passage = await loadPassage(id, context, signal);
    const result = (await answering)?.results.find((one) => one.id === id);
    if (signal.aborted) return;
    document.title = `${passage.title || passage.source} – polyseek`;
    const permalink = new URL(permalinkOf(id), location.href).href;
    const back = state.q ? leavePassage : undefined;
    passageView.replaceChildren(...passageNodes(passage, result, context, permalink, back));
    // A long text before it may fill the window.
    passageView.querySelector('.chosen-passage')?.scrollIntoView({ block: 'nearest' });
  } catch (error) {
    if (signal.aborted) return;
    showError(error, show);
  }
  passageView.ariaBusy = 'false';
}

/** Returns to the results, which are in the history unless a link from elsewhere led to the passage. */
function leavePassage(): void {
  if (pages.hasResults()) history.back();
  else go({ ...state, passage: '' });
}

function showError(error: unknown, retry: () => void): void {
  status.replaceChildren(...errorNodes(error, texts, retry));
  if (!(error instanceof PolyseekError) || error.status !== 401) return;
  // Without a key, the form itself says that one is required.
  if (key() === null) status.replaceChildren();
  keyForm.hidden = false;
}

async function showOverview(): Promise<void> {
  try {
    const overview = await endpoint.get<EndpointOverview>('overview');
    writesAnswers = overview.writesAnswers === true;
    takesFeedback = overview.takesFeedback === true;
    offerAnswer();
    const merged = mergeLanguages(overview.languages);
    find('p', '#about').textContent = describeIndex({ ...overview, languages: merged }, texts);
    languages.list(merged);
    sources.list(overview.sources);
    const items = suggestionsOf(overview.suggestions, (q) => addressOf({ ...HOME, q }, path, ui));
    find('ul', '').replaceChildren(...items);
    suggestions.hidden = state.q !== '' || state.passage !== '' || items.length === 0;
  } catch (error) {
    showError(error, () => {
      status.replaceChildren();
      void showOverview();
    });
  }
}

listenToField(
  find('form', '#ask'),
  question,
  () => readQuestion(false),
  () => readQuestion(true),
);

keyForm.addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, find('input', '#api-key').value);
  keyForm.hidden = true;
  question.focus();
  void showOverview();
  show();
});

// Links to states of the page show them without loading it again.
document.addEventListener('click', (event) => {
  const link = event.target instanceof Element && event.target.closest('a');
  if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const isHome = link.id === 'home';
  const next = readState(link);
  const isOwn = isHome || suggestions.contains(link) || next.passage !== '';
  if (!isOwn || link.origin !== location.origin || link.pathname !== path) return;
  event.preventDefault();
  go(isHome || next.passage ? next : { ...state, q: next.q });
  if (next.passage) passageView.focus();
  else if (isHome) question.focus();
});

clear.addEventListener('click', () => {
  go({ ...state, lang: [], source: [] });
  question.focus();
});

alignWords(question, find('main', ''));
copyByKey(document.body);
enableKeys(
  question,
  () => [...document.querySelectorAll<HTMLElement>('#results h3 a, #suggestions a')],
  () => {
    if (document.activeElement !== question) {
      if (state.passage && state.q) leavePassage();
      else question.focus();
    } else if (question.value) {
      question.value = '';
      readQuestion(false);
    }
  },
);

addEventListener('popstate', () => {
  const { passage } = state;
  state = readState(location);
  show();
  // The focus returns to the result that led to the passage.
  const links = results.querySelectorAll('.permalink');
  const opened = [...links].find((link) => passage && link.getAttribute('href') === permalinkOf(passage));
  opened?.closest('article')?.querySelector<HTMLElement>('h3 a')?.focus({ preventScroll: true });
});

void showOverview();
show();
// On a phone, focusing would open the keyboard.
if (!state.q && !state.passage && matchMedia('(pointer: fine)').matches) question.focus();
