import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FORMATS } from '../../index/documents/formats.ts';
import { FEATURES, POSSIBLE } from '../../index/search/confidence.ts';
import { ANSWERED } from '../../index/search/limits.ts';
import { root } from '../fixtures/index.ts';
import { readPage, tableUnder } from './pages.ts';

interface Results {
  sections: { tables: { rows: string[][] }[] }[];
}

describe('the tables of docs/internals/benchmarks.md', () => {
  const folder = join(root, 'test/bench/results');
  const lines = readPage('docs/internals/benchmarks.md').text.split('\n');
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  // Names begin with the date, so the last of a part is the newest.
  const newest = [...new Map(names.sort().map((name) => [name.slice('2026-01-01-'.length), name])).values()];

  test.each(newest)('contain every row of %s', (name) => {
    const { sections } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Results;
    const rows = sections.flatMap(({ tables }) => tables.flatMap((table) => table.rows));
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.map((row) => `| ${row.join(' | ')} |`).filter((line) => !lines.includes(line))).toEqual([]);
  });
});

test('README.md has the newest cold start and peak memory', () => {
  const folder = join(root, 'test/bench/results');
  const name = readdirSync(folder).findLast((name) => name.endsWith('-cold.json'))!;
  const { sections } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Results;
  const cells = new Map(sections[0]!.tables[0]!.rows.map(([system = '', ...cells]) => [system, cells]));
  const [ms, , mb] = cells.get('polyseek')!;
  const [, plainMs, , plainMb] = [...cells].find(([system]) => system.startsWith('plain'))![1];
  const { text } = readPage('README.md');
  const median = (cell = '') => cell.replace(/ \(.*/, '');
  expect(text).toContain(`| ${median(ms)}, ${plainMs} |`);
  expect(text).toContain(`| ${median(mb)}, ${plainMb} |`);
  expect(text).toContain(`Measured on ${name.slice(0, 10)} `);
});

test('docs/comparison.md counts the formats', () => {
  expect(readPage('docs/comparison.md').text).toContain(`[${FORMATS.length}](documents.md)`);
});

test('docs/confidence.md lists the features of a confidence and the thresholds of the verdicts', () => {
  const page = readPage('docs/confidence.md');
  const features = tableUnder(page, 'How it is computed').map(([name]) => name);
  expect(features).toEqual([...FEATURES]);
  expect(page.text).toContain(`| at least ${ANSWERED}, or`);
  expect(page.text).toContain(`| at least ${POSSIBLE} |`);
});
