import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { POSSIBLE } from '../../index/search/confidence.ts';
import { FEATURES } from '../../index/search/evidence.ts';
import { ANSWERED } from '../../index/search/limits.ts';
import { attackTable, buildCost, costTable, extrasTable } from '../../infra/cost.ts';
import { launchTable, scalingTable } from '../../infra/scaling.ts';
import { root } from '../fixtures/index.ts';
import { readPage, tableUnder } from './pages.ts';

describe('the cost table', () => {
  test('of docs/operating.md equals the computed costs', () => {
    expect(readPage('docs/operating.md').text).toContain(`\n\n${costTable()}\n\n`);
    expect(readPage('docs/operating.md').text).toContain(`\n\n${extrasTable()}\n\n`);
  });

  test('of README.md equals its first row', () => {
    const first = costTable().split('\n').slice(0, 3).join('\n');
    expect(readPage('README.md').text).toContain(`\n\n${first}\n\n`);
  });
});

test('docs/automatic-builds.md has the computed prices of builds', () => {
  const rows = tableUnder(readPage('docs/automatic-builds.md'), 'Price');
  const seconds = { '20 seconds': 20, '1 minute': 60, '15 minutes, the longest': 900 };
  const price = (time: number, architecture: 'x86_64' | 'arm64') =>
    `$${buildCost(time, 3008, architecture).toFixed(4)}`;
  expect(rows.slice(0, 3)).toEqual(
    Object.entries(seconds).map(([name, time]) => [name, price(time, 'x86_64'), price(time, 'arm64')]),
  );
});

test('docs/security.md has the computed costs of attacks', () => {
  expect(readPage('docs/security.md').text).toContain(`\n\n${attackTable()}\n\n`);
});

test('the tables of docs/scaling.md equal the computed costs', () => {
  const { text } = readPage('docs/scaling.md');
  expect(text).toContain(`\n\n${scalingTable()}\n\n`);
  expect(text).toContain(`\n\n${launchTable()}\n\n`);
});

interface Results {
  sections: { tables: { rows: string[][] }[] }[];
}

describe('the tables of docs/benchmarks.md', () => {
  const folder = join(root, 'test/bench/results');
  const { text } = readPage('docs/benchmarks.md');
  const [, date = ''] = /^\| date \| (\S+) \|$/m.exec(text) ?? [];
  const names = readdirSync(folder).filter((name) => name.startsWith(date) && name.endsWith('.json'));

  test.each(names)('contain every row of %s', (name) => {
    const { sections } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Results;
    const rows = sections.flatMap(({ tables }) => tables.flatMap((table) => table.rows));
    expect(rows.length).toBeGreaterThan(0);
    const lines = text.split('\n');
    expect(rows.map((row) => `| ${row.join(' | ')} |`).filter((line) => !lines.includes(line))).toEqual([]);
  });
});

test('docs/confidence.md lists the features of a confidence and the thresholds of the verdicts', () => {
  const page = readPage('docs/confidence.md');
  const features = tableUnder(page, 'How it is computed').map(([name]) => name);
  expect(features).toEqual([...FEATURES]);
  expect(page.text).toContain(`| at least ${ANSWERED}, or`);
  expect(page.text).toContain(`| at least ${POSSIBLE} |`);
});
