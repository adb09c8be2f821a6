import { describeValue } from '../documents/records/json-lines.ts';
import type { Search, Turn } from '../search/answer.ts';
import { mean, reciprocalRank, signTest } from './retrieval-metrics.ts';
import { type EvaluationSet, rankedRecords, readItems, relevantOf, stringField } from './set.ts';
import { type Builder, withIndex } from './temporary-index.ts';

/** A question and the turns before it. */
export interface Conversation {
  readonly id: string;
  /** Name of the set that the question is asked on. */
  readonly lang: string;
  readonly split: string;
  readonly kind: string;
  readonly history: Turn[];
  readonly q: string;
  /** Ids of relevant passages. Empty for unanswerable questions. */
  readonly relevant: readonly string[];
  /** A standalone form of the question. Missing if the question is already standalone. */
  readonly rewritten?: string;
}

/** The forms in which each question is asked. */
const FORMS = ['alone', 'history', 'rewritten'] as const;
type Form = (typeof FORMS)[number];

/** Means over questions. `answered` is the share with a confident result, relevant or not. */
interface FormScores {
  r1: number;
  r5: number;
  mrr10: number;
  answered: number;
}

/** Scores of some questions. A standalone question is its own rewriting. */
export type ConversationRow = { questions: number } & Record<Form, FormScores>;

/** The number of questions where only one of two forms finds a relevant passage first, and the sign test over them. */
export interface Comparison {
  gained: number;
  lost: number;
  p: number;
}

export interface ConversationScores {
  rows: Record<string, ConversationRow>;
  /** The effect of the history on follow-ups and on standalone questions. */
  followUps: Comparison;
  standAlone: Comparison;
}

/** Reads `conversations.jsonl` from a folder. Throws naming file and line if a field is missing or wrong. */
export function readConversations(dir: string): Promise<Conversation[]> {
  return readItems(dir, 'conversations.jsonl', (line) => {
    const { history, rewritten } = line.record;
    if (!Array.isArray(history) || !history.every(isTurn)) {
      throw new Error(
        `${line.place}: "history" must be a list of {role, content} but is ${describeValue(history)}.`,
      );
    }
    const field = (name: string) => stringField(line, name);
    return {
      id: field('id'),
      lang: field('lang'),
      split: field('split'),
      kind: field('kind'),
      history,
      q: field('q'),
      relevant: relevantOf(line),
      ...(rewritten !== undefined && { rewritten: field('rewritten') }),
    };
  });
}

/** Throws naming the set if one of the conversations has none. To be called first: an evaluation takes minutes. */
export function requireSets(conversations: readonly Conversation[], sets: readonly EvaluationSet[]): void {
  const missing = conversations.find(({ lang }) => !sets.some(({ name }) => name === lang));
  if (missing)
    throw new Error(`Conversation ${missing.id} needs the set ${missing.lang}. Name its folder too.`);
}

function isTurn(value: unknown): value is Turn {
  const { role, content } = Object(value);
  return (role === 'user' || role === 'assistant') && typeof content === 'string';
}

interface Judged extends Conversation {
  found: Record<Form, { ranked: string[]; answered: boolean }>;
}

/**
 * Asks each conversation's question on the set of its language: alone, with its history, and rewritten. As controls, also asks the
 * sets' own questions after a history on another topic, which should not change their results.
 * @param conversations each with its set: see `requireSets`
 */
export async function evaluateConversations(
  builder: Builder,
  sets: readonly EvaluationSet[],
  conversations: readonly Conversation[],
): Promise<ConversationScores> {
  const judged: Judged[] = [];
  for (const set of sets) {
    const own = conversations.filter(({ lang }) => lang === set.name);
    if (own.length === 0) continue;
    const asked = [...own, ...controls(set, own)];
    await withIndex(builder, [set], async (search) => {
      for (const one of asked) judged.push(await judge(builder, search, one));
    });
  }
  return summary(judged);
}

/** The topic in an id: everything before its number. Passages and questions of a topic share it. */
function topicOf(id: string): string {
  return id.slice(0, id.lastIndexOf('-'));
}

