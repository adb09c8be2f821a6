import { type Chart, lineChart } from './chart.ts';
import { indexBytes } from './index.ts';
import type { Table } from './report.ts';
import type { Size } from './scale.ts';

/** All measurements of scale, one row for each size. */
export function scaleTable(sizes: readonly Size[]): Table {
  return {
    title: 'By size: build in seconds on all cores, the rest on one core',
    head: [
      'passages',
      'texts',
      'embedding',
      'cutting',
      'graph and files',
      'KB a passage',
      'recall@10',
      'cold start',
      'peak RSS',
      'p50, p99',
    ],
    rows: sizes.map(({ passages, texts, build, bytes, recall, cold, warm }) => [
      String(passages),
      String(texts),
      ...[build.embedding, build.cutting, build.graph].map((seconds) => `${seconds.toFixed(1)} s`),
      (indexBytes(bytes) / 1000).toFixed(2),
      recall.toFixed(3),
      `${cold.ms.toFixed(0)} ms`,
      `${cold.mb.toFixed(0)} MB`,
      `${warm.p50.toFixed(1)} ms, ${warm.p99.toFixed(1)} ms`,
    ]),
  };
}

/** One chart for each measurement, by file name. */
export function scaleCharts(sizes: readonly Size[]): Record<string, string> {
  const line = (name: string, value: (size: Size) => number) => ({
    name,
    points: sizes.map((size) => [size.passages, value(size)] as const),
  });
  const charts: Record<string, Omit<Chart, 'xLabel'>> = {
    build: {
      title: 'Build time',
      yLabel: 'seconds, all cores',
      series: [
        line('embedding', ({ build }) => build.embedding),
        line('graph and files', ({ build }) => build.graph),
        line('cutting', ({ build }) => build.cutting),
      ],
    },
    bytes: {
      title: 'Index size without the text',
      yLabel: 'KB a passage',
      series: [
        line('all', ({ bytes }) => indexBytes(bytes) / 1000),
        ...largestFiles(sizes).map((name) => line(name, ({ bytes }) => (bytes[name] ?? 0) / 1000)),
      ],
    },
    cold: {
      title: 'Cold start, spawn to first answer',
      yLabel: 'milliseconds, one core, median',
      series: [line('cold start', ({ cold }) => cold.ms)],
    },
    memory: {
      title: 'Peak memory at the first answer',
      yLabel: 'MB of RSS, median',
      series: [line('memory', ({ cold }) => cold.mb)],
    },
    latency: {
      title: 'Warm answers to questions of 12 tokens',
      yLabel: 'milliseconds, one core',
      series: [line('p50', ({ warm }) => warm.p50), line('p99', ({ warm }) => warm.p99)],
    },
    recall: {
      title: 'Recall@10 of the graph against exact search',
      yLabel: 'share of the ten nearest',
      yMin: Math.min(0.9, ...sizes.map(({ recall }) => recall)),
      series: [line('recall@10', ({ recall }) => recall)],
    },
  };
  return Object.fromEntries(
    Object.entries(charts).map(([name, chart]) => [
      `scale-${name}`,
      lineChart({ ...chart, xLabel: 'passages' }),
    ]),
  );
}

/** The three largest files of the largest index, without the text. */
function largestFiles(sizes: readonly Size[]): string[] {
  return Object.entries(sizes.at(-1)!.bytes)
    .filter(([name]) => !name.startsWith('passages'))
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([name]) => name);
}
