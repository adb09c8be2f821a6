import { join } from 'node:path';
import { Embedder } from '../../index/embedding/embedder.ts';
import { openGraph } from '../../index/format/graph-file.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { Passages } from '../../index/format/passages-file.ts';
import { CANDIDATES } from '../../index/search/candidates.ts';
import { NEAREST } from '../../index/store/bundle-store.ts';
import { randomNumbers } from '../fixtures/index.ts';

const SEED = 14;
/** Words of a question. */
const [LEAST, MOST] = [3, 30];
/** Nearest passages that are compared. */
const K = 10;
/** Cosines that differ by less count as equal: sums differ in the last digits. */
const TIE = 1e-6;

/**
 * Returns questions that the documents of an index ask or answer: sentences that end in a question mark as far as there are enough,
 * otherwise headings. The same index gives the same questions.
 */
export function documentQuestions(index: string, count: number): string[] {
  const passages = new Passages(join(index, 'passages.bin'));
  const random = randomNumbers(SEED);
  const [questions, headings] = [new Set<string>(), new Set<string>()];
  const isFit = (text: string) => {
    const words = text.match(/\p{L}+/gu)?.length ?? 0;
    return words >= LEAST && words <= MOST;
  };
  try {
    for (let tried = 0; tried < 100 * count && questions.size < count / 2; tried++) {
      const { text, title, sentences } = passages.get(Math.floor(random() * passages.count));
      const heading = title.split(' › ').at(-1)!;
      if (isFit(heading)) headings.add(heading);
      const parts = sentences.map(([start, end]) => text.slice(start, end));
      const asked = parts.find((part) => /[?？؟]$/.test(part) && isFit(part));
      if (asked) questions.add(asked);
    }
  } finally {
    passages.close();
  }
  return [...questions, ...headings].slice(0, count);
}

/** Returns the recall@10 of an index's graph, as searches use it, against exact search over the same vectors. */
export async function graphRecall(
  index: string,
  model: string,
  questions: readonly string[],
): Promise<number> {
  const { dimensions, counts } = readManifest(index, undefined, false);
  const graph = openGraph(join(index, 'graph.bin'), dimensions);
  const embedder = await Embedder.open(model, { verify: false });
  let found = 0;
  for (const question of questions) {
    const vector = await embedder.embed(question, 'query');
    const cosine = graph.similarities(vector);
    const all = Float64Array.from({ length: counts.passages }, (_, ordinal) => cosine(ordinal)).sort();
    const tenth = all[Math.max(0, all.length - K)]!;
    const nearest = graph.search(vector, CANDIDATES.vector, NEAREST.ef(counts.passages)).slice(0, K);
    found += nearest.filter(({ similarity }) => similarity >= tenth - TIE).length;
  }
  return found / (questions.length * Math.min(K, counts.passages));
}
