import type { QuestionEmbedder } from '../embedding/embedder.ts';
import type { Range } from '../embedding/tokenizer.ts';
import type { Graph } from '../format/graph-file.ts';
import type { Languages } from '../format/languages-file.ts';
import type { Lookup } from '../format/lookup-file.ts';
import type { Manifest } from '../format/manifest.ts';
import type { Mode } from '../format/mode.ts';
import { readOverview } from '../format/overview.ts';
import type { Overview } from '../format/overview-types.ts';
import type { Passage } from '../format/passage.ts';
import type { Passages } from '../format/passages-file.ts';
import { type LexicalScores, scoreTerms } from '../format/postings.ts';
import type { SentenceVectors } from '../format/sentences-file.ts';
import { withTitle } from '../format/titled.ts';
import type { Tokens } from '../format/tokens-file.ts';
import { termsOf } from '../text/terms.ts';
import type {
  Answer,
  ClosableSearch,
  ContextPassage,
  ContextualQuery,
  IndexInfo,
  Match,
  PassageAnswer,
  SearchRequest,
  SearchResult,
} from './answer.ts';
import { Cache } from './cache.ts';
import { now } from './clock.ts';
import { asksOf, checkCalibration, confidenceOf, verdictOf } from './confidence.ts';
import { type Distinct, distinct, otherPlaces } from './duplicates.ts';
import { type EmbeddedRequest, embedRequest } from './embed-request.ts';
import { matching } from './filter.ts';
import { contextualQuery, mixShares } from './history.ts';
import { matchesOf } from './matches.ts';
import { type Ranked, rank } from './rank.ts';
import { limitTokens } from './token-limit.ts';

/** Answers cached for repeated requests, and the characters that one may have: some megabytes in all. */
const CACHED_ANSWERS = 100;
const MAX_CACHED_CHARACTERS = 50_000;

/** The open files of an index. */
export interface OpenIndex {
  manifest: Manifest;
  graph: Graph;
  lookup: Lookup;
  sentences: SentenceVectors;
  languages: Languages;
  passages: Passages;
  /** Undefined in an index without token states. */
  tokens: Tokens | undefined;
}

const NO_TERMS = { shares: new Map<number, number>(), idf: new Map<string, number>() };

/** Answers questions from an open index. */
export class IndexSearch implements ClosableSearch {
  readonly info: IndexInfo;
  readonly #embedder: QuestionEmbedder;
  readonly #index: OpenIndex;
  readonly #answers = new Cache<Answer>(CACHED_ANSWERS);

  constructor(embedder: QuestionEmbedder, index: OpenIndex) {
    this.#embedder = embedder;
    this.#index = index;
    checkCalibration(embedder.model);
    const { version, counts, model } = index.manifest;
    this.info = { version, passages: counts.passages, model: model.name };
  }

  async search(request: SearchRequest): Promise<Answer> {
    const start = now();
    // A history rarely repeats, and may be long.
    const key = request.history?.length ? undefined : JSON.stringify(request);
    const known = key && this.#answers.get(key);
    if (known) {
      const totalMs = rounded(now() - start);
      return { ...known, took: { embedMs: 0, searchMs: totalMs, totalMs } };
    }
    const answer = await this.#answer(request, start);
    if (key && !request.context && lengthOf(answer) <= MAX_CACHED_CHARACTERS) this.#answers.set(key, answer);
    return answer;
  }

