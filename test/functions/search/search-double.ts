import fc from 'fast-check';
import type { Overview } from '../../../index/format/overview-types.ts';
import type {
  Answer,
  DocumentEntry,
  DocumentList,
  DocumentPart,
  IndexInfo,
  PassageAnswer,
  Search,
  SearchRequest,
  SearchResult,
  Verdict,
} from '../../../index/search/answer.ts';
import { Unavailable } from '../../../index/store/store.ts';

const info: IndexInfo = { version: 'v1', passages: 1, model: 'double' };

const passage: PassageAnswer = {
  id: 'guides/passports.md#2',
  text: 'Passports are renewed online. A renewal takes three weeks.',
  title: 'Passports › Renewal',
  source: 'guides/passports.md',
  url: 'https://example.org/passports',
  lang: 'en',
  metadata: { department: 'travel', year: 2024, current: true, tags: ['passport', 'renewal'] },
  alsoIn: [
    { id: 'old/1', title: 'Renewal', source: 'old/renewal.md', url: 'https://example.org/old' },
    { id: 'old/2', title: '', source: 'old/copy.md' },
  ],
};

const entry: DocumentEntry = { source: passage.source, title: 'Passports', lang: 'en', passages: 1 };

const VERDICTS = new Map<string, Verdict>([
  ['perhaps', 'possible'],
  ['unlikely', 'none'],
  ['This is unlikely.', 'none'],
  ['nothing', 'none'],
]);

/**
 * A search over one passage that records requests. It answers each question. Exceptions: it has no sure answer to `perhaps`, no answer
 * to `unlikely`, and no results for `nothing`.
 */
export class SearchDouble implements Search {
  readonly info = info;
  readonly requests: SearchRequest[] = [];

  async search(request: SearchRequest): Promise<Answer> {
    this.requests.push(request);
    const { q } = request;
    const verdict = VERDICTS.get(q) ?? 'answered';
    const result: SearchResult = {
      ...passage,
      score: 1.25,
      confidence: { answered: 0.75, possible: 0.3, none: 0.1 }[verdict],
      highlight: { text: 'Passports are renewed online.', start: 0, end: 29 },
      ...(request.context ? { before: [{ id: 'p1', text: 'Before.' }], after: [] } : {}),
      ...(request.explain
        ? {
            explain: { passage: 0.5, sentence: 0.5, lexical: 0.25, tokens: 0, typical: 0 },
            evidence: {
              passageMargin: 0.05,
              tokenMargin: 0.2,
              sentence: 0.5,
              lexical: 0.25,
              words: 0.5,
              unmatched: 0,
              matchable: 0.5,
              length: 1,
            },
          }
        : {}),
      ...(request.matches ? { matches: [{ query: [0, 1], text: [0, 9], weight: 0.5 }] } : {}),
    };
    return {
      q,
      ...(request.history?.length ? { searchedFor: { text: `${q} before`, share: 0.25 } } : {}),
      verdict,
      answered: verdict === 'answered',
      results: q === 'nothing' ? [] : [result],
      took: { embedMs: 3, searchMs: 1, totalMs: 4 },
      index: info,
    };
  }

  async passage(id: string, context = 0): Promise<PassageAnswer | undefined> {
    if (id !== passage.id) return undefined;
    return context > 0 ? { ...passage, before: [], after: [{ id: 'p3', text: 'After.' }] } : passage;
  }

  async overview(): Promise<Overview> {
    return {
      documents: 1,
      languages: [{ value: 'en', passages: 1 }],
      sources: [{ value: passage.source, passages: 1 }],
      suggestions: [{ text: 'How are passports renewed?', lang: 'en' }],
    };
  }

  async documents(): Promise<DocumentList> {
    return { documents: [entry] };
  }

  async document(source: string): Promise<DocumentPart | undefined> {
    return source === entry.source ? { ...entry, texts: [passage.text] } : undefined;
  }

  async for(): Promise<this> {
    return this;
  }
}

/** A search that records the ids of requested passages, and finds none. */
export class PassagesDouble extends SearchDouble {
  readonly ids: string[] = [];

  override async passage(id: string): Promise<undefined> {
    this.ids.push(id);
  }
}

/** Any id, often with characters that mean something in a URL. */
export const anyId = () =>
  fc
    .oneof(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.string({ unit: fc.constantFrom(...'%25F?#\\/.. a\t\r\n'), minLength: 1 }),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
    )
    .filter((id) => id.isWellFormed());

/** Ids that once reached the search changed. */
export const oddIds = ['50%25', 'a%2Fb', '../health', '.', '..', 'https://example.org/a?b=%20c#d', '/', '\\'];

/** Paths with dot segments in a URL, which must not lead to another route. */
export const DOT_SEGMENTS = [
  '/x/../browser/search?q=x',
  '/x/%2e%2E/browser/search?q=x',
  '/x%2F..%2Fbrowser/search?q=x',
  '/x/..%5Cbrowser/search?q=x',
  '/browser/../search?q=x',
  '/browser/%2e/search?q=x',
  '/c/hr/../../search?q=x',
  '/./search?q=x',
  '/passages/../health',
  '/passages/%2e%2e/search',
];

const failingWith = (error: Error): Search => ({
  info,
  search: () => Promise.reject(error),
  passage: () => Promise.reject(error),
  overview: () => Promise.reject(error),
  documents: () => Promise.reject(error),
  document: () => Promise.reject(error),
  for: () => Promise.reject(error),
});

/** A search that fails, as with an unreadable index. */
export const failingSearch = failingWith(new Error('secret path /var/task/index'));

export const UNAVAILABLE = 'The index cannot be read now. Try again in a moment.';

/** A search whose store does not answer. */
export const unavailableSearch = failingWith(
  new Unavailable(UNAVAILABLE, { cause: new Error('secret bucket') }),
);
