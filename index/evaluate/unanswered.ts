import { readFileSync } from 'node:fs';
import { normalized, type TextEmbedder } from '../embedding/embedder.ts';
import { dot } from '../format/vectors.ts';
import { detectLanguage } from '../ingest/passages/detect-language.ts';
import { parseJson } from '../kit/json.ts';
import type { Search, Verdict } from '../search/answer.ts';
import { asksOf } from '../search/confidence.ts';
import { collapsed } from './real-documents.ts';

/** What a log entry says about a question: the verdict of a search, or what a person said about its answer. */
export interface LoggedQuestion {
  q: string;
  verdict?: Verdict | undefined;
  helpful?: boolean | undefined;
}

/** How often a question was asked without a sure answer, and what people said about its answers. */
interface Counts {
  asked: number;
  /** Of these, how often nothing was found. */
  none: number;
  helpful: number;
  unhelpful: number;
}

/** Questions that ask about the same thing. */
export interface QuestionGroup extends Counts {
  /** The one most similar to the others. */
  question: string;
  /** The different other ones, the most asked first. */
  others: string[];
  /** ISO 639-1 codes, the most frequent first. Short questions have no known language. */
  languages: string[];
  /** What the index has nearest to `question`. */
  nearest: { title: string; source: string; url?: string | undefined; confidence: number }[];
}

export interface UnansweredReport {
  /** Searches without a sure answer. */
  asked: number;
  /** Different texts that asked nothing, such as greetings. They are left out. */
  smallTalk: number;
  /** Different questions beyond the 5,000 most asked ones. They are left out. */
  leftOut: number;
  /** The most asked one first. */
  groups: QuestionGroup[];
}

/** Comparing all with all takes half a minute for so many. */
const MOST_QUESTIONS = 5000;
const NEAREST = 3;

/**
 * The mean similarity from which questions are one group. Chosen on half of the topics in test/quality/unanswered as the one with the most
 * groups of three or more about one topic. A lower one fails on longer logs.
 */
const LEAST_SIMILARITY = 0.32;

/** A text that asks less than this is no question: 91 % of the phrases in test/quality/small-talk, and one in 500 questions. */
const LEAST_ASKS = 0.2;

/** General questions, so that a few questions about one thing are not compared with their own mean alone. */
const GENERAL = 100;

interface Asked extends Counts {
  q: string;
  vector: Float32Array;
}

/**
 * Groups the questions of a log that got no sure answer, or an unhelpful one, by their meaning, in all languages together.
 * @param embedder of the default model, which the least similarity fits
 */
export async function findUnanswered(
  logged: Iterable<LoggedQuestion>,
  embedder: TextEmbedder,
  search: Search,
): Promise<UnansweredReport> {
  const counted = countQuestions(logged);
  const relevant = [...counted].filter(([, { asked, unhelpful }]) => asked + unhelpful > 0);
  relevant.sort(([p, a], [q, b]) => weightOf(b) - weightOf(a) || (p < q ? -1 : 1));
  const asked: Asked[] = [];
  for (const [q, counts] of relevant.slice(0, MOST_QUESTIONS))
    asked.push({ q, ...counts, vector: await embedder.embed(q, 'query') });
  const questions = asked.filter(
    ({ vector }) => asksOf(vector, embedder.model.calibration.asks) >= LEAST_ASKS,
  );
  const center = await centerOf(questions, embedder);
  const vectors = questions.map(({ vector }) => normalized(vector.map((value, i) => value - center[i]!)));
  const groups = clusters(vectors, LEAST_SIMILARITY).map((members) =>
    groupOf(members.map((i) => ({ ...questions[i]!, vector: vectors[i]! }))),
  );
  groups.sort((a, b) => weightOf(b) - weightOf(a) || (a.question < b.question ? -1 : 1));
  for (const group of groups) {
    const { results } = await search.search({ q: group.question, k: NEAREST, mode: 'hybrid' });
    group.nearest = results.map(({ title, source, url, confidence }) => ({ title, source, url, confidence }));
  }
  return {
    asked: relevant.reduce((sum, [, counts]) => sum + counts.asked, 0),
    smallTalk: asked.length - questions.length,
    leftOut: relevant.length - asked.length,
    groups,
  };
}

