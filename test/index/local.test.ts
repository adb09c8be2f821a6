import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { COMPILED } from '../../index/compile/compile.ts';
import { findModel } from '../../index/local.ts';
import {
  defaultModel,
  randomContents,
  temporaryFolder,
  writeIndex,
  writeRandomIndex,
} from '../fixtures/index.ts';

const { dir, model } = defaultModel();
const index = join(temporaryFolder(), 'index');
/** Leftovers beside the compiled models: one has an older format, one is damaged and one is empty. */
const leftovers = ['0'.repeat(16), '1'.repeat(16), '2'.repeat(16)].map((name) => join(COMPILED, name));
afterAll(() => {
  for (const folder of leftovers) rmSync(folder, { recursive: true, force: true });
});

test('finds the model of an index, and skips unreadable compiled models', () => {
  for (const folder of leftovers) mkdirSync(folder, { recursive: true });
  writeFileSync(join(leftovers[0]!, 'model.json'), JSON.stringify({ ...model, format: 3 }));
  writeFileSync(join(leftovers[1]!, 'model.json'), '{"format": 4');
  writeRandomIndex(index, 2);
  expect(findModel(index)).toBe(dir);
  writeIndex(index, { ...model, hash: 'another' }, randomContents(2, model.dimensions));
  expect(findModel(index)).toBe(dir);
});