  /** @param start when the request arrived, in milliseconds of `now()` */
  async #answer(request: SearchRequest, start: number): Promise<Answer> {
    const { q, history = [], k, mode, filter, minConfidence, context = 0 } = request;
    const { explain = false, matches = false } = request;
    const searchedFor = limitTokens(q, contextualQuery(q, history), this.#embedder);
    const { graph, lookup, sentences, languages, passages, manifest } = this.#index;
    const question = await embedRequest(this.#embedder, this.#index.tokens, mode, q, searchedFor);
    const { vector, questionTokens } = question;
    const embedded = now();
    const allowed = filter && matching(lookup, filter, manifest.fields, passages.count);
    const { shares, idf } = mode === 'semantic' ? NO_TERMS : this.#terms(q, searchedFor);
    const typicality = vector ? languages.typicality(vector) : { index: 0, ofLanguage: () => 0 };
    const rankBest = (count: number) =>
      rank({
        k: count,
        graph,
        sentences,
        typicality,
        languageOf: (ordinal) => languages.languageOf(ordinal),
        passages: passages.count,
        vector,
        questionTokens,
        shares,
        allowed,
      });
    const found = await distinct(k, rankBest, passages, lookup);
    const confidences = this.#confidences(found, mode, question);
    const results = found
      .map((one, i) => ({
        ...this.#result(one, confidences[i]!, idf, context, explain, allowed),
        ...(matches && { matches: this.#matches(q, one, question) }),
      }))
      .filter(({ confidence }) => confidence >= (minConfidence ?? 0));
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

  passage(id: string, context = 0): PassageAnswer | undefined {
    const ordinal = this.#index.lookup.ordinal(id);
    if (ordinal === undefined) return undefined;
    const { passages, lookup } = this.#index;
    const passage = passages.get(ordinal);
    return {
      ...shown(passage),
      ...otherPlaces(ordinal, passage, passages, lookup),
      ...this.#surrounding(ordinal, context),
    };
  }

  overview(): Overview {
    return readOverview(this.#index.lookup, this.#index.manifest);
  }

  /** Closes the files. No search may run or follow. */
  close(): void {
    const { lookup, sentences, passages, tokens } = this.#index;
    for (const file of [lookup, sentences, passages, tokens]) file?.close();
  }

  /** The confidence of each result. A lower result is never more certain than a higher one. */
  #confidences(ranked: readonly Ranked[], mode: Mode, { own, questionTokens }: EmbeddedRequest): number[] {
    const { calibration } = this.#embedder.model;
    // The history must not create an answer to a text that asks nothing.
    const asks = own ? asksOf(own, calibration.asks) : 1;
    let least = 1;
    return ranked.map((found) => {
      const confidence = asks * confidenceOf(found, mode, questionTokens !== undefined, calibration);
      least = Math.min(least, confidence);
      return least;
    });
  }

  #terms(q: string, context: ContextualQuery | undefined): LexicalScores {
    const { lookup, passages } = this.#index;
    const own = scoreTerms(lookup, q, passages.count);
    if (!context) return own;
    const { shares, idf } = scoreTerms(lookup, context.text, passages.count);
    return { shares: mixShares(own.shares, shares, context.share), idf };
  }

  #result(
    { ordinal, score, parts, sentence, evidence, passage }: Distinct,
    confidence: number,
    idf: Map<string, number>,
    context: number,
    explain: boolean,
    allowed: readonly number[] | undefined,
  ): SearchResult {
    const { passages, lookup } = this.#index;
    const place = passage.sentences[sentence === -1 ? bestByWords(passage, idf) : sentence];
    if (!place) throw passages.damaged(`passage ${ordinal} has no sentence ${sentence}`);
    const [start, end] = place;
    return {
      ...shown(passage),
      score,
      confidence,
      highlight: { text: passage.text.slice(start, end), start, end },
      ...otherPlaces(ordinal, passage, passages, lookup, allowed),
      ...this.#surrounding(ordinal, context),
      ...(explain && { explain: parts, evidence }),
    };
  }

  /** The matching words of the question, without its context, and a result. */
  #matches(q: string, { passage, nearestTokens }: Distinct, { questionTokens }: EmbeddedRequest): Match[] {
    const { byToken } = this.#embedder;
    if (!byToken || !nearestTokens || !questionTokens) return [];
    const { text, start } = withTitle(passage);
    const places = byToken.places(text, 'passage').map(([from, to]): Range => [from - start, to - start]);
    return matchesOf(
      { best: nearestTokens, weights: questionTokens.weights },
      { text: q, places: byToken.places(q, 'query') },
      { text: passage.text, places },
    );
  }

  /** Returns up to `context` passages before and after this one in its document. */
  #surrounding(ordinal: number, context: number): { before?: ContextPassage[]; after?: ContextPassage[] } {
    if (context === 0) return {};
    const { passages } = this.#index;
    const self = passages.get(ordinal);
    const near = (from: number, to: number): ContextPassage[] => {
      const found: ContextPassage[] = [];
      for (let i = Math.max(0, from); i < Math.min(to, passages.count); i++) {
        const { id, text, source, position } = passages.get(i);
        if (source === self.source && position - self.position === i - ordinal) found.push({ id, text });
      }
      return found;
    };
    return { before: near(ordinal - context, ordinal), after: near(ordinal + 1, ordinal + 1 + context) };
  }
}

function shown({
  sentences: _,
  position: __,
  group: ___,
  above: ____,
  ...passage
}: Passage): Omit<Passage, 'sentences' | 'position' | 'group' | 'above'> {
  return passage;
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
