import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/index.ts';
import { finished } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';
import { DRIVER, prepare, run, TARGETS } from './fuzzer.ts';
import { instrument } from './instrument.ts';

/** Enough to find most of what a change breaks. `npm run fuzz` makes longer runs. */
const INPUTS = 10_000;

describe.skipIf(missingTools('clang++-14'))('libFuzzer', () => {
  beforeAll(() => prepare(TARGETS), 300_000);

  test.concurrent.each(TARGETS)(
    `finds no defect in %s within ${INPUTS} inputs`,
    { timeout: 900_000 },
    async (target) => {
      const { inputs, features, finding } = await run(target, { inputs: INPUTS, seed: 1, keep: false });
      expect(finding).toBeUndefined();
      expect(inputs).toBeGreaterThanOrEqual(INPUTS);
      expect(features).toBeGreaterThan(1);
    },
  );

  test('finds a defect behind four comparisons, and reports its input', async () => {
    const folder = temporaryFolder();
    const [entry, bundle] = [join(folder, 'planted.ts'), join(folder, 'planted.mjs')];
    writeFileSync(
      entry,
      `const { start, finish } = require(${JSON.stringify(DRIVER)});
       start(['planted', '-runs=1000000', '-seed=1', '-artifact_prefix=${folder}/'], 20, (input: Buffer) => {
         let isFine = true;
         if (input[0] === 80) if (input[1] === 83) if (input[2] === 70) if (input[3] === 90) isFine = false;
         finish(isFine);
       });`,
    );
    await instrument(entry, DRIVER, bundle);
    const { code } = await finished(spawn(process.execPath, [bundle], { cwd: folder }));
    expect(code).not.toBe(0);
    const [crash] = readdirSync(folder).filter((name) => name.startsWith('crash-'));
    expect(readFileSync(join(folder, crash!), 'latin1')).toMatch(/^PSFZ/);
  });
});
