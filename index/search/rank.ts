import type { TokenMatcher } from '../embedding/token-matcher.ts';
import type { Graph, Neighbor } from '../format/graph-file.ts';
import { Heap } from '../format/heap.ts';
import type { Typicality } from '../format/languages-file.ts';
import type { SentenceVectors } from '../format/sentences-file.ts';
import type { Tokens } from '../format/tokens-file.ts';
import type { Explanation } from './answer.ts';
import { type Evidence, evidence, NO_EVIDENCE } from './evidence.ts';

/** The tuned constants of ranking. */
export const RANKING = {
  /** Candidates taken from the vectors, or k if that is more. */
  vectorCandidates: 100,
  /** Candidates taken from BM25, or k if that is more. */
  lexicalCandidates: 50,
  /** Candidates kept while searching the graph. Recall@10 is .993 to .995 at 10 to 100 thousand passages (npm run bench -- scale). */
  ef: 400,
  /** Up to this many passages, after filtering, comparing all is faster than searching the graph. */
  exactPassages: 1000,
  /** Weight of the BM25 share beside the two cosines, which have weight 1. */
  lexicalWeight: 0.3,
  /** Weight subtracted for similarity to the index mean: a question similar to all passages is about none. */
  indexWeight: 0.3,
  /** Candidates whose tokens are compared, or k if that is more. The evidence for a confidence comes from the first of them. */
  compared: 20,
  /** Weight of the tokens' similarity beside the two cosines. */
  tokenWeight: 0.8,
  /** How much a common candidate's two cosines exceed the index mean, and its tokens' similarity. Measured on XQuAD-R. */
  commonSimilarity: 0.09,
  commonTokens: 0.31,
  /** Weight subtracted for similarity to the language mean beyond that: it depends on the language, not on the passage. */
  languageWeight: 0.7,
} as const;

/** A passage with its score. */
export interface Ranked {
  ordinal: number;
  score: number;
  parts: Explanation;
  /** The number of its best sentence; -1 in lexical mode. */
  sentence: number;
  evidence: Evidence;
  /** For each question token: the similarity, and the number of the most similar token. Undefined without token states. */
  nearestTokens?: Float32Array;
}

/** The question's tokens, and the index's token states. */
export interface QuestionTokens {
  /** Centered, and the weight of each. */
  states: Float32Array;
  weights: Float32Array;
  match: TokenMatcher;
  tokens: Tokens;
}

/** The input of ranking. */
export interface RankInput {
  k: number;
  graph: Graph;
  sentences: SentenceVectors;
  /** Passages in the index. */
  passages: number;
  /** The question's vector; undefined in lexical mode. */
  vector?: Float32Array;
  /** Undefined for an index without token states. */
  questionTokens?: QuestionTokens;
  typicality: Typicality;
  /** The number of a passage's language. */
  languageOf: (ordinal: number) => number;
  /** BM25 shares by ordinal; empty in semantic mode. */
  shares: ReadonlyMap<number, number>;
  /** Ordinals that match the filter, ascending; undefined without a filter. */
  allowed?: readonly number[];
}

/**
 * Returns the k best passages, best first. Candidates come from the vectors and from BM25. The score is the sum of the passage's
 * cosine, its best sentence's cosine, its weighted BM25 share and its tokens' weighted similarity, minus the part that any passage would
 * get. Scores are added instead of fusing ranks: across languages no term matches, and then a share of 0 does not change the score.
 */
export async function rank(input: RankInput): Promise<Ranked[]> {
  const { k, vector, questionTokens, graph, sentences, typicality, languageOf, shares, allowed } = input;
  const permitted = allowed && new Set(allowed);
  const lexicalCount = Math.max(RANKING.lexicalCandidates, k);
  const matched = [...shares].filter(([ordinal]) => permitted?.has(ordinal) ?? true);
  const lexical = highest(matched, lexicalCount, ([, share]) => share)
    .sort(([a, x], [b, y]) => y - x || a - b)
    .slice(0, lexicalCount);
  if (!vector) {
    return lexical.slice(0, k).map(([ordinal, share]) => {
      const parts = { passage: 0, sentence: 0, lexical: share, tokens: 0, typical: 0 };
      return { ordinal, score: share, parts, sentence: -1, evidence: NO_EVIDENCE };
    });
  }
  const found = nearest(input, vector, Math.max(RANKING.vectorCandidates, k), permitted);
  const similarities = new Map(found.map(({ ordinal, similarity }) => [ordinal, similarity]));
  const similarityOf = graph.similarities(vector);
  for (const [ordinal] of lexical)
    if (!similarities.has(ordinal)) similarities.set(ordinal, similarityOf(ordinal));
  const bestSentence = sentences.best(vector);
  const candidates = Array.from(similarities, ([ordinal, passage]): Candidate => {
    const nearest = bestSentence(ordinal);
    const parts = {
      passage,
      sentence: nearest.cosine,
      lexical: RANKING.lexicalWeight * (shares.get(ordinal) ?? 0),
      tokens: 0,
      typical:
        -RANKING.indexWeight * typicality.index -
        RANKING.languageWeight * (typicality.ofLanguage(ordinal) - typicality.index),
    };
    const score = parts.passage + parts.sentence + parts.lexical + parts.typical;
    return { ordinal, score, base: score, parts, sentence: nearest.sentence };
  });
  const compare = tokenComparer(questionTokens);
  const compared = best(candidates, Math.max(RANKING.compared, k));
  await compare(compared);
  const excess = languageExcess(compared, languageOf);
  for (const candidate of compared) subtract(candidate, excess(candidate));
  const results = best(compared, k);
  // An index may contain translations of the best passage, which would hide how far it exceeds the others.
  const language = results[0] && languageOf(results[0].ordinal);
  const peers = best(
    candidates.filter(({ ordinal }) => languageOf(ordinal) === language),
    RANKING.compared,
    (candidate) => candidate.base,
  );
  const others = peers.filter((peer) => !compared.includes(peer));
  await compare(others);
  for (const candidate of others) subtract(candidate, excess(candidate));
  const evidenceOf = evidence(peers, questionTokens?.weights ?? new Float32Array(), {
    typical: typicality.index,
    words: lexical[0]?.[1] ?? 0,
    common:
      (1 - RANKING.indexWeight) * typicality.index +
      RANKING.commonSimilarity +
      (questionTokens ? RANKING.tokenWeight * RANKING.commonTokens : 0),
  });
  return results.map(({ base: _, ...result }) => ({ ...result, evidence: evidenceOf(result) }));
}

