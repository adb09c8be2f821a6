/** A line of a chart. */
export interface Series {
  name: string;
  /** Points in order of x, in the units of the axes. */
  points: readonly (readonly [x: number, y: number])[];
}

/** A line chart with a logarithmic x axis. */
export interface Chart {
  title: string;
  xLabel: string;
  /** Includes the unit. */
  yLabel: string;
  series: readonly Series[];
  /** Start of the y axis; 0 by default. */
  yMin?: number;
}

const [WIDTH, HEIGHT] = [640, 340];
const PLOT = { left: 64, right: 500, top: 60, bottom: 284 };
/** Line colors on white and on black, distinguishable by color-blind readers too (after Wong 2011, Nature Methods 8:441). */
const COLORS = [
  ['#0072b2', '#56b4e9'],
  ['#b84a00', '#e69f00'],
  ['#00805c', '#2fd0a0'],
  ['#9c4a7d', '#e39cc6'],
] as const;
/** Minimum distance in pixels between the names at the ends of lines. */
const NAME_HEIGHT = 15;

/** Draws a chart of at most 4 series as an SVG document. Its colors follow the reader's light or dark system theme. */
export function lineChart({ title, xLabel, yLabel, series, yMin = 0 }: Chart): string {
  const all = series.flatMap(({ points }) => points);
  const xs = [...new Set(all.map(([x]) => x))].sort((a, b) => a - b);
  const ticks = niceTicks(yMin, Math.max(...all.map(([, y]) => y)));
  const x = scale(Math.log(xs[0]!), Math.log(xs.at(-1)!), PLOT.left, PLOT.right);
  const y = scale(ticks[0]!, ticks.at(-1)!, PLOT.bottom, PLOT.top);
  const at = ([a, b]: readonly [number, number]) => [x(Math.log(a)), y(b)] as const;
  const names = spreadOut(series.map(({ points }) => at(points.at(-1)!)[1]));
  const grid = ticks.flatMap((tick) => [
    `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${px(y(tick))}" y2="${px(y(tick))}"/>`,
    `<text class="tick" x="${PLOT.left - 8}" y="${px(y(tick) + 4)}" text-anchor="end">${number(tick)}</text>`,
  ]);
  const columns = xs.map(
    (value) =>
      `<text class="tick" x="${px(x(Math.log(value)))}" y="${PLOT.bottom + 18}" text-anchor="middle">${number(value)}</text>`,
  );
  const lines = series.flatMap(({ name, points }, i) => [
    `<polyline class="line c${i}" points="${points.map((point) => at(point).map(px).join()).join(' ')}"/>`,
    ...points.map((point) => {
      const [cx, cy] = at(point).map(px);
      return `<circle class="dot c${i}" cx="${cx}" cy="${cy}" r="3"><title>${escaped(`${number(point[0])}: ${number(point[1])}`)}</title></circle>`;
    }),
    `<text class="name c${i}" x="${PLOT.right + 10}" y="${px(names[i]! + 4)}">${escaped(name)}</text>`,
  ]);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}</style>
<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>
<text class="title" x="16" y="24">${escaped(title)}</text>
<text class="tick" x="16" y="40">${escaped(yLabel)}</text>
${[...grid, ...columns, ...lines].join('\n')}
<text class="tick" x="${(PLOT.left + PLOT.right) / 2}" y="${HEIGHT - 16}" text-anchor="middle">${escaped(xLabel)}</text>
</svg>
`;
}

const colors = (which: 0 | 1) =>
  COLORS.map(
    (pair, i) => `.line.c${i}{stroke:${pair[which]}}.dot.c${i},.name.c${i}{fill:${pair[which]}}`,
  ).join('');

const STYLE =
  'text{font:12px system-ui,sans-serif}.title{font-size:14px;font-weight:600;fill:#1a1a1a}.tick{fill:#595959}.page{fill:#fff}' +
  `.grid{stroke:#e0e0e0}.line{fill:none;stroke-width:2}${colors(0)}` +
  `@media (prefers-color-scheme:dark){.page{fill:#0d1117}.title{fill:#f0f0f0}.tick{fill:#a8a8a8}.grid{stroke:#333}${colors(1)}}`;

/** Returns four to seven round numbers from the minimum to at least the maximum. */
function niceTicks(least: number, most: number): number[] {
  const span = most - least || 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= 6)!;
  const first = Math.floor(least / step);
  const last = Math.max(first + 1, Math.ceil(most / step));
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** Returns the positions of names. Overlapping names move up, because the axis is below. */
function spreadOut(places: readonly number[]): number[] {
  const moved = [...places];
  const order = places.map((_, i) => i).sort((a, b) => places[b]! - places[a]!);
  for (const [n, i] of order.entries())
    if (n > 0) moved[i] = Math.min(moved[i]!, moved[order[n - 1]!]! - NAME_HEIGHT);
  return moved;
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  const span = to - from || 1;
  return (value) => start + ((value - from) / span) * (end - start);
}

function px(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Formats a number with commas and few digits. */
function number(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 4 });
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
