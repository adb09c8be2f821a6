import { addressOf, type PageState, readState } from './page-state.ts';

/** What the page remembers of an entry in the browser's history. */
interface Entry {
  /** The question was typed but not sent. Typing more replaces it. */
  isDraft?: boolean;
  /** The entry before this one has the results that led to this passage. */
  hasResults?: boolean;
}

/** The page's entries in the browser's history. */
export interface PageHistory {
  /** Adds an entry. */
  add(state: PageState, hasResults?: boolean): void;
  /** Adds an entry for a question that is being typed, or replaces the one before it. */
  draft(state: PageState): void;
  /** Adds an entry for a question that was sent, which replaces its draft. */
  send(state: PageState): void;
  /** Whether the entry before this one has the results that led to this passage. */
  hasResults(): boolean;
}

/**
 * @param path of the page
 * @param ui language of the page that its address demands, if any
 */
export function createHistory(path: string, ui: string | null): PageHistory {
  const entry = (): Entry => history.state ?? {};
  const addressIn = (state: PageState) => addressOf(state, path, ui);

  function write(state: PageState, next: Entry, replaces: boolean): void {
    const address = addressIn(state);
    if (replaces) history.replaceState(next, '', address);
    else if (address !== addressIn(readState(location))) history.pushState(next, '', address);
  }

  return {
    add: (state, hasResults = false) => write(state, { hasResults }, false),
    draft(state) {
      // Browsers limit how often an address may change.
      if (addressIn(state) === addressIn(readState(location))) return;
      write(state, { isDraft: true }, entry().isDraft === true);
    },
    send: (state) => write(state, {}, entry().isDraft === true),
    hasResults: () => entry().hasResults === true,
  };
}