/** A passage before its evidence is known. */
interface Candidate extends Omit<Ranked, 'evidence'> {
  /** The score without tokens. */
  base: number;
}

/**
 * Returns by how much the tokens of candidates in a language match better than those of all candidates: tokens of the question's own
 * language match any passage in it better.
 * @param compared candidates whose tokens were compared
 */
function languageExcess(
  compared: readonly Candidate[],
  languageOf: (ordinal: number) => number,
): (candidate: Candidate) => number {
  const meanOf = (candidates: readonly Candidate[]) =>
    candidates.reduce((sum, { parts }) => sum + parts.tokens, 0) / candidates.length;
  const all = meanOf(compared);
  const known = new Map<number, number>();
  return ({ ordinal }) => {
    const language = languageOf(ordinal);
    const before = known.get(language);
    if (before !== undefined) return before;
    const own = compared.filter((candidate) => languageOf(candidate.ordinal) === language);
    // The mean of all counts as one more candidate: a single one may be right.
    const excess = (own.length / (own.length + 1)) * (meanOf(own) - all);
    known.set(language, excess);
    return excess;
  };
}

function subtract(candidate: Candidate, excess: number): void {
  candidate.parts.typical -= excess;
  candidate.score -= excess;
}

/** The candidates with the highest scores, best first. */
function best(
  candidates: Candidate[],
  count: number,
  score: (candidate: Candidate) => number = (candidate) => candidate.score,
): Candidate[] {
  return highest(candidates, count, score)
    .sort((a, b) => score(b) - score(a) || a.ordinal - b.ordinal)
    .slice(0, count);
}

/**
 * Returns a function that adds the tokens' similarity to the scores of candidates: MaxSim (Khattab and Zaharia 2020, ColBERT), weighted.
 * It does nothing for an index without token states.
 */
function tokenComparer(question: QuestionTokens | undefined): (candidates: Candidate[]) => Promise<void> {
  return async (candidates) => {
    if (!question || candidates.length === 0) return;
    const { states, weights, match, tokens } = question;
    const passages = tokens.read(candidates.map(({ ordinal }) => ordinal));
    const { best: nearest } = await match(states, passages);
    const size = 2 * weights.length;
    candidates.forEach((candidate, c) => {
      candidate.nearestTokens = nearest.subarray(c * size, (c + 1) * size);
      let similarity = 0;
      for (let t = 0; t < weights.length; t++) similarity += weights[t]! * candidate.nearestTokens[2 * t]!;
      candidate.parts.tokens = RANKING.tokenWeight * similarity;
      candidate.score += candidate.parts.tokens;
    });
  };
}

/**
 * Returns the entries with the `count` highest values in their order, including ties of the last. Sorts a typed array, because it
 * sorts natively: comparing hundreds of entries takes milliseconds in a cold start.
 */
function highest<Entry>(entries: Entry[], count: number, value: (entry: Entry) => number): Entry[] {
  if (entries.length <= count) return entries;
  const values = Float64Array.from(entries, value).sort();
  const min = values[values.length - count]!;
  return entries.filter((entry) => value(entry) >= min);
}

/** Returns the nearest passages, in no order. Compares all of them if they are few, or if the graph finds too few. */
function nearest(
  { graph, allowed, passages }: RankInput,
  vector: Float32Array,
  wanted: number,
  permitted?: Set<number>,
): Neighbor[] {
  const all = allowed?.length ?? passages;
  const count = Math.min(wanted, all);
  if (all > RANKING.exactPassages) {
    const isPermitted = permitted && ((ordinal: number) => permitted.has(ordinal));
    const found = graph.search(vector, count, Math.max(RANKING.ef, wanted), isPermitted);
    if (found.length >= count) return found;
  }
  const similarityOf = graph.similarities(vector);
  const best = new Heap();
  for (let i = 0; i < all; i++) {
    const ordinal = allowed ? allowed[i]! : i;
    const similarity = similarityOf(ordinal);
    if (best.size === count && similarity <= best.minKey) continue;
    best.push(similarity, ordinal);
    if (best.size > count) best.pop();
  }
  return best.entries().map(({ key, ordinal }) => ({ ordinal, similarity: key }));
}
