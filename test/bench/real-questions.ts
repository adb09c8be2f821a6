import { join } from 'node:path';
import { Embedder } from '../../index/embedding/embedder.ts';
import { openGraph } from '../../index/format/graph-file.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { Passages } from '../../index/format/passages-file.ts';
import type { Answer } from '../../index/search/answer.ts';
import { randomNumbers } from '../fixtures/index.ts';
import { searchEvent } from './event.ts';
import { timedModule } from './processes.ts';

const SEED = 14;
/** Words of a question. */
const [LEAST, MOST] = [3, 30];
/** Nearest passages that are compared. */
const K = 10;
/** Results requested, to choose the nearest from: their order also depends on sentences, tokens and languages. */
const LISTED = '100';
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

/**
 * Returns the recall@10 of a packaged function's graph against exact search over the same vectors. Passages with nearly the same text
 * count as one, as in results.
 */
export async function graphRecall(folder: string, questions: readonly string[]): Promise<number> {
  const index = join(folder, 'index');
  const { dimensions } = readManifest(index, undefined, false);
  const graph = openGraph(join(index, 'graph.bin'), dimensions);
  const groups = groupsOf(index);
  const embedder = await Embedder.open(join(folder, 'model'), { verify: false });
  const polyseek = timedModule(join(folder, 'lambda.mjs'));
  const shares: number[] = [];
  try {
    for (const question of questions) {
      const cosine = graph.similarities(await embedder.embed(question, 'query'));
      const best = new Map<number, number>();
      for (const [ordinal, group] of groups.byOrdinal.entries())
        best.set(group, Math.max(best.get(group) ?? -1, cosine(ordinal)));
      const tenth = [...best.values()].sort((a, b) => b - a)[K - 1] ?? -1;
      const event = searchEvent(question, { mode: 'semantic', k: LISTED, explain: 'true' });
      const [answer] = (await polyseek.answers('handler', [event])) as [{ body: string }];
      const { results } = JSON.parse(answer.body) as Answer;
      const found = results.filter(({ id }) => best.get(groups.byId.get(id)!)! >= tenth - TIE);
      shares.push(Math.min(K, found.length) / Math.min(K, best.size));
    }
  } finally {
    await polyseek.stop();
  }
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** The group of each passage, by ordinal and by id. A passage without a group is one of its own. */
function groupsOf(index: string): { byOrdinal: number[]; byId: Map<string, number> } {
  const passages = new Passages(join(index, 'passages.bin'));
  const byOrdinal: number[] = [];
  const byId = new Map<string, number>();
  try {
    for (let ordinal = 0; ordinal < passages.count; ordinal++) {
      const { id, group = ordinal } = passages.get(ordinal);
      byOrdinal.push(group);
      byId.set(id, group);
    }
  } finally {
    passages.close();
  }
  return { byOrdinal, byId };
}
