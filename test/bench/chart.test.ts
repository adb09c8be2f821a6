import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Chart, lineChart } from './chart.ts';

const chart: Chart = {
  title: 'Bytes & "passages" <1>',
  xLabel: 'passages',
  yLabel: 'KB',
  series: [
    {
      name: 'a',
      points: [
        [1000, 2],
        [10_000, 3],
        [100_000, 4],
      ],
    },
    {
      name: 'b',
      points: [
        [1000, 2],
        [10_000, 2],
        [100_000, 3.9],
      ],
    },
  ],
};

/** Prints the root's name and its texts, read by an independent XML parser. */
const PARSE = `
import sys, json, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
print(json.dumps([root.tag, root.get("aria-label"), [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]]))`;

/** The centers of the dots. */
function dots(svg: string): { x: number; y: number }[] {
  return Array.from(svg.matchAll(/<circle [^>]*cx="([^"]+)" cy="([^"]+)"/g), ([, x, y]) => ({
    x: Number(x),
    y: Number(y),
  }));
}

test('a chart is XML with a title, axes, ticks and line names', () => {
  const printed = execFileSync('python3', ['-c', PARSE], { input: lineChart(chart), encoding: 'utf8' });
  const [root, label, texts] = JSON.parse(printed) as [string, string, string[]];
  expect(root).toBe('{http://www.w3.org/2000/svg}svg');
  expect(label).toBe(chart.title);
  for (const text of [chart.title, 'passages', 'KB', 'a', 'b', '1,000', '10,000', '100,000', '0', '4'])
    expect(texts).toContain(text);
});

test('the x axis is logarithmic, and y grows upwards', () => {
  const [first, second, third] = dots(lineChart(chart)) as [
    { x: number; y: number },
    { x: number; y: number },
    { x: number; y: number },
  ];
  expect(second.x - first.x).toBeCloseTo(third.x - second.x, 0);
  expect(first.y - second.y).toBeCloseTo(second.y - third.y, 0);
  expect(second.y).toBeLessThan(first.y);
});

test('every point, line and name is inside the picture for any numbers', () => {
  // Values near the smallest double have no ticks between them.
  const value = fc.double({ min: 0, max: 1e9, noNaN: true }).map((drawn) => (drawn < 1e-9 ? 0 : drawn));
  const point = fc.tuple(fc.integer({ min: 1, max: 1e6 }), value);
  const points = fc.uniqueArray(point, { minLength: 1, maxLength: 8, selector: ([x]) => x });
  fc.assert(
    fc.property(fc.array(points, { minLength: 1, maxLength: 4 }), (all) => {
      const series = all.map((some, i) => ({ name: `s${i}`, points: some.toSorted(([a], [b]) => a - b) }));
      const svg = lineChart({ ...chart, series });
      const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number);
      const texts = Array.from(svg.matchAll(/<text [^>]*x="([^"]+)" y="([^"]+)"/g), ([, x, y]) => ({
        x: Number(x),
        y: Number(y),
      }));
      expect(dots(svg)).toHaveLength(all.flat().length);
      for (const { x, y } of [...dots(svg), ...texts]) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThanOrEqual(width!);
        expect(y).toBeGreaterThanOrEqual(0);
        expect(y).toBeLessThanOrEqual(height!);
      }
    }),
  );
});
