import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { type ConfidenceScores, reliabilityBins } from '../../../index/evaluate/calibration.ts';
import { reliabilityDiagrams } from '../../../index/evaluate/confidence-report.ts';

/** Prints the root's name, its texts and its numbers of bars, read by an independent XML parser. */
const PARSE = `
import sys, json, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
svg = "{http://www.w3.org/2000/svg}"
print(json.dumps([root.tag, [text.text for text in root.iter(svg + "text")], [float(bar.get("height")) for bar in root.iter(svg + "rect") if bar.get("class") == "bar"]]))`;

function parsed(svg: string): { root: string; texts: string[]; bars: number[] } {
  const printed = execFileSync('python3', ['-c', PARSE], { input: svg, encoding: 'utf8' });
  const [root, texts, bars] = JSON.parse(printed) as [string, string[], number[]];
  return { root, texts, bars };
}

const scores: ConfidenceScores = {
  answerable: {
    questions: 60,
    right: 3,
    rightAnswered: 1,
    rightPossible: 1,
    wrongAnswered: 0,
    wrongPossible: 0,
  },
  unanswerable: { questions: 40, answered: 0, possible: 0 },
  ece: 0.1234,
  bins: reliabilityBins([0.05, 0.5, 0.5, 0.5, 0.5, 1], [false, true, true, true, false, true]),
};

test('a diagram is XML with a panel per title: axes, the share right of each bin, and its count', () => {
  const { root, texts, bars } = parsed(
    reliabilityDiagrams([
      ['within, <articles> & "more"', scores],
      ['across', { ...scores, bins: [] }],
    ]),
  );
  expect(root).toBe('{http://www.w3.org/2000/svg}svg');
  expect(texts).toEqual(
    expect.arrayContaining(['within, <articles> & "more"', 'across', '100 questions, ECE 0.123']),
  );
  for (const label of ['confidence', 'share right', '0', '0.2', '1'])
    expect(texts.filter((text) => text === label).length, label).toBeGreaterThanOrEqual(2);
  expect(texts.filter((text) => text === '4')).toHaveLength(1);
  // The bins have shares of 0, 3/4 and 1.
  expect(bars).toHaveLength(3);
  expect(bars[0]).toBe(0);
  expect(bars[1]! / bars[2]!).toBeCloseTo(0.75, 3);
});

test('perfect confidence puts each dot on the diagonal', () => {
  const bins = [0, 0.25, 0.8, 1].map((share) => ({
    from: share,
    to: share,
    count: 1,
    confidence: share,
    right: share,
  }));
  const svg = reliabilityDiagrams([['perfect', { ...scores, bins }]]);
  const [x1, y1, x2, y2] = /class="ideal" x1="(.+?)" y1="(.+?)" x2="(.+?)" y2="(.+?)"/
    .exec(svg)!
    .slice(1)
    .map(Number) as [number, number, number, number];
  const dots = [...svg.matchAll(/class="dot" cx="(.+?)" cy="(.+?)"/g)];
  expect(dots).toHaveLength(4);
  for (const [i, [, cx, cy]] of dots.entries()) {
    expect(Number(cx)).toBeCloseTo(x1 + (x2 - x1) * bins[i]!.right, 1);
    expect(Number(cy)).toBeCloseTo(y1 + (y2 - y1) * bins[i]!.right, 1);
  }
});

test('panels do not overlap, and are inside the picture', () => {
  for (const count of [1, 2, 3, 4]) {
    const svg = reliabilityDiagrams(Array.from({ length: count }, (_, i) => [`panel ${i}`, scores]));
    const [width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.slice(1).map(Number) as [number, number];
    const places = Array.from(svg.matchAll(/<g transform="translate\((\d+) (\d+)\)">/g), ([, x, y]) => ({
      x: Number(x),
      y: Number(y),
    }));
    expect(new Set(places.map(({ x, y }) => `${x} ${y}`)).size).toBe(count);
    for (const { x, y } of places) {
      expect(x + 340).toBeLessThanOrEqual(width);
      expect(y + 400).toBeLessThanOrEqual(height);
    }
  }
});
