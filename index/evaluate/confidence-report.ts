import { nearTopic, type Outcome, unanswerable } from './outcomes.ts';
import { auroc, mean } from './retrieval-metrics.ts';
import type { EvaluationSet, Question } from './set.ts';
import type { Builder } from './temporary-index.ts';

/** Across languages, every third question is asked. Each set has several questions per passage, so this samples every article. */
const STRIDE = 3;

/** How questions become unanswerable: without every second article, or without only the passages that answer them. */
const PROTOCOLS = { articlesOut: unanswerable, nearTopic };
const TITLES = { articlesOut: 'articles out', nearTopic: 'near topic' };
type Protocol = keyof typeof PROTOCOLS;

/** Scores of questions on the passages of their own set, and of questions of every other set. */
interface ProtocolScores {
  within: ConfidenceScores;
  across?: ConfidenceScores;
}

type ConfidenceReport = Record<Protocol, ProtocolScores>;

/**
 * Scores the confidence of the sets' questions, of which about half have no answer in the index.
 * @param cross also ask a third of the questions of each set on the passages of every other set
 */
export async function evaluateConfidence(
  builder: Builder,
  sets: readonly EvaluationSet[],
  cross: boolean,
): Promise<ConfidenceReport> {
  const evaluate = async (protocol: Protocol): Promise<ProtocolScores> => {
    const within: Outcome[] = [];
    const across: Outcome[] = [];
    for (const set of sets) {
      const others = cross ? sets.filter((other) => other !== set) : [];
      const foreign = others.flatMap(({ queries }) => queries.filter((_, i) => i % STRIDE === 0));
      const own = new Set<Question>(set.queries);
      for (const outcome of await PROTOCOLS[protocol](builder, set, [...set.queries, ...foreign]))
        (own.has(outcome.question) ? within : across).push(outcome);
    }
    return {
      within: confidenceScores(within),
      ...(across.length > 0 && { across: confidenceScores(across) }),
    };
  };
  return { articlesOut: await evaluate('articlesOut'), nearTopic: await evaluate('nearTopic') };
}

/** The scores of a report by title, in the order of their columns. */
export function scoresByTitle(report: ConfidenceReport): [title: string, scores: ConfidenceScores][] {
  const protocols = Object.keys(TITLES) as Protocol[];
  return protocols.flatMap((protocol) =>
    Object.entries(report[protocol]).map(([kind, scores]): [string, ConfidenceScores] => [
      `${kind}, ${TITLES[protocol]}`,
      scores,
    ]),
  );
}

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

/** Sides of a panel and of its square plot, in pixels. */
const PANEL = { width: 340, height: 400 };
const PLOT = { left: 56, top: 92, size: 260 };
const COLUMNS = 2;
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

/**
 * Draws reliability diagrams as one SVG document, a panel each. A bar is the share of right results among the first results of a
 * bin, and its dot is at the bin's mean confidence. Perfect confidence puts every dot on the diagonal. The number of results is
 * above each bar. The colors follow the reader's light or dark system theme.
 */
