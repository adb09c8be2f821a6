/** What a confidence depends on: how a result differs from the other candidates for the same question. */
export interface Evidence {
  /** The result's score, in standard deviations above the mean of the candidates. */
  standing: number;
  /** How much better the question's tokens match in other candidates, 0 to 2. A question about something else lacks a token. */
  lacking: number;
  /** How far the result's score exceeds the mean of the candidates. */
  margin: number;
  /** Cosine of the question and the passage's best sentence. */
  sentence: number;
  /** The highest BM25 share of any passage, 0 to 1: whether the question's words are in the index at all. */
  words: number;
  /** The question's similarity to a typical passage of the index. */
  typical: number;
}

/** The order of the evidence in a model. */
export const FEATURES = [
  'standing',
  'margin',
  'lacking',
  'sentence',
  'words',
  'typical',
] as const satisfies (keyof Evidence)[];

/** The evidence in lexical mode, whose confidence depends on the score alone. */
export const NO_EVIDENCE: Evidence = {
  standing: 0,
  margin: 0,
  lacking: 0,
  sentence: 0,
  words: 0,
  typical: 0,
};

/** Candidates that are compared. An index with fewer passages is filled up with passages that any index has. */
const CANDIDATES = 20;
/** The standard deviation of the scores of such passages. Measured on XQuAD-R. */
const COMMON_DEVIATION = 0.05;

/** The evidence that the results of a question share. */
interface Shared extends Pick<Evidence, 'words' | 'typical'> {
  /** The score of a passage that any index has. */
  common: number;
}

/** A candidate, or a result. */
interface Scored {
  score: number;
  parts: { sentence: number };
  /** For each question token: the similarity, and the number of the most similar token. */
  nearestTokens?: Float32Array;
}

/**
 * Returns a function from a result to its evidence.
 * @param peers the best candidates in the language of the best result
 * @param weights of the question's tokens
 */
export function evidence(
  peers: readonly Scored[],
  weights: Float32Array,
  { typical, words, common }: Shared,
): (result: Scored) => Evidence {
  const missing = Math.max(0, CANDIDATES - peers.length);
  const count = peers.length + missing;
  const mean = (peers.reduce((sum, { score }) => sum + score, 0) + missing * common) / count;
  const squares = peers.reduce((sum, { score }) => sum + (score - mean) ** 2, 0);
  const variance = (squares + missing * ((common - mean) ** 2 + COMMON_DEVIATION ** 2)) / count;
  const deviation = Math.sqrt(variance) + 1e-6;
  // Each token's similarity in the candidate that matches it best.
  const highest = Array.from(weights, (_, t) =>
    peers.reduce((most, { nearestTokens }) => Math.max(most, nearestTokens?.[2 * t] ?? 0), 0),
  );
  return ({ score, parts, nearestTokens }) => ({
    standing: (score - mean) / deviation,
    lacking: highest.reduce(
      (sum, most, t) => sum + weights[t]! * Math.max(0, most - (nearestTokens?.[2 * t] ?? most)),
      0,
    ),
    margin: score - mean,
    sentence: parts.sentence,
    words,
    typical,
  });
}