const weightOf = ({ asked, unhelpful }: Counts) => asked + unhelpful;

/** Counts by question, without regard to case and white space. */
function countQuestions(logged: Iterable<LoggedQuestion>): Map<string, Counts> {
  const texts = new Map<string, string>();
  const counted = new Map<string, Counts>();
  for (const { q, verdict, helpful } of logged) {
    const key = collapsed(q).toLowerCase();
    const text = texts.get(key) ?? collapsed(q);
    texts.set(key, text);
    const counts = counted.get(text) ?? { asked: 0, none: 0, helpful: 0, unhelpful: 0 };
    counted.set(text, counts);
    counts.asked += Number(verdict === 'none' || verdict === 'possible');
    counts.none += Number(verdict === 'none');
    counts.helpful += Number(helpful === true);
    counts.unhelpful += Number(helpful === false);
  }
  return counted;
}

/** The mean of the questions' vectors and those of some general questions. All questions are similar to it. */
async function centerOf(questions: readonly Asked[], embedder: TextEmbedder): Promise<Float32Array> {
  const lines = readFileSync(new URL('questions.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n');
  const step = Math.floor(lines.length / GENERAL);
  const vectors = questions.map(({ vector }) => vector);
  for (const line of lines.filter((_, i) => i % step === 0)) {
    const { text } = parseJson(line) as { text: string };
    vectors.push(await embedder.embed(text, 'query'));
  }
  return sumOf(vectors).map((value) => value / vectors.length);
}

function groupOf(members: Asked[]): QuestionGroup {
  const sum = sumOf(members.map(({ vector }) => vector));
  const total = (count: keyof Counts) => members.reduce((all, member) => all + member[count], 0);
  const [central] = [...members].sort((a, b) => dot(b.vector, sum) - dot(a.vector, sum));
  const languages = new Map<string, number>();
  for (const { q } of members) {
    const lang = detectLanguage(q)?.lang;
    if (lang) languages.set(lang, (languages.get(lang) ?? 0) + 1);
  }
  return {
    question: central!.q,
    asked: total('asked'),
    none: total('none'),
    helpful: total('helpful'),
    unhelpful: total('unhelpful'),
    others: members.filter((member) => member !== central).map(({ q }) => q),
    languages: [...languages].sort(([p, a], [q, b]) => b - a || (p < q ? -1 : 1)).map(([lang]) => lang),
    nearest: [],
  };
}

/**
 * Clusters vectors of length 1: agglomerative, by the mean similarity of the members of two clusters (average linkage), along chains of
 * nearest neighbours, so that it takes quadratic time (Murtagh 1983, A Survey of Recent Advances in Hierarchical Clustering Algorithms).
 * @param least mean similarity of two clusters that become one
 * @returns the places of each cluster's members, ascending
 */
export function clusters(vectors: readonly Float32Array[], least: number): number[][] {
  const open = new Set<Cluster>(vectors.map((vector, place) => ({ members: [place], sum: vector })));
  const closed: number[][] = [];
  const chain: Cluster[] = [];
  while (open.size > 0) {
    const [first] = open;
    const last = chain.at(-1) ?? first!;
    if (chain.length === 0) chain.push(last);
    const before = chain.at(-2);
    let nearest = before;
    let most = before ? similarity(last, before) : Number.NEGATIVE_INFINITY;
    for (const other of open) {
      if (other === last || other === before) continue;
      const found = similarity(last, other);
      if (found > most) [nearest, most] = [other, found];
    }
    if (!nearest || most < least) {
      // Later clusters are no nearer: their similarity is a mean of those seen.
      chain.pop();
      open.delete(last);
      closed.push(last.members.sort((a, b) => a - b));
    } else if (nearest === before) {
      chain.length -= 2;
      open.delete(last);
      open.delete(before);
      open.add({ members: [...before.members, ...last.members], sum: sumOf([before.sum, last.sum]) });
    } else chain.push(nearest);
  }
  return closed;
}

interface Cluster {
  members: number[];
  sum: Float32Array;
}

const similarity = (a: Cluster, b: Cluster) => dot(a.sum, b.sum) / (a.members.length * b.members.length);

/** The sum of one or more vectors. */
function sumOf(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(vectors[0]!.length);
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!;
  return sum;
}
