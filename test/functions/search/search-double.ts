import type { Overview } from '../../../index/format/overview-types.ts';
import type {
  Answer,
  IndexInfo,
  PassageAnswer,
  Search,
  SearchRequest,
} from '../../../index/search/answer.ts';

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

/** A search over one passage that records requests. The question `nothing` finds nothing. */
export class SearchDouble implements Search {
  readonly info = info;
  readonly requests: SearchRequest[] = [];

  async search(request: SearchRequest): Promise<Answer> {
    this.requests.push(request);
    const result = {
      ...passage,
      score: 1.25,
      confidence: 0.75,
      highlight: { text: 'Passports are renewed online.', start: 0, end: 29 },
      ...(request.context ? { before: [{ id: 'p1', text: 'Before.' }], after: [] } : {}),
      ...(request.explain ? { explain: { passage: 0.5, sentence: 0.5, lexical: 0.25, typical: 0 } } : {}),
    };
    const results = request.q === 'nothing' ? [] : [result];
    return {
      q: request.q,
      ...(request.history?.length ? { searchedFor: { text: `${request.q} before`, share: 0.25 } } : {}),
      answered: results.length > 0,
      results,
      took: { embedMs: 3, searchMs: 1, totalMs: 4 },
      index: info,
    };
  }

  passage(id: string, context = 0): PassageAnswer | undefined {
    if (id !== passage.id) return undefined;
    return context > 0 ? { ...passage, before: [], after: [{ id: 'p3', text: 'After.' }] } : passage;
  }

  overview(): Overview {
    return {
      languages: [{ value: 'en', passages: 1 }],
      sources: [{ value: passage.source, passages: 1 }],
      suggestions: [{ text: 'How are passports renewed?', lang: 'en' }],
    };
  }
}

/** A search that fails, as with an unreadable index. */
export const failingSearch: Search = {
  info,
  search: async () => {
    throw new Error('secret path /var/task/index');
  },
  passage: () => {
    throw new Error('secret path /var/task/index');
  },
  overview: () => {
    throw new Error('secret path /var/task/index');
  },
};
