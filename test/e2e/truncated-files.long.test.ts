import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultModel, root, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';

test('a process that searches survives files that become shorter', async () => {
  const folder = temporaryFolder();
  const [index, model] = [join(folder, 'index'), join(folder, 'model')];
  writeRandomIndex(index, 2000, defaultModel());
  cpSync(defaultModel().dir, model, { recursive: true });
  const child = fork(join(root, 'test/fixtures/truncate-live.ts'), [index, model], {
    execArgv: ['--import', 'tsx'],
  });
  const [errors] = (await once(child, 'message')) as [Record<string, string | null>];
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  for (const [name, error] of Object.entries(errors))
    if (error !== null)
      expect(error, name).toMatch(/ is damaged: it ends at byte .+ Run npx polyseek index again\.$/);
  // The encoder, the tokenizer and the graph are in memory.
  for (const name of ['encoder.bin', 'model.json']) expect(errors[name], name).toBe(null);
  expect(Object.values(errors).filter(Boolean).length).toBeGreaterThan(0);
});
