/** What a confidence depends on: how a result differs from the other candidates for the same question. */
export interface Evidence {
  /** The result's score, in standard deviations above the mean of the candidates. */
  standing: number;
  /** How much better the question's tokens match in other candidates, 0 to 2. A question about something else lacks a token. */
  lacking: number;
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
  'lacking',
  'sentence',
  'words',
  'typical',
] as const satisfies (keyof Evidence)[];

/** The evidence in lexical mode, whose confidence depends on the score alone. */
export const NO_EVIDENCE: Evidence = { standing: 0, lacking: 0, sentence: 0, words: 0, typical: 0 };

/** Candidates that are compared. An index with fewer passages is filled up with passages that any index has. */
const CANDIDATES = 20;
/** The standard deviation of the scores of such passages. Measured on XQuAD-R. */
const COMMON_DEVIATION = 0.05;

/** The evidence that the results of a question share. */
interface Shared extends Pick<Evidence, 'words' | 'typical'> {
  /** The score of a passage that any index has. */
  common: number;
}

/**
 * Returns a function from a result's score, best sentence's cosine and lack to its evidence.
 * @param scores of the best candidates
 */
export function evidence(
  scores: readonly number[],
  { typical, words, common }: Shared,
): (score: number, sentence: number, lacking: number) => Evidence {
  const missing = Math.max(0, CANDIDATES - scores.length);
  const count = scores.length + missing;
  const mean = (scores.reduce((sum, score) => sum + score, 0) + missing * common) / count;
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  const variance = (squares + missing * ((common - mean) ** 2 + COMMON_DEVIATION ** 2)) / count;
  const deviation = Math.sqrt(variance) + 1e-6;
  return (score, sentence, lacking) => ({
    standing: (score - mean) / deviation,
    lacking,
    sentence,
    words,
    typical,
  });
}
