import type { QuestionEmbedder } from '../embedding/embedder.ts';
import { memoize } from '../embedding/memoize.ts';
import type { CountedSource, Overview } from '../format/overview-types.ts';
import type {
  Answer,
  DocumentList,
  DocumentPart,
  IndexInfo,
  PassageAnswer,
  Search,
  SearchRequest,
  Verdict,
} from './answer.ts';

// Imports no code that others in the function import: esbuild would move shared code into another file, which each cold start would open.

/** The number of an index in `from`, which continues a list, is in the digits above the numbers of passages. */
const INDEX = 2 ** 32;
const MOST_SOURCES = 50;
const MOST_SUGGESTIONS = 6;

/** One of the indexes. */
export interface Part extends Search {
  /** @param embedder of the question; default: the index's own */
  search(request: SearchRequest, embedder?: QuestionEmbedder): Promise<Answer>;
}

/** What the indexes share. */
interface Shared {
  embedder: QuestionEmbedder;
  isInvalidRequest: (error: unknown) => boolean;
  verdictOf: (confidence: number | undefined, minConfidence: number | undefined) => Verdict;
}

/** Several indexes as one. Results are in the order of their confidence, which is comparable between indexes. */
export class MergedSearch implements Search {
  readonly #parts: readonly Part[];
  readonly #shared: Shared;

  /** @param parts of one model, at least one; the first one's suggestions come first */
  constructor(parts: readonly Part[], shared: Shared) {
    this.#parts = parts;
    this.#shared = shared;
  }

  get info(): IndexInfo {
    const all = this.#parts.map(({ info }) => info);
    return {
      version: all.map(({ version }) => version).join('+'),
      passages: all.reduce((sum, { passages }) => sum + passages, 0),
      model: all[0]!.model,
    };
  }

  async for(): Promise<Search> {
    return this;
  }

  async search(request: SearchRequest): Promise<Answer> {
    const embedder = memoize(this.#shared.embedder);
    const answers = await this.#ask((part) => part.search(request, embedder));
    const texts = new Set<string>();
    const results = answers
      .flatMap(({ results }) => results)
      .sort((a, b) => b.confidence - a.confidence)
      .filter(({ text }) => !texts.has(text) && texts.add(text))
      .slice(0, request.k);
    const verdict = this.#shared.verdictOf(results[0]?.confidence, request.minConfidence);
    // They search at the same time.
    const most = (ms: keyof Answer['took']) => Math.max(...answers.map(({ took }) => took[ms]));
    return {
      ...answers[0]!,
      verdict,
      answered: verdict === 'answered',
      results,
      took: { embedMs: most('embedMs'), searchMs: most('searchMs'), totalMs: most('totalMs') },
      index: this.info,
    };
  }

  async passage(id: string, context?: number): Promise<PassageAnswer | undefined> {
    for (const part of this.#parts) {
      const found = await part.passage(id, context);
      if (found) return found;
    }
    return undefined;
  }

  async overview(): Promise<Overview> {
    const all = await Promise.all(this.#parts.map((part) => part.overview()));
    return {
      documents: all.reduce((sum, { documents }) => sum + documents, 0),
      languages: added(all.flatMap(({ languages }) => languages)),
      sources: added(all.flatMap(({ sources }) => sources)).slice(0, MOST_SOURCES),
      suggestions: all.flatMap(({ suggestions }) => suggestions).slice(0, MOST_SUGGESTIONS),
    };
  }

  async documents(folder: string | undefined, from: number): Promise<DocumentList> {
    const found = await this.#continue(from, async (part, at) => {
      const list = await part.documents(folder, at);
      return list.documents.length > 0 ? list : undefined;
    });
    return found ?? { documents: [] };
  }

  document(source: string, from: number): Promise<DocumentPart | undefined> {
    return this.#continue(from, (part, at) => part.document(source, at));
  }

  /** Asks all indexes. One may refuse a filter on a field that only others have. Throws if all refuse. */
  async #ask<Found>(call: (part: Part) => Promise<Found>): Promise<Found[]> {
    const settled = await Promise.allSettled(this.#parts.map(call));
    const failed = settled.filter((one) => one.status === 'rejected').map(({ reason }) => reason as unknown);
    const fault = failed.find((reason) => !this.#shared.isInvalidRequest(reason));
    if (fault !== undefined || failed.length === settled.length) throw fault ?? failed[0];
    return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  /** Reads on in the index that `from` names, and then in the next ones. */
  async #continue<Found extends { next?: number }>(
    from: number,
    read: (part: Search, from: number) => Promise<Found | undefined>,
  ): Promise<Found | undefined> {
    const first = Math.floor(from / INDEX);
    for (const [i, part] of this.#parts.entries()) {
      const found = i < first ? undefined : await read(part, i === first ? from % INDEX : 0);
      if (!found) continue;
      const { next } = found;
      if (next !== undefined) return { ...found, next: i * INDEX + next };
      const after = (i + 1) * INDEX;
      return (await this.#continue(after, read)) ? { ...found, next: after } : found;
    }
    return undefined;
  }
}

/** The sums of equal values, most passages first. */
function added(all: readonly CountedSource[]): CountedSource[] {
  const sums = new Map<string, CountedSource>();
  for (const one of all)
    sums.set(one.value, { ...one, passages: (sums.get(one.value)?.passages ?? 0) + one.passages });
  return [...sums.values()].sort((a, b) => b.passages - a.passages || (a.value < b.value ? -1 : 1));
}
