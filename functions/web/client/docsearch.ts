import type { Polyseek, Question, Result } from './client.ts';

/** What DocSearch passes to a search client: a request for each of its indexes. */
interface Requests {
  requests: { query?: string; indexName?: string }[];
}

/**
 * Makes the modal of DocSearch search an endpoint: the value of its option `transformSearchClient`. Leaves out results without a URL.
 * @param options apply to every question
 */
export function docSearch(client: Polyseek, options: Omit<Question, 'q'> = {}) {
  async function search({ requests }: Requests) {
    const answers = requests.map(async ({ query: q = '', indexName: index }) => {
      const { results } = await client.search({ ...options, q, matches: true });
      const hits = results.filter(({ url }) => url).map(docSearchHit);
      return { index, hits, nbHits: hits.length };
    });
    return { results: await Promise.all(answers) };
  }
  return <Client extends object>(algolia: Client): Client => ({ ...algolia, search });
}

const LEVELS = ['lvl0', 'lvl1', 'lvl2', 'lvl3', 'lvl4', 'lvl5', 'lvl6'] as const;

/**
 * Converts a result to a hit of DocSearch, whose content is the best sentence. All texts are HTML, because DocSearch inserts them as
 * such: also those that it keeps as recent searches.
 */
export function docSearchHit(result: Result) {
  const { id, title, url = '', anchor = null } = result;
  const headings = title.split(' › ').map(htmlOf);
  const byLevel = <Value>(of: (heading: string) => Value) =>
    Object.fromEntries(LEVELS.map((level, i) => [level, of(headings[i] ?? '')])) as Record<
      (typeof LEVELS)[number],
      Value
    >;
  const shown = (value: string) => ({ value, matchLevel: 'full' as const, matchedWords: [] });
  const content = sentenceOf(result);
  const texts = { content: shown(content), hierarchy: byLevel(shown), hierarchy_camel: [] };
  return {
    objectID: id,
    type: 'content' as const,
    url,
    url_without_anchor: url.split('#')[0]!,
    anchor,
    content,
    hierarchy: byLevel((heading) => heading),
    _highlightResult: texts,
    _snippetResult: texts,
  };
}

/** The best sentence as HTML, with marks around the words that match best. */
function sentenceOf({ text, highlight: { start, end }, matches = [] }: Result): string {
  const least = (matches[0]?.weight ?? 0) / 4;
  const strong = matches.filter(({ weight }) => weight >= least).map((match) => match.text);
  let html = '';
  let done = start;
  for (const [from, to] of strong.sort(([a], [b]) => a - b)) {
    if (from < done || to > end) continue;
    html += `${htmlOf(text.slice(done, from))}<mark>${htmlOf(text.slice(from, to))}</mark>`;
    done = to;
  }
  return html + htmlOf(text.slice(done, end)).trimEnd();
}

function htmlOf(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
