import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FEATURES, POSSIBLE } from '../../index/search/confidence.ts';
import { ANSWERED } from '../../index/search/limits.ts';
import { root } from '../fixtures/index.ts';
import { readPage, tableUnder } from './pages.ts';

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
