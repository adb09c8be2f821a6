import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/index.ts';
import { finished } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';
import { CORPUS, DRIVER, prepare, run, TARGETS } from './fuzzer.ts';
import { instrument } from './instrument.ts';
import { seeds } from './seeds.ts';
import { targets } from './targets.ts';

/** Enough to find most of what a change breaks. `npm run fuzz` makes long runs. */
const INPUTS = 1000;

/** The inputs that the repository contains for a target. */
function corpusOf(target: string): Buffer[] {
  const folder = join(CORPUS, target);
  return existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name))) : [];
}

describe.each(Object.entries(targets))('%s handles', (name, target) => {
  test('its seeds and all inputs of the repository', async () => {
    const inputs = [...seeds[name]!, ...corpusOf(name)];
    expect(inputs.length).toBeGreaterThan(0);
    for (const input of inputs) await target(input);
  });

  test('any bytes', async () => {
    const input = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(input, async (bytes) => target(bytes)),
      { numRuns: 30 },
    );
  });
});

describe.skipIf(missingTools('clang++-14'))('libFuzzer', () => {
  beforeAll(() => prepare(TARGETS), 300_000);

  test.concurrent.each(TARGETS)(`finds no defect in %s within ${INPUTS} inputs`, async (target) => {
    const { inputs, features, finding } = await run(target, { inputs: INPUTS, seed: 1, keep: false });
    expect(finding).toBeUndefined();
    expect(inputs).toBeGreaterThanOrEqual(INPUTS);
    expect(features).toBeGreaterThan(1);
  });

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
