import type { TokenMatcher } from '../embedding/token-matcher.ts';
import type { Typicality } from '../format/languages-file.ts';
import type { TokenCodes } from '../format/tokens-file.ts';
import type { Row } from '../store/store.ts';
import type { Evidence, Explanation } from './answer.ts';
import { type Candidates, highest } from './candidates.ts';
import { evidence, NO_EVIDENCE } from './confidence.ts';

/** The tuned constants of ranking. */
export const RANKING = {
  /** Weight of the BM25 share beside the two cosines, which have weight 1. */
  lexicalWeight: 0.2,
  /** How far the BM25 share of a passage that only words find may be below the best share of those that the vector finds. */
  lexicalTolerance: 0.1,
  /** Weight subtracted for similarity to the index mean: a question similar to all passages is about none. */
  indexWeight: 0.3,
  /** Candidates whose tokens are compared, or k if that is more. */
  compared: 40,
  /** Weight of the tokens' similarity beside the two cosines. */
  tokenWeight: 0.8,
  /** Weight subtracted for similarity to the language mean beyond that: it depends on the language, not on the passage. */
  languageWeight: 0.7,
} as const;

/** A passage with its score. */
export interface Ranked {
  row: Row;
  score: number;
  parts: Explanation;
  /** The number of its best sentence; -1 in lexical mode. */
  sentence: number;
  /** `NO_EVIDENCE` until it is compared with the other candidates. */
  evidence: Evidence;
  /** For each question token: the similarity, and the number of the most similar token. Undefined without token states. */
  nearestTokens?: Float32Array;
}

/** The question's tokens, and how to compare them with passages. */
export interface QuestionTokens {
  /** Centered, and the weight of each. */
  states: Float32Array;
  weights: Float32Array;
  match: TokenMatcher;
  /** Reads the passages' tokens. */
  codes: (ordinals: readonly number[]) => Promise<TokenCodes>;
}

/** The input of ranking. */
interface RankInput {
  candidates: Candidates;
  /** Undefined in lexical mode. */
  typicality?: Typicality | undefined;
  /** Undefined for an index without token states. */
  questionTokens?: QuestionTokens | undefined;
}

/**
 * Returns the k best passages, best first. Candidates come from the vectors and from BM25. The score is the sum of the passage's
 * cosine, its best sentence's cosine, its weighted BM25 share and its tokens' weighted similarity, minus the part that any passage would
 * get. Scores are added instead of fusing ranks: across languages no term matches, and then a share of 0 does not change the score.
 */
export async function rank(
  k: number,
  { candidates: found, typicality, questionTokens }: RankInput,
): Promise<Ranked[]> {
  const lexical = found.lexical(k);
  if (!typicality) {
    const shown = lexical.slice(0, k);
    const rows = await found.rows(shown.map(([ordinal]) => ordinal));
    return shown.map(([, share], i) => {
      const parts = { passage: 0, sentence: 0, lexical: share, tokens: 0, typical: 0 };
      return { row: rows[i]!, score: share, parts, sentence: -1, evidence: NO_EVIDENCE };
    });
  }
  const similarities = await found.near(k);
  const { shares } = found.terms;
  const rows = await found.rows(
    new Set([...similarities.keys(), ...competitive(lexical, similarities, shares)]),
  );
  const candidates = rows.map((row): Ranked => {
    const nearest = row.bestSentence();
    const parts = {
      passage: similarities.get(row.ordinal) ?? row.similarity(),
      sentence: nearest.cosine,
      lexical: RANKING.lexicalWeight * (shares.get(row.ordinal) ?? 0),
      tokens: 0,
      typical:
        -RANKING.indexWeight * typicality.index -
        RANKING.languageWeight * (typicality.ofLanguage(row.language) - typicality.index),
    };
    const score = parts.passage + parts.sentence + parts.lexical + parts.typical;
    return { row, score, parts, sentence: nearest.sentence, evidence: NO_EVIDENCE };
  });
  found.excesses ??= lexicalExcesses(best(candidates, RANKING.compared));
  for (const candidate of candidates) {
    const excess = found.excesses.get(candidate.row.language) ?? 0;
    candidate.parts.typical -= excess;
    candidate.score -= excess;
  }
  const compared = best(candidates, Math.max(RANKING.compared, k));
  await compareTokens(compared, questionTokens);
  const ranked = best(compared, compared.length);
  // An index may contain translations of the best passage, which would hide how far it exceeds the others.
  const peers = ranked.filter(({ row }) => row.language === ranked[0]!.row.language);
  const evidenceOf = evidence(peers, questionTokens?.weights ?? new Float32Array(), {
    typical: typicality.index,
    words: lexical[0]?.[1] ?? 0,
  });
  const results = ranked.slice(0, k);
  for (const result of results) result.evidence = evidenceOf(result);
  return results;
}

/**
 * The ordinals of passages whose BM25 shares are not clearly below the best share of those near the question. Others rank first rarely,
 * and reading rows that no query returned would be the most expensive part of a question to S3 Vectors (decision 11).
 */
function competitive(
  lexical: readonly [ordinal: number, share: number][],
  near: ReadonlyMap<number, number>,
  shares: ReadonlyMap<number, number>,
): number[] {
  let most = 0;
  for (const ordinal of near.keys()) most = Math.max(most, shares.get(ordinal) ?? 0);
  return lexical.filter(([, share]) => share > most - RANKING.lexicalTolerance).map(([ordinal]) => ordinal);
}

/**
 * Returns for each language by how much the words of its best candidates match better than those of all. It is subtracted from scores:
 * words match in the question's own language only, whatever a passage in it says, so they compare passages of one language.
 */
function lexicalExcesses(compared: readonly Ranked[]): Map<number, number> {
  const meanOf = (some: readonly Ranked[]) =>
    some.reduce((sum, { parts }) => sum + parts.lexical, 0) / some.length;
  const all = meanOf(compared);
  const excesses = new Map<number, number>();
  for (const language of new Set(compared.map(({ row }) => row.language))) {
    const own = compared.filter(({ row }) => row.language === language);
    // The mean of all counts as one more candidate: a single one may be right.
    excesses.set(language, (own.length / (own.length + 1)) * (meanOf(own) - all));
  }
  return excesses;
}

/** The candidates with the highest scores, best first. */
function best(candidates: Ranked[], count: number): Ranked[] {
  return highest(candidates, count, ({ score }) => score)
    .sort((a, b) => b.score - a.score || a.row.ordinal - b.row.ordinal)
    .slice(0, count);
}

/**
 * Adds the tokens' similarity to the scores of candidates: MaxSim (Khattab and Zaharia 2020, ColBERT), weighted. Does nothing for an index
 * without token states.
 */
async function compareTokens(candidates: Ranked[], question: QuestionTokens | undefined): Promise<void> {
  if (!question || candidates.length === 0) return;
  const { states, weights, match, codes } = question;
  const passages = await codes(candidates.map(({ row }) => row.ordinal));
  const { best: nearest } = await match(states, passages);
  const size = 2 * weights.length;
  candidates.forEach((candidate, c) => {
    candidate.nearestTokens = nearest.subarray(c * size, (c + 1) * size);
    let similarity = 0;
    for (let t = 0; t < weights.length; t++) similarity += weights[t]! * candidate.nearestTokens[2 * t]!;
    candidate.parts.tokens = RANKING.tokenWeight * similarity;
    candidate.score += candidate.parts.tokens;
  });
}
