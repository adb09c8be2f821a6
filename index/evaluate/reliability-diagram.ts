import type { ConfidenceScores } from './calibration.ts';

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
