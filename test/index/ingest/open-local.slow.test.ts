import { cpSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { COMPILED, compileModel } from '../../../index/compile/compile.ts';
import { readCompiledModel } from '../../../index/format/compiled-model.ts';
import { findModel, openFollowing, openLocal } from '../../../index/ingest/open-local.ts';
import {
  defaultModel,
  randomContents,
  temporaryFolder,
  writeIndex,
  writeRandomIndex,
} from '../../fixtures/index.ts';
import { tinyModel, writeModel } from '../../fixtures/models/tiny-model.ts';

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
  writeRandomIndex(index, 2, defaultModel());
  expect(findModel(index)).toBe(dir);
  writeIndex(index, { ...model, hash: 'another' }, randomContents(2, model.dimensions));
  expect(findModel(index)).toBe(dir);
});

test('an index whose model is older, swapped or missing says which model it needs, until it is compiled again', async () => {
  const into = join(temporaryFolder(), 'models');
  const [source, other] = [66, 67].map((positions) => writeModel(tinyModel({ positions })));
  const compiled = compileModel(source!);
  leftovers.push(compiled);
  const own = readCompiledModel(compiled, false);
  writeIndex(index, own, randomContents(3, own.dimensions));
  const short = (hash: string) => hash.slice(0, 12);
  const sentence =
    `${index} was built with the model tiny (${short(own.hash)}, ${own.dimensions} dimensions), but the model is ` +
    `${model.name} (${short(model.hash)}, ${model.dimensions} dimensions). Run npx polyseek index again, or use the model of the index.`;
  const expectSentence = () => expect(openLocal(index)).rejects.toThrow(sentence);
  writeFileSync(join(compiled, 'model.json'), JSON.stringify({ ...own, format: 3 }));
  await expectSentence();
  await expect(openFollowing(index, () => {})).rejects.toThrow(sentence);
  rmSync(compiled, { recursive: true });
  await expectSentence();
  // Another model with the same name.
  cpSync(compileModel(other!, { into }), compiled, { recursive: true });
  await expectSentence();
  rmSync(compiled, { recursive: true });
  expect(compileModel(source!)).toBe(compiled);
  const search = await openLocal(index);
  expect(search.info.passages).toBe(3);
  search.close();
  const rows = join(compiled, 'rows.bin');
  writeFileSync(rows, Buffer.alloc(statSync(rows).size));
  await expect(openLocal(index)).rejects.toThrow(/rows\.bin.*damaged|damaged.*rows\.bin/);
});
