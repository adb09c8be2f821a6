import { termsOf } from '../text/terms.ts';
import { KEYS, type Lookup } from './lookup-file.ts';
import { readList, writeList } from './varint.ts';

/** BM25's usual constants (Robertson and Zaragoza 2009, The Probabilistic Relevance Framework). */
const K1 = 1.2;
const B = 0.75;
/** The most that one term can add, before its idf. */
const MOST = K1 + 1;

/**
 * Postings of all terms, keyed as in `lookup.bin`. A record: the passages' ordinals (a list), then a byte for each:
 * the term's share of the most that it can add, in 255ths, which holds the passage's length and the term's frequency in it.
 */
export function writePostings(texts: readonly string[]): Map<string, Uint8Array> {
  const frequencies = texts.map((text) => {
    const counts = new Map<string, number>();
    let length = 0;
    for (const term of termsOf(text)) {
      counts.set(term, (counts.get(term) ?? 0) + 1);
      length++;
    }
    return { counts, length };
  });
  const mean = frequencies.reduce((sum, { length }) => sum + length, 0) / Math.max(1, texts.length);
  const lists = new Map<string, { ordinals: number[]; impacts: number[] }>();
  frequencies.forEach(({ counts, length }, ordinal) => {
    for (const [term, count] of counts) {
      const list = lists.get(term) ?? { ordinals: [], impacts: [] };
      lists.set(term, list);
      const share = count / (count + K1 * (1 - B + (B * length) / mean));
      list.ordinals.push(ordinal);
      list.impacts.push(Math.max(1, Math.round(share * 255)));
    }
  });
  const records = new Map<string, Uint8Array>();
  for (const [term, { ordinals, impacts }] of lists) {
    records.set(KEYS.term + term, Buffer.concat([writeList(ordinals), Uint8Array.from(impacts)]));
  }
  return records;
}

/** What a question's words say of the passages. */
export interface LexicalScores {
  /** BM25 of each passage that has a term, as a share (0 to 1) of `bound`, by ordinal. */
  shares: Map<number, number>;
  /** idf of each term of the question. */
  idf: Map<string, number>;
}

/** BM25 over all passages, divided by the most that this question could get: no term found counts nothing, whatever the question. */
export function scoreTerms(lookup: Lookup, question: string, passages: number): LexicalScores {
  const shares = new Map<number, number>();
  const idf = new Map<string, number>();
  const found: { weight: number; ordinals: Uint32Array; impacts: Uint8Array }[] = [];
  let bound = 0;
  for (const term of new Set(termsOf(question))) {
    const bytes = lookup.get(KEYS.term + term);
    const list = bytes && readList(bytes, 0);
    const count = list?.values.length ?? 0;
    const weight = Math.log(1 + (passages - count + 0.5) / (count + 0.5));
    idf.set(term, weight);
    bound += weight * MOST;
    if (list) found.push({ weight, ordinals: list.values, impacts: bytes.subarray(list.end) });
  }
  for (const { weight, ordinals, impacts } of found) {
    ordinals.forEach((ordinal, i) => {
      const add = (weight * MOST * impacts[i]!) / 255 / bound;
      shares.set(ordinal, (shares.get(ordinal) ?? 0) + add);
    });
  }
  return { shares, idf };
}
