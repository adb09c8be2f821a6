export interface PageState {
  /** The question, or '' for none. */
  q: string;
  lang: readonly string[];
  source: readonly string[];
  /** Id of the passage to show instead of results, or '' for none. */
  passage: string;
}

const PASSAGE = '#p=';

/** The state without question, filters and passage. */
export const HOME: PageState = { q: '', lang: [], source: [], passage: '' };

export function readState({ search, hash }: { search: string; hash: string }): PageState {
  const params = new URLSearchParams(search);
  return {
    q: (params.get('q') ?? '').trim(),
    lang: params.getAll('lang'),
    source: params.getAll('source'),
    passage: hash.startsWith(PASSAGE) ? decode(hash.slice(PASSAGE.length)) : '',
  };
}

/** Parameters for the page's address and for `GET /search`. */
export function parametersOf({ q, lang, source }: PageState): [name: string, value: string][] {
  const values = { q: q ? [q] : [], lang, source };
  return Object.entries(values).flatMap(([name, list]) =>
    list.map((value): [string, string] => [name, value]),
  );
}

export function queryOf(state: PageState): string {
  return String(new URLSearchParams(parametersOf(state)));
}

/** The address of a state: the page's path, query and fragment. `ui` is the language that the page's address demands, if any. */
export function addressOf(state: PageState, path: string, ui: string | null): string {
  const query = String(new URLSearchParams([...parametersOf(state), ...(ui === null ? [] : [['ui', ui]])]));
  const fragment = state.passage ? PASSAGE + encodeURIComponent(state.passage) : '';
  return path + (query && `?${query}`) + fragment;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What the page remembers of an entry in the browser's history. */
interface Entry {
  /** The question was typed but not sent. Typing more replaces it. */
  isDraft?: boolean;
  /** The entry before this one has the results that led to this passage. */
  hasResults?: boolean;
}

/** The page's entries in the browser's history, with addresses as from `addressOf`. */
export function createHistory(path: string, ui: string | null) {
  const entry = (): Entry => history.state ?? {};
  const addressIn = (state: PageState) => addressOf(state, path, ui);

  function write(state: PageState, next: Entry, replaces: boolean): void {
    const address = addressIn(state);
    if (replaces) history.replaceState(next, '', address);
    else if (address !== addressIn(readState(location))) history.pushState(next, '', address);
  }

  return {
    add: (state: PageState, hasResults: boolean) => write(state, { hasResults }, false),
    /** Adds an entry for a question that is being typed, or replaces the one before it. */
    draft(state: PageState): void {
      // Browsers limit how often an address may change.
      if (addressIn(state) === addressIn(readState(location))) return;
      write(state, { isDraft: true }, entry().isDraft === true);
    },
    /** Adds an entry for a question that was sent, which replaces its draft. */
    send: (state: PageState) => write(state, {}, entry().isDraft === true),
    /** Whether the entry before this one has the results that led to this passage. */
    hasResults: () => entry().hasResults === true,
  };
}
