import {
  Embedder,
  openIndexChecks,
  type QuestionEmbedder,
  type Verification,
} from '../embedding/embedder.ts';
import type { Range } from '../embedding/tokenizer.ts';
import { checkModel, readManifest, restrictedIn } from '../format/manifest.ts';
import type { Overview } from '../format/overview-types.ts';
import { type Passage, withTitle } from '../format/passage.ts';
import { Lru } from '../kit/lru.ts';
import { BundleStore } from '../store/bundle-store.ts';
import { isInvalidRequest, type Store } from '../store/store.ts';
import { termsOf } from '../text/terms.ts';
import type {
  Answer,
  ClosableSearch,
  ContextPassage,
  ContextualQuery,
  DocumentList,
  DocumentPart,
  IndexInfo,
  Match,
  Mode,
  PassageAnswer,
  Search,
  SearchRequest,
  SearchResult,
} from './answer.ts';
import { listDocuments, readDocument } from './browse.ts';
import { Candidates, type LexicalScores, matching, scoreTerms } from './candidates.ts';
import { now } from './clock.ts';
import { distinct, otherPlaces } from './collapse-duplicates.ts';
import { asksOf, checkCalibration, confidenceOf, verdictOf } from './confidence.ts';
import { matchesOf } from './matches.ts';
import { contextualQuery, type EmbeddedRequest, embedRequest, limitTokens, mixShares } from './question.ts';
import { type Ranked, rank } from './rank.ts';

/** The locations of an index and its model. */
interface OpenOptions {
  /** Folder of the index. */
  index: string;
  /** Folder of the compiled model, or an open model. */
  model: string | QuestionEmbedder;
  verify: Verification;
}

/** Opens a compiled model, so that several indexes can share it. Throws if it is missing or damaged. */
export const openModel = (folder: string, verify: Verification): Promise<QuestionEmbedder> =>
  Embedder.open(folder, { verify });

/**
 * Searches an open store.
 * @param name of the index, for errors
 * @throws if the index was built with another model
 */
export function searchStore(store: Store, name: string, model: QuestionEmbedder): IndexSearch {
  checkModel(name, store.manifest, model.model);
  return new IndexSearch(model, store, () =>
    (store.restricted ?? []).map(({ groups, open }) => ({
      groups,
      open: async () => searchStore(await open(), name, model),
    })),
  );
}

/**
 * Opens an index for questions.
 * @throws if the index is missing, damaged, has another format, or was built with another model
 */
export async function openSearch({ index, model, verify }: OpenOptions): Promise<IndexSearch> {
  const embedder = typeof model === 'string' ? await openModel(model, verify) : model;
  const checks = verify === 'blocks' ? await openIndexChecks(index, embedder.model) : undefined;
  const store = BundleStore.open(index, embedder.model, checks ?? verify !== false);
  return new IndexSearch(embedder, store, () =>
    restrictedIn(index).map((folder) => {
      const { access = [] } = readManifest(folder, embedder.model, false);
      return { groups: access, open: () => openSearch({ index: folder, model: embedder, verify }) };
    }),
  );
}

/** Answers cached for repeated requests, and the characters that one may have: some megabytes in all. */
const CACHED_ANSWERS = 100;
const MAX_CACHED_CHARACTERS = 50_000;

const NO_TERMS = { shares: new Map<number, number>(), idf: new Map<string, number>() };

/** An index that only some groups may search. */
interface Restricted {
  groups: readonly string[];
  open: () => Promise<IndexSearch>;
  opened?: Promise<IndexSearch> | undefined;
}

/** Answers questions from an open index. */
export class IndexSearch implements ClosableSearch {
  readonly info: IndexInfo;
  readonly #embedder: QuestionEmbedder;
  readonly #store: Store;
  readonly #answers = new Lru<Answer>(CACHED_ANSWERS);

  readonly #findRestricted: () => Restricted[];
  #restricted: Restricted[] | undefined;

  /**
   * @param store closed by `close`
   * @param findRestricted returns the further indexes of documents that only some groups may read
   */
  constructor(embedder: QuestionEmbedder, store: Store, findRestricted: () => Restricted[] = () => []) {
    this.#embedder = embedder;
    this.#store = store;
    this.#findRestricted = findRestricted;
    checkCalibration(embedder.model);
    const { version, counts, model } = store.manifest;
    this.info = { version, passages: counts.passages, model: model.name };
  }

