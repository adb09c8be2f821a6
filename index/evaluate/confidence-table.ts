import type { ConfidenceScores } from './calibration.ts';

/** Characters of the column of names. */
const NAMES = 48;

/** A line of a table: its name, and its cell for some scores. */
export type Metric<T> = readonly [name: string, cell: (scores: T) => string];

/** The metrics of confidence. Each share names its denominator. */
export const METRICS: readonly Metric<ConfidenceScores>[] = [
  ['answerable questions', ({ answerable }) => String(answerable.questions)],
  ['right first, of answerable', ({ answerable: a }) => share(a.right, a.questions)],
  ['right and answered, of right first', ({ answerable: a }) => share(a.rightAnswered, a.right)],
  ['right and answered or possible, of right first', ({ answerable: a }) => share(a.rightPossible, a.right)],
  ['right and answered, of answerable', ({ answerable: a }) => share(a.rightAnswered, a.questions)],
  ['wrong and answered, of answerable', ({ answerable: a }) => share(a.wrongAnswered, a.questions)],
  [
    'wrong and answered or possible, of answerable',
    ({ answerable: a }) => share(a.wrongPossible, a.questions),
  ],
  ['unanswerable questions', ({ unanswerable }) => String(unanswerable.questions)],
  ['answered, of unanswerable', ({ unanswerable: u }) => share(u.answered, u.questions)],
  ['answered or possible, of unanswerable', ({ unanswerable: u }) => share(u.possible, u.questions)],
  ['AUROC', ({ auroc }) => auroc?.toFixed(3) ?? '-'],
  ['ECE', ({ ece }) => ece.toFixed(3)],
];

/** Formats scores as text: a column each, and a line per metric. In a title, a comma starts another line. */
export function confidenceTable<T>(
  columns: readonly [title: string, scores: T][],
  metrics: readonly Metric<T>[],
): string {
  const titles = columns.map(([title]) => title.split(', '));
  const width = Math.max(...titles.flat().map(({ length }) => length), 8) + 2;
  const line = (name: string, cells: string[]) =>
    name.padEnd(NAMES) + cells.map((cell) => cell.padStart(width)).join('');
  const headings = Array.from({ length: Math.max(...titles.map(({ length }) => length)) }, (_, i) =>
    line(
      '',
      titles.map((parts) => parts[i] ?? ''),
    ),
  );
  const lines = metrics.map(([name, cell]) =>
    line(
      name,
      columns.map(([, scores]) => cell(scores)),
    ),
  );
  return [...headings, ...lines].join('\n');
}

/** Formats a share with three decimals. Without a denominator, returns a dash. */
export function share(count: number, of: number): string {
  return of === 0 ? '-' : (count / of).toFixed(3);
}
