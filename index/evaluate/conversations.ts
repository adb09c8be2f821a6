import { describeValue } from '../documents/json-lines.ts';
import type { Search, Turn } from '../search/answer.ts';
import { type Builder, withIndex } from './evaluate.ts';
import { mean, reciprocalRank, signTest } from './metrics.ts';
import { type EvaluationSet, readItems, relevantOf, stringField } from './set.ts';

/** A question with what was said before it. */
export interface Conversation {
  readonly id: string;
  /** Name of the set that is asked. */
  readonly lang: string;
  readonly split: string;
  readonly kind: string;
  readonly history: Turn[];
  readonly q: string;
  /** Ids of passages; none where nothing answers. */
  readonly relevant: readonly string[];
  /** The question as it would be asked without a history; absent where it stands alone as it is. */
  readonly rewritten?: string;
}

/** How a question is asked. */
const WAYS = ['alone', 'history', 'rewritten'] as const;
type Way = (typeof WAYS)[number];

/** Means over questions; `answered` is the share that counts as answered, rightly or not. */
export interface WayScores {
  r1: number;
  r5: number;
  mrr10: number;
  answered: number;
}

/** A question that stands alone is its own rewriting. */
export type ConversationRow = { questions: number } & Record<Way, WayScores>;

/** On how many questions one way alone has the right passage first, and the sign test of that. */
export interface Comparison {
  gained: number;
  lost: number;
  p: number;
}

export interface ConversationScores {
  rows: Record<string, ConversationRow>;
  /** What the history does to follow-ups, and to questions that stand alone. */
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

function isTurn(value: unknown): value is Turn {
  const { role, content } = Object(value);
  return (role === 'user' || role === 'assistant') && typeof content === 'string';
}

interface Judged extends Conversation {
  found: Record<Way, { ranked: string[]; answered: boolean }>;
}

/**
 * Asks each conversation's question on the set of its language: alone, with its history, and rewritten. Then the sets' own questions
 * on the conversations' topics after a history on another topic, which must not disturb them.
 */
export async function evaluateConversations(
  builder: Builder,
  sets: readonly EvaluationSet[],
  conversations: readonly Conversation[],
): Promise<ConversationScores> {
  const missing = conversations.find(({ lang }) => !sets.some(({ name }) => name === lang));
  if (missing)
    throw new Error(`The conversation ${missing.id} asks the set ${missing.lang}: give its folder too.`);
  const judged: Judged[] = [];
  for (const set of sets) {
    const own = conversations.filter(({ lang }) => lang === set.name);
    if (own.length === 0) continue;
    const asked = [...own, ...controls(set, own)];
    await withIndex(
      builder,
      [set],
      () => true,
      async (search) => {
        for (const one of asked) judged.push(await judge(builder, search, one));
      },
    );
  }
  return summary(judged);
}

/** What an id names besides its number: passages and questions of a topic share it. */
function topicOf(id: string): string {
  return id.slice(0, id.lastIndexOf('-'));
}

/** A set's own questions, each after the history of a conversation on another topic; always the same pairs. */
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
  const { q, history, rewritten } = conversation;
  const find = async (query: string, before?: Turn[]) => {
    const { results, answered } = await search.search({
      query,
      k: 10,
      mode: builder.mode,
      history: before,
    });
    return { ranked: results.map(({ id }) => id), answered };
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
  const first = ({ relevant, found }: Judged, way: Way) => relevant.includes(found[way].ranked[0] ?? '');
  const better = (way: Way, than: Way) => judged.filter((one) => first(one, way) && !first(one, than)).length;
  const [gained, lost] = [better('history', 'alone'), better('alone', 'history')];
  return { gained, lost, p: signTest(gained, lost) };
}

function rowOf(judged: readonly Judged[]): ConversationRow {
  const of = (way: Way): WayScores => {
    const ranks = (cutoff: number) =>
      mean(judged.map(({ found, relevant }) => reciprocalRank(found[way].ranked, new Set(relevant), cutoff)));
    const within = (cutoff: number) =>
      mean(
        judged.map(({ found, relevant }) =>
          found[way].ranked.slice(0, cutoff).some((id) => relevant.includes(id)) ? 1 : 0,
        ),
      );
    const answered = mean(judged.map(({ found }) => (found[way].answered ? 1 : 0)));
    return { r1: within(1), r5: within(5), mrr10: ranks(10), answered };
  };
  return {
    questions: judged.length,
    alone: of('alone'),
    history: of('history'),
    rewritten: of('rewritten'),
  };
}

/** The scores as text, a row a line. */
export function conversationTable({ rows, followUps, standAlone }: ConversationScores): string {
  const columns = (cells: string[]) => cells.map((cell) => cell.padStart(9)).join('');
  const line = ([name, row]: [string, ConversationRow]) => {
    const scores = WAYS.flatMap((way) => [row[way].r1, row[way].r5, row[way].mrr10, row[way].answered]);
    return name.padEnd(16) + columns([String(row.questions), ...scores.map((score) => score.toFixed(3))]);
  };
  const compared = (name: string, { gained, lost, p }: Comparison) =>
    `${name}: ${gained} gained, ${lost} lost (sign test, p = ${p.toPrecision(2)})`;
  return [
    'conversations: the question alone, with its history, rewritten by hand',
    ' '.repeat(16) + columns(['n', ...WAYS.flatMap(() => ['R@1', 'R@5', 'MRR@10', 'answered'])]),
    ...Object.entries(rows).map(line),
    'right passage first, with history against alone',
    compared('  follow-ups', followUps),
    compared('  questions that stand alone', standAlone),
  ].join('\n');
}
