import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/index.ts';
import type { Figure } from './figures.ts';
import { comparison, markdown, type Results, results, save } from './report.ts';

const run = (value: number): Results => {
  const figures: Figure[] = [{ name: 'cold start against another', value, unit: 'ratio', goal: 1 / 14 }];
  const tables = [{ title: 'Starts', head: ['', 'ms'], rows: [['polyseek', '1 ms (1-2)']] }];
  return results([{ name: 'cold', figures, tables, measured: { runs: [1] }, charts: { curve: '<svg/>' } }]);
};

test('a report contains the machine and versions, then figures with goals, then tables', () => {
  const lines = markdown(run(1 / 16)).split('\n');
  expect(lines[0]).toContain(process.version);
  expect(lines[0]).toContain('onnxruntime-node 1.14.0, hnswlib-node 3.0.0, @xenova/transformers 2.17.2');
  expect(lines).toContain('| cold start against another | 1/16 | <= 1/14 | reached |');
  expect(lines).toContain('| polyseek | 1 ms (1-2) |');
});

test('a run is saved in files with its date, and a later run is compared with it', () => {
  const folder = temporaryFolder();
  const before = run(1 / 16);
  const files = save(before, 'cold', join(folder, 'results'));
  const date = before.date.slice(0, 10);
  expect(files.map((file) => basename(file))).toEqual([`${date}-cold.json`, `${date}-curve.svg`]);
  expect(readFileSync(files[1]!, 'utf8')).toBe('<svg/>');
  expect(JSON.parse(readFileSync(files[0]!, 'utf8')).sections[0].measured).toEqual({ runs: [1] });
  expect(comparison(files[0]!, run(1 / 8))).toContain(
    '| cold start against another | 1/16 | 1/8 | 2.00 | worse |',
  );
  expect(comparison(files[0]!, run(1 / 16))).toContain(
    '| cold start against another | 1/16 | 1/16 | 1.00 |  |',
  );
});
