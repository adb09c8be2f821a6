import type { Search, Turn, Verdict } from '../search/answer.ts';
import { share } from './confidence-report.ts';
import { commonFields, type EvaluationSet, type Question, readItems, stringField } from './set.ts';
import { type Builder, embedQuestions, withIndex } from './temporary-index.ts';

/** A text that asks nothing, such as a greeting. */
interface Phrase extends Question {
  readonly kind: string;
}

/** Counts of phrases by verdict. `possible` counts the verdicts `possible` and `answered`. */
interface VerdictCounts {
  answered: number;
  possible: number;
}

/** The verdicts on some phrases: asked alone, and after a question that the index answers. */
interface SmallTalkRow {
  phrases: number;
  alone: VerdictCounts;
  history: VerdictCounts;
}

interface SmallTalkReport {
  /** All phrases of all sets, and the phrases of each kind. */
  rows: Record<string, SmallTalkRow>;
  /** The answered phrases, each as `SET: ID`. */
  answered: { alone: string[]; history: string[] };
}

interface Judged {
  set: string;
  phrase: Phrase;
  alone: Verdict;
  history: Verdict;
}

/** Reads `phrases.jsonl` from a folder. Throws naming file and line if a field is missing or wrong. */
export function readPhrases(dir: string): Promise<Phrase[]> {
  return readItems(dir, 'phrases.jsonl', (line) => ({
    ...commonFields(line),
    kind: stringField(line, 'kind'),
  }));
}

/** Asks each phrase on each set: alone, and after one of the set's questions and the passage that answers it. */
export async function evaluateSmallTalk(
  builder: Builder,
  sets: readonly EvaluationSet[],
  phrases: readonly Phrase[],
): Promise<SmallTalkReport> {
  const judged: Judged[] = [];
  for (const set of sets) {
    await withIndex(builder, [set], async (search) => {
      const exchanges = exchangesOf(set);
      await embedQuestions(builder, phrases);
      for (const [i, phrase] of phrases.entries()) {
        const history = exchanges[(i * 7919) % exchanges.length];
        judged.push({
          set: set.name,
          phrase,
          alone: await verdict(builder, search, phrase),
          history: await verdict(builder, search, phrase, history),
        });
      }
    });
  }
  return reportOf(judged);
}

/** A conversation for each question of a set that has an answer. */
function exchangesOf({ passages, queries }: EvaluationSet): Turn[][] {
  const texts = new Map(passages.map(({ id, text }) => [id, text]));
  return queries.flatMap(({ text, relevant }): Turn[][] => {
    const answer = texts.get(relevant[0] ?? '');
    if (answer === undefined) return [];
    return [
      [
        { role: 'user', content: text },
        { role: 'assistant', content: answer },
      ],
    ];
  });
}

async function verdict(
  { mode }: Builder,
  search: Search,
  { text }: Phrase,
  history: Turn[] = [],
): Promise<Verdict> {
  return (await search.search({ q: text, k: 1, mode, history })).verdict;
}

function reportOf(judged: readonly Judged[]): SmallTalkReport {
  const kinds = [...new Set(judged.map(({ phrase }) => phrase.kind))];
  const byKind = kinds.map((kind): [string, SmallTalkRow] => [
    kind,
    rowOf(judged.filter(({ phrase }) => phrase.kind === kind)),
  ]);
  const answered = (form: 'alone' | 'history') =>
    judged.filter((one) => one[form] === 'answered').map(({ set, phrase }) => `${set}: ${phrase.id}`);
  return {
    rows: { all: rowOf(judged), ...Object.fromEntries(byKind) },
    answered: { alone: answered('alone'), history: answered('history') },
  };
}

function rowOf(judged: readonly Judged[]): SmallTalkRow {
  const counts = (form: 'alone' | 'history'): VerdictCounts => ({
    answered: judged.filter((one) => one[form] === 'answered').length,
    possible: judged.filter((one) => one[form] !== 'none').length,
  });
  return { phrases: judged.length, alone: counts('alone'), history: counts('history') };
}

/** Formats the shares as text, a line per kind. */
export function smallTalkTable({ rows }: SmallTalkReport): string {
  const line = (name: string, cells: string[]) =>
    name.padEnd(16) + cells.map((cell) => cell.padStart(12)).join('');
  return [
    'small talk: the phrase alone, and after a question with its answer',
    line('', ['n', 'answered', 'or possible', 'answered', 'or possible']),
    ...Object.entries(rows).map(([name, { phrases, alone, history }]) =>
      line(name, [
        String(phrases),
        ...[alone, history].flatMap((one) => [share(one.answered, phrases), share(one.possible, phrases)]),
      ]),
    ),
  ].join('\n');
}
