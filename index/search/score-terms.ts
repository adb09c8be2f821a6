import { KEYS } from '../format/lookup-file.ts';
import { MOST } from '../format/postings.ts';
import type { Lists } from '../store/store.ts';
import { termsOf } from '../text/terms.ts';

/** BM25 scores of a question. */
export interface LexicalScores {
  /** By ordinal, for each passage with a term: BM25 as a share (0 to 1) of the most that the question could get. */
  shares: Map<number, number>;
  /** idf of each term of the question. */
  idf: Map<string, number>;
}

/**
 * BM25 over all passages, divided by the most that this question could get. So shares are comparable between questions.
 * @param passages of the index
 */
export async function scoreTerms(lists: Lists, question: string, passages: number): Promise<LexicalScores> {
  const shares = new Map<number, number>();
  const idf = new Map<string, number>();
  const found: { weight: number; ordinals: Uint32Array; impacts: Uint8Array }[] = [];
  let bound = 0;
  const terms = [...new Set(termsOf(question))];
  const all = await Promise.all(terms.map((term) => lists.list(KEYS.term + term)));
  for (const [i, list] of all.entries()) {
    const count = list?.ordinals.length ?? 0;
    if (list && list.rest.length !== count)
      throw lists.damaged(`a term has ${count} passages, but ${list.rest.length} scores`);
    const weight = Math.log(1 + (passages - count + 0.5) / (count + 0.5));
    idf.set(terms[i]!, weight);
    bound += weight * MOST;
    if (list) found.push({ weight, ordinals: list.ordinals, impacts: list.rest });
  }
  for (const { weight, ordinals, impacts } of found) {
    ordinals.forEach((ordinal, i) => {
      const add = (weight * MOST * impacts[i]!) / 255 / bound;
      shares.set(ordinal, (shares.get(ordinal) ?? 0) + add);
    });
  }
  return { shares, idf };
}
