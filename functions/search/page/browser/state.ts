/** What is asked; the page's address holds it. */
export interface State {
  q: string;
  lang: readonly string[];
  source: readonly string[];
}

/** Reads the query of an address. */
export function readState(query: string): State {
  const params = new URLSearchParams(query);
  return { q: (params.get('q') ?? '').trim(), lang: params.getAll('lang'), source: params.getAll('source') };
}

/** The parameters of a state, for the page's address as for `GET /search`. */
export function parametersOf({ q, lang, source }: State): [name: string, value: string][] {
  return [
    ...(q ? [['q', q] as [string, string]] : []),
    ...lang.map((value): [string, string] => ['lang', value]),
    ...source.map((value): [string, string] => ['source', value]),
  ];
}

/** The query of a state's address, without question mark. */
export function queryOf(state: State): string {
  return String(new URLSearchParams(parametersOf(state)));
}
