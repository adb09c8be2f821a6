import type { Overview } from '../../../../index/format/overview-types.ts';
import type { Answer, IndexInfo } from '../../../../index/search/answer.ts';
import { find, make } from './dom.ts';
import { base, EndpointError, get, hasKey, useKey } from './endpoint.ts';
import { createFilterMenu } from './filter-menu.ts';
import { inLanguage, languageName } from './language-name.ts';
import { type PageState, queryOf, readState } from './page-state.ts';
import { listOf, summaryOf } from './results.ts';
import { type CodeLanguage, snippets } from './snippets.ts';

const question = find('input', '#question');
const status = find('div', '#status');
const results = find('div', '#results');
const suggestions = find('section', '#suggestions');
const keyForm = find('form', '#key');
const clear = find('button', '#clear');
const codeButton = find('button', '#code');
const request = find('section', '#request');
const code = find('code', '');

const languages = createFilterMenu('lang', languageName, (lang) => go({ ...state, lang }));
const sources = createFilterMenu(
  'source',
  (source) => source,
  (source) => go({ ...state, source }),
);

/** Answers by their URL's query. Back shows them at once, at the same scroll position. */
const answers = new Map<string, Answer>();

let state = readState(location.search);
let asking = new AbortController();

/** Shows another state and adds it to the browser's history. */
function go(next: PageState): void {
  if (queryOf(next) !== queryOf(state)) history.pushState(null, '', `?${queryOf(next)}`);
  state = next;
  void show();
}

/** Shows the state: the controls at once, the answer when it arrives. */
async function show(): Promise<void> {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const { q, lang, source } = state;
  document.title = q ? `${q} – polyseek` : 'polyseek';
  question.value = q;
  languages.choose(lang);
  sources.choose(source);
  clear.hidden = lang.length + source.length === 0;
  codeButton.hidden = !q;
  suggestions.hidden = q !== '' || !suggestions.querySelector('li');
  showRequest(codeButton.ariaExpanded === 'true' && q !== '');
  if (!q) {
    results.replaceChildren();
    results.ariaBusy = 'false';
    status.replaceChildren();
    return;
  }
  const query = queryOf(state);
  results.ariaBusy = 'true';
  // Only cold starts take this long.
  const slow = setTimeout(() => status.replaceChildren(make('p', { class: 'count' }, 'Searching…')), 500);
  try {
    const answer = answers.get(query) ?? (await get<Answer>(`search?${query}&matches=true`, signal));
    answers.set(query, answer);
    status.replaceChildren(...summaryOf(answer));
    results.replaceChildren(...listOf(answer));
  } catch (error) {
    if (signal.aborted) return;
    results.replaceChildren();
    showError(error);
  } finally {
    clearTimeout(slow);
  }
  results.ariaBusy = 'false';
}

function showError(error: unknown): void {
  status.replaceChildren(make('p', { class: 'error' }, (error as Error).message));
  if (!(error instanceof EndpointError) || error.status !== 401) return;
  // Without a key, the form itself says that one is required.
  if (!hasKey()) status.replaceChildren();
  keyForm.hidden = false;
}

function showRequest(open: boolean): void {
  request.hidden = !open;
  codeButton.ariaExpanded = String(open);
  const language = find('input', '[name=as]:checked').value as CodeLanguage;
  code.textContent = snippets[language]({ base, state, withKey: hasKey() });
}

async function showOverview(): Promise<void> {
  try {
    const overview = await get<Overview & { index: IndexInfo }>('overview');
    const passages = overview.index.passages.toLocaleString('en');
    const count = overview.languages.length;
    const inThem = count > 1 ? `${count} languages` : languageName(overview.languages[0]!.value);
    find('p', '#about').textContent = `${passages} passages in ${inThem}`;
    languages.list(overview.languages);
    sources.list(overview.sources);
    const items = overview.suggestions.map(({ text, lang }) => {
      const link = make(
        'a',
        { href: `?${queryOf({ q: text, lang: [], source: [] })}`, ...inLanguage(lang) },
        text,
      );
      link.addEventListener('click', (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        go({ ...state, q: text });
      });
      return make('li', {}, link);
    });
    find('ul', '').replaceChildren(...items);
    suggestions.hidden = state.q !== '' || items.length === 0;
  } catch (error) {
    showError(error);
  }
}

find('form', '#ask').addEventListener('submit', (event) => {
  event.preventDefault();
  const q = question.value.trim();
  if (!q) return;
  // Hides a phone's keyboard, which covers the results.
  if (matchMedia('(pointer: coarse)').matches) question.blur();
  go({ ...state, q });
});

keyForm.addEventListener('submit', (event) => {
  event.preventDefault();
  useKey(find('input', '#api-key').value);
  keyForm.hidden = true;
  question.focus();
  void showOverview();
  void show();
});

find('a', '#home').addEventListener('click', (event) => {
  event.preventDefault();
  go({ q: '', lang: [], source: [] });
  question.focus();
});

clear.addEventListener('click', () => {
  go({ ...state, lang: [], source: [] });
  question.focus();
});

codeButton.addEventListener('click', () => showRequest(codeButton.ariaExpanded !== 'true'));
request.addEventListener('change', () => showRequest(true));

find('button', '#copy').addEventListener('click', async () => {
  const copied = find('span', '#copied');
  try {
    await navigator.clipboard.writeText(code.textContent ?? '');
    copied.textContent = 'Copied';
  } catch {
    // Some browsers do not let a page copy.
    getSelection()?.selectAllChildren(code);
    copied.textContent = 'Selected. Copy it with your keyboard.';
  }
  setTimeout(() => copied.replaceChildren(), 3000);
});

addEventListener('popstate', () => {
  state = readState(location.search);
  void show();
});

void showOverview();
void show();
// On a phone, focusing would open the keyboard.
if (!state.q && matchMedia('(pointer: fine)').matches) question.focus();
