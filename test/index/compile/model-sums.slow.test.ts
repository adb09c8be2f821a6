import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileModel, DEFAULT_MODEL, readModelSource } from '../../../index/compile/compile.ts';
import { importModel } from '../../../index/compile/import-model.ts';
import { readCompiledModel } from '../../../index/format/compiled-model.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { tinyModel, writeModel } from '../../fixtures/models/tiny-model.ts';

const folder = temporaryFolder();
const files = {
  ...tinyModel(),
  'config_sentence_transformers.json': { prompts: { query: 'la ' } },
  '1_Pooling/config.json': { pooling_mode_mean_tokens: true },
};
const source = writeModel(files);
const sums = execFileSync('sha256sum', filesOf(source), { cwd: source, encoding: 'utf8' });
rmSync(source, { recursive: true });

function filesOf(dir: string): string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return entries.map(({ parentPath, name }) => join(parentPath, name).slice(dir.length + 1)).sort();
}

/** A model folder with the sums that the program sha256sum wrote. */
function makeModel(): string {
  const dir = mkdtempSync(join(folder, 'model-'));
  cpSync(writeModel(files), dir, { recursive: true });
  writeFileSync(join(dir, 'SHA256SUMS'), sums);
  return dir;
}
const into = join(folder, 'compiled');

test('a model folder that agrees with its SHA256SUMS compiles', () => {
  expect(readCompiledModel(compileModel(makeModel(), { into }), true).name).toBe('tiny');
});

test.each([
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'config_sentence_transformers.json',
  '1_Pooling/config.json',
  'onnx/model_quantized.onnx',
])('a model folder with another %s is refused, also if it was compiled before', (name) => {
  const dir = makeModel();
  compileModel(dir, { into });
  // It stays valid JSON, and a valid protocol buffer.
  appendFileSync(join(dir, name), name.endsWith('.json') ? ' ' : Buffer.from([0x32, 0]));
  expect(() => compileModel(dir, { into })).toThrow(
    new RegExp(
      `^${join(dir, name)} is damaged or another model's: its SHA-256 is [0-9a-f]{12}…, but SHA256SUMS says [0-9a-f]{12}…\\. Restore the file, or import the model again with npx polyseek model\\.$`,
    ),
  );
});

test('a model folder without a listed file, or with damaged sums, is refused', () => {
  const dir = makeModel();
  rmSync(join(dir, 'config_sentence_transformers.json'));
  expect(() => compileModel(dir, { into })).toThrow(
    `${dir}/config_sentence_transformers.json is missing, but SHA256SUMS lists it. Restore the file, or`,
  );
  writeFileSync(join(dir, 'SHA256SUMS'), '<html>');
  expect(() => compileModel(dir, { into })).toThrow(
    `${dir}/SHA256SUMS has a line of another kind: <html>. Restore the file, or`,
  );
});

test('an import writes the sums of sha256sum, and refuses a damaged source', async () => {
  const [dir, out] = [makeModel(), join(folder, 'imported')];
  await importModel(dir, out);
  expect(
    execFileSync('sha256sum', ['--check', '--quiet', '--strict', 'SHA256SUMS'], { cwd: out }).length,
  ).toBe(0);
  expect(readFileSync(join(out, 'SHA256SUMS'), 'utf8').split('\n').length).toBe(sums.split('\n').length);
  appendFileSync(join(dir, 'tokenizer_config.json'), ' ');
  await expect(importModel(dir, join(folder, 'second'))).rejects.toThrow(
    'tokenizer_config.json is damaged or',
  );
});

test('the default model is the one that indexes name, and all its files but those that this project wrote have sums', () => {
  expect(readModelSource(DEFAULT_MODEL).hash).toBe(
    'c38983d0083cb8feaae23b8a5df3ced4af52f84338ca681d06da61c03a342d2b',
  );
  const listed = readFileSync(join(DEFAULT_MODEL, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
  const names = listed.map((line) => line.slice(66));
  const own = ['LICENSE', 'README.md', 'SHA256SUMS', 'polyseek.json'];
  expect([...names, ...own].sort()).toEqual(filesOf(DEFAULT_MODEL));
});
