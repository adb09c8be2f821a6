import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileModel } from '../../../index/compile/compile.ts';
import { learnNeutral } from '../../../index/compile/language-axes.ts';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { memoize } from '../../../index/embedding/memoize.ts';
import { dot, scaled } from '../../fixtures/models/judge.ts';
import { type ModelFiles, tinyModel, tinyTokenizer, writeModel } from '../../fixtures/models/tiny-model.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  folders.push(mkdtempSync(join(tmpdir(), 'polyseek-compiled-')));
  return folders.at(-1)!;
}

function source(files: ModelFiles = {}): string {
  folders.push(writeModel({ ...tinyModel(), ...files }));
  return folders.at(-1)!;
}

const open = (dir: string) => Embedder.open(dir, { verify: true });

test('finds what it has compiled before, and compiles anew what has changed', () => {
  const into = newFolder();
  const dir = source();
  const first = compileModel(dir, { into });
  const { mtimeMs } = statSync(join(first, 'model.json'));
  expect(compileModel(dir, { into })).toBe(first);
  expect(statSync(join(first, 'model.json')).mtimeMs).toBe(mtimeMs);

  writeFileSync(
    join(dir, 'polyseek.json'),
    JSON.stringify({ calibration: { hybrid: { slope: 1, intercept: 0 } } }),
  );
  expect(compileModel(dir, { into })).not.toBe(first);
  expect(readdirSync(into)).toHaveLength(2);
});

test('makes the same bytes of the same model', async () => {
  const dir = source();
  const one = await open(compileModel(dir, { into: newFolder() }));
  const other = await open(compileModel(dir, { into: newFolder() }));
  expect(Object.keys(one.model.files)).toEqual(['tokenizer.bin', 'rows.bin', 'encoder.onnx', 'weights.bin']);
  expect(other.model).toEqual(one.model);
});

test('puts the prefixes of config_sentence_transformers.json before texts', async () => {
  const prompts = { query: 'la ', document: 'die ' };
  const dir = source({ 'config_sentence_transformers.json': { prompts } });
  const embedder = await open(compileModel(dir, { into: newFolder() }));
  expect(embedder.model.prefixes).toEqual({ query: 'la ', passage: 'die ' });
  expect(embedder.ids('see', 'query')).toEqual(embedder.ids('la see'));
  expect(await embedder.embed('see', 'passage')).toEqual(await embedder.embed('die see'));
});

test('takes full-precision weights where there are no quantized ones, and names a model by its folder', async () => {
  const { 'config.json': config, 'onnx/model_quantized.onnx': onnx } = tinyModel();
  const dir = source({
    'config.json': { ...(config as object), _name_or_path: undefined },
    'onnx/model_quantized.onnx': undefined,
    'onnx/model.onnx': onnx,
  });
  const { model } = await open(compileModel(`${dir}/`, { into: newFolder() }));
  expect(model.name).toBe(dir.split('/').at(-1));
});

test('takes the steps of normalization that newer exports write after the character map', async () => {
  const json = tinyTokenizer();
  const { precompiled_charsmap } = json.normalizer;
  json.normalizer = {
    type: 'Sequence',
    normalizers: [
      { type: 'Precompiled', precompiled_charsmap },
      { type: 'Strip', strip_left: false, strip_right: true },
      { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '▁' },
    ],
  };
  const newer = await open(compileModel(source({ 'tokenizer.json': json }), { into: newFolder() }));
  const plain = await open(compileModel(source(), { into: newFolder() }));
  expect(newer.ids('  the  end of ½ ')).toEqual(plain.ids('  the  end of ½ '));
});

test('learns orthonormal axes, and the compiled model has nothing left along them', async () => {
  const dir = source();
  const plain = await open(compileModel(dir, { into: newFolder(), neutral: false }));
  const { neutral, languages } = await learnNeutral(plain);
  expect(languages).toBeGreaterThan(60);
  expect(neutral.axes).toHaveLength(16);
  for (const [i, one] of neutral.axes.entries())
    for (const [j, other] of neutral.axes.entries()) expect(dot(one, other)).toBeCloseTo(i === j ? 1 : 0, 5);

  writeFileSync(join(dir, 'polyseek.json'), JSON.stringify({ neutral }));
  const into = newFolder();
  const embedder = await open(compileModel(dir, { into }));
  expect(embedder.model.neutral).toMatch(/^[0-9a-f]{64}$/);
  expect((await open(compileModel(dir, { into, neutral: false }))).model.neutral).toBeNull();
  for (const text of ['the end of the day', 'und die See ist']) {
    const [before, after] = [await plain.embed(text), await embedder.embed(text)];
    const left = Array.from(before);
    for (const axis of neutral.axes) {
      const part = dot(before, axis);
      axis.forEach((value, i) => {
        left[i]! -= part * value;
      });
      expect(dot(after, axis)).toBeCloseTo(0, 5);
    }
    expect(dot(after, scaled(left))).toBeGreaterThan(0.99999);
  }
  // The mean is that of such vectors: it has no part along an axis either.
  expect(embedder.model.mean).toEqual(neutral.mean);
  for (const axis of neutral.axes) expect(dot(axis, neutral.mean)).toBeCloseTo(0, 5);
});

test('remembers the vector of each text of a kind', async () => {
  const embedder = await open(compileModel(source(), { into: newFolder() }));
  const asked: unknown[] = [];
  const remembering = memoize({
    model: embedder.model,
    tokens: (text, kind) => embedder.tokens(text, kind),
    embed: (text, kind) => {
      asked.push([text, kind]);
      return embedder.embed(text, kind);
    },
  });
  const [first, again] = await Promise.all([
    remembering.embed('a', 'query'),
    remembering.embed('a', 'query'),
  ]);
  await remembering.embed('a', 'passage');
  await remembering.embed('a');
  expect(asked).toEqual([
    ['a', 'query'],
    ['a', 'passage'],
    ['a', undefined],
  ]);
  expect(again).toBe(first);
  expect(first).toEqual(await embedder.embed('a', 'query'));
});