export function reliabilityDiagrams(panels: readonly [title: string, scores: ConfidenceScores][]): string {
  const width = PANEL.width * Math.min(COLUMNS, panels.length);
  const height = PANEL.height * Math.ceil(panels.length / COLUMNS);
  const drawn = panels.map(([title, scores], i) => {
    const [x, y] = [PANEL.width * (i % COLUMNS), PANEL.height * Math.floor(i / COLUMNS)];
    return `<g transform="translate(${x} ${y})">\n${panel(title, scores).join('\n')}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Reliability of confidence">
<style>${STYLE}</style>
<rect class="page" width="${width}" height="${height}"/>
${drawn.join('\n')}
</svg>
`;
}

const STYLE =
  'text{font:11px system-ui,sans-serif;fill:#595959}.title{font-size:14px;font-weight:600;fill:#1a1a1a}.page{fill:#fff}' +
  '.grid{stroke:#e0e0e0}.ideal{stroke:#595959;stroke-dasharray:4 4}.bar{fill:#0072b2;fill-opacity:.35}.dot{fill:#0072b2}' +
  '@media (prefers-color-scheme:dark){text{fill:#a8a8a8}.title{fill:#f0f0f0}.page{fill:#0d1117}.grid{stroke:#333}' +
  '.ideal{stroke:#a8a8a8}.bar,.dot{fill:#56b4e9}}';

const x = (confidence: number) => px(PLOT.left + confidence * PLOT.size);
const y = (share: number) => px(PLOT.top + (1 - share) * PLOT.size);

function panel(title: string, { answerable, unanswerable, ece, bins }: ConfidenceScores): string[] {
  const questions = answerable.questions + unanswerable.questions;
  const middle = PLOT.left + PLOT.size / 2;
  return [
    `<text class="title" x="16" y="24">${escaped(title)}</text>`,
    `<text x="16" y="42">${questions} questions, ECE ${ece.toFixed(3)}</text>`,
    ...TICKS.flatMap((tick) => [
      `<line class="grid" x1="${x(0)}" x2="${x(1)}" y1="${y(tick)}" y2="${y(tick)}"/>`,
      `<text x="${x(0) - 8}" y="${y(tick) + 4}" text-anchor="end">${tick}</text>`,
      `<text x="${x(tick)}" y="${y(0) + 16}" text-anchor="middle">${tick}</text>`,
    ]),
    ...bins.flatMap(({ from, to, count, right }) => [
      `<rect class="bar" x="${px(x(from) + 1)}" y="${y(right)}" width="${px(x(to) - x(from) - 2)}" height="${px(y(0) - y(right))}"/>`,
      `<text transform="translate(${px((x(from) + x(to)) / 2 + 4)} ${PLOT.top - 6}) rotate(-90)">${count}</text>`,
    ]),
    `<line class="ideal" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/>`,
    ...bins.map(
      ({ count, confidence, right }) =>
        `<circle class="dot" cx="${x(confidence)}" cy="${y(right)}" r="3"><title>confidence ${confidence.toFixed(3)}, right ${right.toFixed(3)}, ${count} results</title></circle>`,
    ),
    `<text x="${middle}" y="${y(0) + 36}" text-anchor="middle">confidence</text>`,
    `<text transform="translate(16 ${PLOT.top + PLOT.size / 2}) rotate(-90)" text-anchor="middle">share right</text>`,
  ];
}

function px(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** Bins of equal width for the expected calibration error, as in Guo et al. 2017. */
const BINS = 15;

/** The results with a confidence from `from` to below `to` (the last bin includes 1). */
export interface Bin {
  from: number;
  to: number;
  /** Number of results, at least 1. */
  count: number;
  /** Their mean confidence. */
  confidence: number;
  /** The share of right results. */
  right: number;
}

/** Counts of questions, by the verdict on their first result. `possible` counts the verdicts `possible` and `answered`. */
export interface ConfidenceScores {
  answerable: {
    questions: number;
    /** Questions whose first result is right. */
    right: number;
    rightAnswered: number;
    rightPossible: number;
    wrongAnswered: number;
    wrongPossible: number;
  };
  unanswerable: { questions: number; answered: number; possible: number };
  /** How well confidence separates answerable from unanswerable questions. Undefined if one kind is missing. */
  auroc?: number;
  /** Expected calibration error: how far the confidence of first results is from the share that is right. */
  ece: number;
  /** The bins that are not empty. */
  bins: Bin[];
}

/**
 * Divides results into bins of equal width by their confidence, 0 to 1. `right[i]` belongs to `confidences[i]`. Omits empty bins.
 * A reliability diagram shows the share of right results in each bin against their mean confidence (DeGroot and Fienberg 1983, The
 * Comparison and Evaluation of Forecasters).
 */
export function reliabilityBins(
  confidences: readonly number[],
  right: readonly boolean[],
  bins = BINS,
): Bin[] {
  return Array.from({ length: bins }, (_, bin) => {
    const inside = [...confidences.keys()].filter((i) => binOf(confidences[i]!, bins) === bin);
    if (inside.length === 0) return [];
    return {
      from: bin / bins,
      to: (bin + 1) / bins,
      count: inside.length,
      confidence: mean(inside.map((i) => confidences[i]!)),
      right: mean(inside.map((i) => Number(right[i]))),
    };
  }).flat();
}

const binOf = (confidence: number, bins: number) => Math.min(bins - 1, Math.floor(confidence * bins));

/**
 * The expected calibration error, 0 to 1: the mean distance between confidence and share of right results, over bins weighted by their
 * number of results (Guo et al. 2017, On Calibration of Modern Neural Networks).
 */
export function expectedCalibrationError(bins: readonly Bin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  return bins.reduce(
    (sum, { count, confidence, right }) => sum + (count / total) * Math.abs(right - confidence),
    0,
  );
}

/** Scores the confidence of at least one outcome. */
export function confidenceScores(outcomes: readonly Outcome[]): ConfidenceScores {
  const [answerable, others] = [true, false].map((kind) =>
    outcomes.filter((one) => one.answerable === kind),
  ) as [Outcome[], Outcome[]];
  const [right, wrong] = [true, false].map((kind) => answerable.filter((one) => one.correct === kind)) as [
    Outcome[],
    Outcome[],
  ];
  const confidences = (some: readonly Outcome[]) => some.map(({ confidence }) => confidence);
  const bins = reliabilityBins(
    confidences(outcomes),
    outcomes.map(({ correct }) => correct),
  );
  return {
    answerable: {
      questions: answerable.length,
      right: right.length,
      rightAnswered: answered(right),
      rightPossible: possible(right),
      wrongAnswered: answered(wrong),
      wrongPossible: possible(wrong),
    },
    unanswerable: { questions: others.length, answered: answered(others), possible: possible(others) },
    ...(answerable.length > 0 &&
      others.length > 0 && { auroc: auroc(confidences(answerable), confidences(others)) }),
    ece: expectedCalibrationError(bins),
    bins,
  };
}

const answered = (outcomes: readonly Outcome[]) =>
  outcomes.filter(({ verdict }) => verdict === 'answered').length;
const possible = (outcomes: readonly Outcome[]) =>
  outcomes.filter(({ verdict }) => verdict !== 'none').length;
