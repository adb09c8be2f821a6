import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFECTS } from './fuzzer.ts';
import { seeds } from './seeds.ts';
import { targets } from './targets.ts';

/** The inputs that showed a defect of a target. */
function defectsOf(target: string): Buffer[] {
  const folder = join(DEFECTS, target);
  return existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name))) : [];
}

describe.each(Object.entries(targets))('%s handles', (name, target) => {
  test('its seeds and the inputs of fixed defects', async () => {
    const inputs = [...seeds[name]!, ...defectsOf(name)];
    expect(inputs.length).toBeGreaterThan(0);
    for (const input of inputs) await target(input);
  });

  test('any bytes', async () => {
    const input = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(fc.asyncProperty(input, async (bytes) => target(bytes)));
  });
});
