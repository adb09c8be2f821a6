import type { Overview } from '../../../../index/format/overview-types.ts';
import type { IndexInfo } from '../../../../index/search/answer.ts';
import { createAsker, isLongEnough, type SearchState } from '../../browser/ask.ts';
import { make } from '../../browser/dom.ts';
import { createEndpoint, EndpointError } from '../../browser/endpoint.ts';
import { errorNodes } from '../../browser/errors.ts';
import { inLanguage } from '../../browser/language-name.ts';
import { listOf, type ResultContext } from '../../browser/results.ts';
import { createTexts } from '../../browser/texts.ts';
import { summaryOf } from '../../browser/verdict.ts';
import { createFilterMenu } from './filter-menu.ts';
import { find } from './find.ts';
import { enableKeys } from './keyboard.ts';
import { collectionIn, describeIndex } from './overview.ts';
import { addressOf, HOME, type PageState, queryOf, readState } from './page-state.ts';
import { loadPassage, passageNodes } from './passage-view.ts';
import { createRequestCode } from './request-code.ts';
import { fillTexts } from './static-texts.ts';

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
const endpoint = createEndpoint({ base: new URL(path.replace(/\/?$/, '/'), location.origin).href, key });
find('bdi', '#collection').textContent = collectionIn(path);
const permalinkOf = (passage: string) => addressOf({ ...HOME, passage }, path, null);
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

let state = readState(location);
let loading = new AbortController();

/** What the page remembers of an entry in the browser's history. */
interface Entry {
  /** The question was typed, but not yet sent with Enter. Typing more replaces it. */
  isDraft?: boolean;
  /** The entry before this one has the results that led to this passage. */
  hasResults?: boolean;
}

const entry = (): Entry => history.state ?? {};

/** Writes the state into the address. Replaces the current entry of the history, or adds one. */
function record(replaces: boolean, next: Entry): void {
  const address = addressOf(state, path, ui);
  if (replaces) history.replaceState(next, '', address);
  else if (address !== addressOf(readState(location), path, ui)) history.pushState(next, '', address);
}

/** Shows another state and adds it to the browser's history. */
function go(next: PageState): void {
  const hasResults = state.q !== '' && next.passage !== '';
  state = next;
  record(false, { hasResults });
  show();
}

/** Searches for the text in the box, now or once the reader stops typing. */
function readQuestion(isSent: boolean): void {
  const q = question.value.trim();
  if (isSent && !q) return;
  const isSearched = isSent || isLongEnough(q);
  state = { ...state, q: isSearched ? q : '', passage: '' };
  if (isSent) record(entry().isDraft === true, {});
  showControls();
  if (isSent) asker.ask(queryOf(state));
  else if (isSearched) asker.askSoon(queryOf(state));
  else {
    recordDraft();
    asker.stop();
  }
}

const recordDraft = () => record(entry().isDraft === true, { isDraft: true });

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
  suggestions.hidden = q !== '' || passage !== '' || !suggestions.querySelector('li');
  passageView.hidden = passage === '';
  showRequest();
}

/** Shows a state of the search. Results of an earlier question stay, paler, until those of the next replace them. */
function report(search: SearchState): void {
  const { kind } = search;
  results.ariaBusy = String(kind === 'waiting' || kind === 'searching' || kind === 'slow');
  if (kind === 'searching') recordDraftOfTyping();
  else if (kind === 'slow') status.replaceChildren(make('p', { class: 'count' }, texts.of('searching')));
  else if (kind === 'idle') {
    status.replaceChildren();
    results.replaceChildren();
  } else if (kind === 'answer') {
    status.replaceChildren(...summaryOf(search.answer, texts));
    results.replaceChildren(...listOf(search.answer, context));
  } else if (kind === 'error') {
    results.replaceChildren();
    showError(search.error);
  }
}

/** The question that was typed gets its entry when it is searched, because browsers limit how often an address may change. */
function recordDraftOfTyping(): void {
  if (addressOf(state, path, ui) !== addressOf(readState(location), path, ui)) recordDraft();
}

async function showPassage(id: string): Promise<void> {
  loading = new AbortController();
  const { signal } = loading;
  passageView.ariaBusy = 'true';
  passageView.replaceChildren();
  try {
    const passage = await loadPassage(id, context, signal);
    document.title = `${passage.title || passage.source} – polyseek`;
    const permalink = new URL(permalinkOf(id), location.href).href;
    const back = entry().hasResults ? () => history.back() : undefined;
    passageView.replaceChildren(...passageNodes(passage, context, permalink, back));
  } catch (error) {
    if (signal.aborted) return;
    showError(error);
  }
  passageView.ariaBusy = 'false';
}

function showError(error: unknown): void {
  status.replaceChildren(...errorNodes(error, texts, show));
  if (!(error instanceof EndpointError) || error.status !== 401) return;
  // Without a key, the form itself says that one is required.
  if (key() === null) status.replaceChildren();
  keyForm.hidden = false;
}

async function showOverview(): Promise<void> {
  try {
    const overview = await endpoint.get<Overview & { index: IndexInfo }>('overview');
    find('p', '#about').textContent = describeIndex(overview, texts);
    languages.list(overview.languages);
    sources.list(overview.sources);
    const items = overview.suggestions.map(({ text, lang }) => {
      const href = addressOf({ ...HOME, q: text }, path, ui);
      return make('li', {}, make('a', { href, ...inLanguage(lang) }, text));
    });
    find('ul', '').replaceChildren(...items);
    suggestions.hidden = state.q !== '' || state.passage !== '' || items.length === 0;
  } catch (error) {
    showError(error);
  }
}

question.addEventListener('input', (event) => {
  // A word of an input method is not complete yet.
  if (!(event instanceof InputEvent && event.isComposing)) readQuestion(false);
});
question.addEventListener('compositionend', () => readQuestion(false));

find('form', '#ask').addEventListener('submit', (event) => {
  event.preventDefault();
  // Hides a phone's keyboard, which covers the results.
  if (matchMedia('(pointer: coarse)').matches) question.blur();
  readQuestion(true);
});

keyForm.addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, find('input', '#api-key').value);
  keyForm.hidden = true;
  question.focus();
  void showOverview();
  show();
});

// Links to the page itself show their state without loading it again.
document.addEventListener('click', (event) => {
  const link = event.target instanceof Element && event.target.closest('a');
  if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (link.origin !== location.origin || link.pathname !== path) return;
  event.preventDefault();
  const next = readState(link);
  go(next.passage || link.id ? next : { ...state, q: next.q, passage: '' });
  if (next.passage) passageView.focus();
  else if (link.id) question.focus();
});

clear.addEventListener('click', () => {
  go({ ...state, lang: [], source: [] });
  question.focus();
});

enableKeys(
  question,
  () => [...document.querySelectorAll<HTMLElement>('#results h3 a, #suggestions:not([hidden]) a')],
  () => {
    if (document.activeElement !== question) {
      if (entry().hasResults) history.back();
      else question.focus();
    } else if (question.value) {
      question.value = '';
      readQuestion(false);
    }
  },
);

addEventListener('popstate', () => {
  state = readState(location);
  show();
});

void showOverview();
show();
// On a phone, focusing would open the keyboard.
if (!state.q && !state.passage && matchMedia('(pointer: fine)').matches) question.focus();