  async search(request: SearchRequest, embedder = this.#embedder): Promise<Answer> {
    const start = now();
    // A history rarely repeats, and may be long.
    const key = request.history?.length ? undefined : JSON.stringify(request);
    const known = key && this.#answers.get(key);
    if (known) {
      const totalMs = rounded(now() - start);
      return { ...known, took: { embedMs: 0, searchMs: totalMs, totalMs } };
    }
    const answer = await this.#answer(request, start, embedder);
    if (key && !request.context && lengthOf(answer) <= MAX_CACHED_CHARACTERS) this.#answers.set(key, answer);
    return answer;
  }

  /** @param start when the request arrived, in milliseconds of `now()` */
  async #answer(request: SearchRequest, start: number, embedder: QuestionEmbedder): Promise<Answer> {
    const { q, history = [], k, mode, filter, minConfidence, context = 0 } = request;
    const { explain = false, matches = false } = request;
    const searchedFor = limitTokens(q, contextualQuery(q, history), embedder);
    const store = this.#store;
    const question = await embedRequest(embedder, store, mode, q, searchedFor);
    const { vector, questionTokens } = question;
    const embedded = now();
    const candidates = await Candidates.find(k, {
      store,
      vector,
      select: async () => filter && matching(store.lists, filter, store.manifest.fields, store.size),
      scoreTerms: async () => (mode === 'semantic' ? NO_TERMS : this.#terms(q, searchedFor)),
    });
    const typicality = vector && store.typicality(vector);
    const found = await distinct(
      k,
      store.lists,
      (count) => rank(count, { candidates, typicality, questionTokens }),
      (ordinals) => candidates.leaveOut(ordinals),
    );
    const confidences = this.#confidences(found, mode, question);
    // Confidences never rise, so the first results are left.
    const left = found.filter((_, i) => confidences[i]! >= (minConfidence ?? 0));
    const rows = left.map(({ row }) => row);
    const [others, around] = await Promise.all([
      otherPlaces(rows, store, candidates.selection),
      this.#around(rows, context),
    ]);
    const results = left.map((one, i) => ({
      ...resultOf(one, confidences[i]!, candidates.terms.idf),
      ...others[i],
      ...around[i],
      ...(explain && { explain: one.parts, evidence: one.evidence }),
      ...(matches && { matches: this.#matches(q, one, question) }),
    }));
    const verdict = verdictOf(results[0]?.confidence, minConfidence);
    const end = now();
    return {
      q,
      ...(searchedFor && { searchedFor }),
      verdict,
      answered: verdict === 'answered',
      results,
      took: {
        embedMs: rounded(embedded - start),
        searchMs: rounded(end - embedded),
        totalMs: rounded(end - start),
      },
      index: this.info,
    };
  }

  async passage(id: string, context = 0): Promise<PassageAnswer | undefined> {
    const ordinal = await this.#store.lists.ordinal(id);
    if (ordinal === undefined) return undefined;
    const rows = await this.#store.rows([ordinal]);
    const [others, around] = await Promise.all([otherPlaces(rows, this.#store), this.#around(rows, context)]);
    return { ...shown(rows[0]!.passage()), ...others[0], ...around[0] };
  }

  overview(): Promise<Overview> {
    return this.#store.overview();
  }

  documents(folder: string | undefined, from: number): Promise<DocumentList> {
    return listDocuments(this.#store, folder, from);
  }

  document(source: string, from: number): Promise<DocumentPart | undefined> {
    return readDocument(this.#store, source, from);
  }

  async for(groups: readonly string[]): Promise<Search> {
    if (groups.length === 0) return this;
    this.#restricted ??= this.#findRestricted();
    const allowed = this.#restricted.filter((one) => one.groups.some((group) => groups.includes(group)));
    if (allowed.length === 0) return this;
    const further = allowed.map((one) => {
      // A failure is not kept.
      one.opened ??= one.open().catch((error: unknown) => {
        one.opened = undefined;
        throw error;
      });
      return one.opened;
    });
    const { MergedSearch } = await import('./merged-search.ts');
    const shared = { embedder: this.#embedder, isInvalidRequest, verdictOf };
    return new MergedSearch([this, ...(await Promise.all(further))], shared);
  }

  close(): void {
    this.#store.close();
    for (const { opened } of this.#restricted ?? []) opened?.then((search) => search.close()).catch(() => {});
  }

  /** The confidence of each result. A lower result is never more certain than a higher one. */
  #confidences(ranked: readonly Ranked[], mode: Mode, { own, questionTokens }: EmbeddedRequest): number[] {
    const { calibration } = this.#embedder.model;
    const { tuning } = this.#store.manifest;
    // The history must not create an answer to a text that asks nothing.
    const asks = own ? asksOf(own, calibration.asks) : 1;
    let least = 1;
    return ranked.map((found) => {
      const confidence = asks * confidenceOf(found, mode, questionTokens !== undefined, calibration, tuning);
      least = Math.min(least, confidence);
      return least;
    });
  }

  async #terms(q: string, context: ContextualQuery | undefined): Promise<LexicalScores> {
    const { lists, manifest } = this.#store;
    const score = (text: string) => scoreTerms(lists, text, manifest.counts.passages);
    const [own, inContext] = await Promise.all([score(q), context && score(context.text)]);
    if (!context || !inContext) return own;
    return { shares: mixShares(own.shares, inContext.shares, context.share), idf: inContext.idf };
  }

  /** The matching words of the question, without its context, and a result. */
  #matches(q: string, { row, nearestTokens }: Ranked, { questionTokens }: EmbeddedRequest): Match[] {
    const { byToken } = this.#embedder;
    if (!byToken || !nearestTokens || !questionTokens) return [];
    const passage = row.passage();
    const { text, start } = withTitle(passage);
    const places = byToken.places(text, 'passage').map(([from, to]): Range => [from - start, to - start]);
    return matchesOf(
      { best: nearestTokens, weights: questionTokens.weights },
      { text: q, places: byToken.places(q, 'query') },
      { text: passage.text, places },
    );
  }

  /** For each passage, up to `context` passages before and after it in its document; nothing for a `context` of 0. */
  async #around(
    placed: readonly { ordinal: number }[],
    context: number,
  ): Promise<{ before?: ContextPassage[]; after?: ContextPassage[] }[]> {
    if (context === 0 || placed.length === 0) return [];
    const found = await this.#store.around(
      placed.map(({ ordinal }) => ordinal),
      context,
    );
    return found.map(({ before, after }) => ({ before: before.map(inContext), after: after.map(inContext) }));
  }
}

const inContext = ({ id, text }: Passage): ContextPassage => ({ id, text });

/** A result without its surroundings. */
function resultOf(
  { row, score, sentence }: Ranked,
  confidence: number,
  idf: Map<string, number>,
): SearchResult {
  const passage = row.passage();
  const place = passage.sentences[sentence === -1 ? bestByWords(passage, idf) : sentence];
  if (!place) throw row.damaged(`passage ${row.ordinal} has no sentence ${sentence}`);
  const [start, end] = place;
  return {
    ...shown(passage),
    score,
    confidence,
    highlight: { text: passage.text.slice(start, end), start, end },
  };
}

/** The parts of a passage that callers see. */
function shown(passage: Passage): Omit<Passage, 'sentences' | 'position' | 'group' | 'above'> {
  const { sentences, position, group, above, ...visible } = passage;
  return visible;
}

/** Returns the number of the sentence with the highest sum of idf over the question's terms. */
function bestByWords({ text, sentences }: Passage, idf: Map<string, number>): number {
  const weights = sentences.map(([start, end]) =>
    [...new Set(termsOf(text.slice(start, end)))].reduce((sum, term) => sum + (idf.get(term) ?? 0), 0),
  );
  return weights.indexOf(Math.max(...weights));
}

/** Characters of an answer's texts and metadata. */
function lengthOf({ results }: Answer): number {
  return results.reduce(
    (sum, { text, metadata }) => sum + text.length + (metadata ? JSON.stringify(metadata).length : 0),
    0,
  );
}

/** Rounds milliseconds to two places. */
function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