/** A set's own questions, each with the history of a conversation on another topic. The pairs are always the same. */
function controls(set: EvaluationSet, conversations: readonly Conversation[]): Conversation[] {
  const topics = new Set(conversations.flatMap(({ relevant }) => relevant.map(topicOf)));
  const kept = set.queries.filter(({ id, relevant }) => relevant.length === 0 || topics.has(topicOf(id)));
  return kept.flatMap(({ id, lang, text, relevant }, i) => {
    const others = conversations.filter((one) => !one.relevant.map(topicOf).includes(topicOf(id)));
    const other = others[(i * 7919) % others.length];
    const kind = relevant.length > 0 ? 'set question' : 'unanswerable';
    return other ? [{ id, lang, split: other.split, kind, history: other.history, q: text, relevant }] : [];
  });
}

async function judge(builder: Builder, search: Search, conversation: Conversation): Promise<Judged> {
  const { q, history, rewritten, relevant } = conversation;
  const find = async (q: string, before?: Turn[]) => {
    const { results, answered } = await search.search({
      q,
      k: 10,
      mode: builder.mode,
      history: before,
    });
    return { ranked: rankedRecords(results, new Set(relevant)), answered };
  };
  const alone = await find(q);
  const found = {
    alone,
    history: await find(q, history),
    rewritten: rewritten ? await find(rewritten) : alone,
  };
  return { ...conversation, found };
}

function summary(judged: readonly Judged[]): ConversationScores {
  const followUps = judged.filter(({ rewritten }) => rewritten);
  const rows: Record<string, ConversationRow> = {};
  if (followUps.length > 0) rows['follow-ups'] = rowOf(followUps);
  for (const kind of new Set(judged.map((one) => one.kind))) {
    rows[kind] = rowOf(judged.filter((one) => one.kind === kind));
  }
  for (const lang of new Set(followUps.map((one) => one.lang))) {
    rows[`follow-ups, ${lang}`] = rowOf(followUps.filter((one) => one.lang === lang));
  }
  return {
    rows,
    followUps: compare(followUps),
    standAlone: compare(judged.filter(({ rewritten }) => !rewritten)),
  };
}

function compare(judged: readonly Judged[]): Comparison {
  const first = ({ relevant, found }: Judged, form: Form) => relevant.includes(found[form].ranked[0] ?? '');
  const better = (form: Form, than: Form) =>
    judged.filter((one) => first(one, form) && !first(one, than)).length;
  const [gained, lost] = [better('history', 'alone'), better('alone', 'history')];
  return { gained, lost, p: signTest(gained, lost) };
}

function rowOf(judged: readonly Judged[]): ConversationRow {
  const scoresOf = (form: Form): FormScores => {
    const ranks = (cutoff: number) =>
      mean(
        judged.map(({ found, relevant }) => reciprocalRank(found[form].ranked, new Set(relevant), cutoff)),
      );
    const hits = (cutoff: number) =>
      mean(
        judged.map(({ found, relevant }) =>
          found[form].ranked.slice(0, cutoff).some((id) => relevant.includes(id)) ? 1 : 0,
        ),
      );
    const answered = mean(judged.map(({ found }) => (found[form].answered ? 1 : 0)));
    return { r1: hits(1), r5: hits(5), mrr10: ranks(10), answered };
  };
  return {
    questions: judged.length,
    alone: scoresOf('alone'),
    history: scoresOf('history'),
    rewritten: scoresOf('rewritten'),
  };
}

/** Formats the scores as text, a line per row. */
export function conversationTable({ rows, followUps, standAlone }: ConversationScores): string {
  const columns = (cells: string[]) => cells.map((cell) => cell.padStart(9)).join('');
  const line = ([name, row]: [string, ConversationRow]) => {
    const scores = FORMS.flatMap((form) => [row[form].r1, row[form].r5, row[form].mrr10, row[form].answered]);
    return name.padEnd(16) + columns([String(row.questions), ...scores.map((score) => score.toFixed(3))]);
  };
  const compared = (name: string, { gained, lost, p }: Comparison) =>
    `${name}: ${gained} gained, ${lost} lost (sign test, p = ${p.toPrecision(2)})`;
  return [
    'conversations: the question alone, with its history, rewritten by hand',
    ' '.repeat(16) + columns(['n', ...FORMS.flatMap(() => ['R@1', 'R@5', 'MRR@10', 'answered'])]),
    ...Object.entries(rows).map(line),
    'relevant passage first, with history compared to alone',
    compared('  follow-ups', followUps),
    compared('  standalone questions', standAlone),
  ].join('\n');
}
