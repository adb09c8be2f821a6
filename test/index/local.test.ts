import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { COMPILED } from '../../index/compile/compile.ts';
import { type Manifest, versionOf } from '../../index/format/manifest.ts';
import { findModel } from '../../index/local.ts';
import { defaultModel, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';

const index = join(temporaryFolder(), 'index');
// Sorts before compiled models.
const damaged = join(COMPILED, '0000000000000000');
afterAll(() => rmSync(damaged, { recursive: true }));

test.each([
  ['a truncated model.json', '{"format"'],
  ['a model.json of an older format', '{"format": 1}'],
])('finding the model of an index skips a compiled model with %s', (_, json) => {
  mkdirSync(damaged, { recursive: true });
  writeFileSync(join(damaged, 'model.json'), json);
  writeRandomIndex(index, 3);
  // An index of a model that is not compiled here: all that are compiled here are looked at.
  const path = join(index, 'manifest.json');
  const { version: _version, ...rest } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  const other = { ...rest, model: { ...rest.model, hash: 'f'.repeat(64) } };
  writeFileSync(path, JSON.stringify({ version: versionOf(other), ...other }));
  expect(findModel(index)).toBe(defaultModel().dir);
});
