import { LIMITS } from '../../../index/search/limits.ts';

/** The settings of one element, from its attributes. */
export type WidgetOptions = ReturnType<typeof readOptions>;

/** Attributes that build the element anew when they change. The style reads `theme`. */
export const OBSERVED =
  'api-key chat collection endpoint hotkeys k key langs mode placeholder source ui'.split(' ');

/** Reads the attributes of an element. An invalid number counts as missing. */
export function readOptions(element: Element) {
  const get = (name: string) => element.getAttribute(name)?.trim() || undefined;
  const listOf = (name: string, separator: RegExp) => (get(name) ?? '').split(separator).filter(Boolean);
  // An endpoint serves the script beside its other routes. A page may write its own path: `/search`.
  const own = new URL('.', import.meta.url).href;
  const endpoint = new URL(get('endpoint')?.replace(/\/*$/, '/') ?? own, element.baseURI).href;
  const collection = get('collection');
  const path = collection === undefined ? '' : `c/${encodeURIComponent(collection)}/`;
  const k = Number(get('k'));
  return {
    /** URL of the routes for browsers, with a final slash. */
    api: `${endpoint}browser/${path}`,
    /** URL of the endpoint's page, with a final slash. It shows passages whose documents have no URL. */
    page: endpoint + path,
    // React and Vue keep `key` to themselves.
    key: get('api-key') ?? get('key'),
    isInline: get('mode') === 'inline',
    chat: element.hasAttribute('chat'),
    placeholder: get('placeholder'),
    k: k >= LIMITS.k.min && k <= LIMITS.k.max ? Math.floor(k) : LIMITS.k.default,
    // Fixed filters.
    langs: listOf('langs', /[\s,]+/),
    sources: listOf('source', /\s*,\s*/),
  };
}

/** Languages of the element's texts, best first: its attribute `ui`, the page's language at this place, the browser's languages. */
export function languagesOf(element: Element): string[] {
  // A shadow root ends `closest`, so the search goes on at its host.
  const inherited = (from: Element): string | undefined => {
    const found = from.closest('[lang]')?.getAttribute('lang');
    const root = from.getRootNode();
    return found || (root instanceof ShadowRoot ? inherited(root.host) : undefined);
  };
  const own = [element.getAttribute('ui'), inherited(element)];
  return [...own.filter((lang) => lang != null && lang !== ''), ...navigator.languages] as string[];
}
