import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readManifest } from '../../index/format/manifest.ts';
import { defaultModel, temporaryFolder } from '../fixtures/index.ts';
import type { SameFolderReport } from '../fixtures/same-folder-process.ts';

const PROCESSES = 20;
/** Of each process. In a round it opens the index eight times and builds it once. */
const ROUNDS = 3;

test(`${PROCESSES} processes build into the same folder, and open it, without an error or a mixed answer`, async () => {
  const folder = temporaryFolder();
  const index = join(folder, 'index');
  const { dir, model } = defaultModel();
  const path = fileURLToPath(new URL('../fixtures/same-folder-process.ts', import.meta.url));
  const reports = await Promise.all(
    Array.from({ length: PROCESSES }, async (_, edition) => {
      const child = fork(path, [index, dir, String(edition), String(ROUNDS)], {
        execArgv: ['--import', import.meta.resolve('tsx')],
      });
      const [report] = (await once(child, 'message')) as [SameFolderReport];
      return report;
    }),
  );
  expect(reports.flatMap(({ problems }) => problems)).toEqual([]);
  const sum = (key: 'builds' | 'opens') => reports.reduce((total, report) => total + report[key], 0);
  expect([sum('builds'), sum('opens')]).toEqual([PROCESSES * (ROUNDS + 1), PROCESSES * (8 * ROUNDS + 1)]);
  expect(readdirSync(folder)).toEqual(['index']);
  readManifest(index, model, true);
}, 300_000);
