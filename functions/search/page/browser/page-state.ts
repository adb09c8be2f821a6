/** The question and its filters. The page's URL contains them. */
export interface PageState {
  q: string;
  lang: readonly string[];
  source: readonly string[];
}

/** Reads a URL's query. */
export function readState(query: string): PageState {
  const params = new URLSearchParams(query);
  return { q: (params.get('q') ?? '').trim(), lang: params.getAll('lang'), source: params.getAll('source') };
}

/** Parameters for the page's URL and for `GET /search`. */
export function parametersOf({ q, lang, source }: PageState): [name: string, value: string][] {
  return [
    ...(q ? [['q', q] as [string, string]] : []),
    ...lang.map((value): [string, string] => ['lang', value]),
    ...source.map((value): [string, string] => ['source', value]),
  ];
}

/** Query string of a state, without the question mark. */
export function queryOf(state: PageState): string {
  return String(new URLSearchParams(parametersOf(state)));
}
