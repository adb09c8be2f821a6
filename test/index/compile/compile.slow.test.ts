import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileModel } from '../../../index/compile/compile.ts';
import { learnNeutral } from '../../../index/compile/language-axes.ts';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { memoize } from '../../../index/embedding/memoize.ts';
import { dot, scaled } from '../../fixtures/models/reference-model.ts';
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

/** Flips a bit of a file. */
function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

const open = (dir: string) => Embedder.open(dir, { verify: true });

test('reuses a compiled model, and recompiles a changed model', () => {
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

test('returns a compiled model as it is, and names the fix if its source is needed', () => {
  const compiled = compileModel(source(), { into: newFolder() });
  const into = newFolder();
  expect(compileModel(compiled, { into })).toBe(compiled);
  expect(readdirSync(into)).toEqual([]);
  expect(() => compileModel(compiled, { into, neutral: false })).toThrow(
    /is a compiled model, but this needs its source\. Import it with npx polyseek model,/,
  );
  flip(join(compiled, 'rows.bin'), 5000);
  expect(() => compileModel(compiled, { into })).toThrow(/rows\.bin is damaged/);
});

test.each<[string, (dir: string) => void]>([
  ['with a flipped bit in a file', (dir) => flip(join(dir, 'rows.bin'), 5000)],
  ['with a flipped bit in model.json', (dir) => flip(join(dir, 'model.json'), 60)],
  ['with a truncated file', (dir) => truncateSync(join(dir, 'tokenizer.bin'), 1000)],
  ['without a file', (dir) => rmSync(join(dir, 'weights.bin'))],
  ['without model.json', (dir) => rmSync(join(dir, 'model.json'))],
])('recompiles a model %s', async (_, damage) => {
  const into = newFolder();
  const dir = source();
  const compiled = compileModel(dir, { into });
  const { model } = await open(compiled);
  damage(compiled);
  expect(compileModel(dir, { into })).toBe(compiled);
  expect((await open(compiled)).model).toEqual(model);
  expect(readdirSync(into)).toEqual([basename(compiled)]);
  expect(readdirSync(compiled).sort()).toEqual([...Object.keys(model.files), 'model.json'].sort());
});

test('removes only the drafts of killed compiles', () => {
  const into = newFolder();
  const compiled = compileModel(source(), { into });
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const kept = ['0123456789abcdef.draft-00000002', '0123456789abcdef.4711', 'notes'];
  for (const name of [`0123456789abcdef.polyseek-draft-${pid}-1-0123abcd`, ...kept])
    mkdirSync(join(into, name));
  rmSync(join(compiled, 'model.json'));
  compileModel(source(), { into });
  const left = readdirSync(into).filter((name) => name !== basename(compiled));
  expect(left.sort()).toEqual(kept.sort());
});

test('compiles the same model to the same bytes', async () => {
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

test('uses full-precision weights if there are no quantized ones, and names a model after its folder', async () => {
  const { 'config.json': config, 'onnx/model_quantized.onnx': onnx } = tinyModel();
  const dir = source({
    'config.json': { ...(config as object), _name_or_path: undefined },
    'onnx/model_quantized.onnx': undefined,
    'onnx/model.onnx': onnx,
  });
  const { model } = await open(compileModel(`${dir}/`, { into: newFolder() }));
  expect(model.name).toBe(dir.split('/').at(-1));
});

test('accepts the normalization steps of newer exports after the character map', async () => {
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

test('learns orthonormal axes, and the compiled model has no component along them', async () => {
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
  // The mean of such vectors has no component along an axis either.
  expect(embedder.model.mean).toEqual(neutral.mean);
  for (const axis of neutral.axes) expect(dot(axis, neutral.mean)).toBeCloseTo(0, 5);
});

test('memoizes vectors by text and kind', async () => {
  const embedder = await open(compileModel(source(), { into: newFolder() }));
  const asked: unknown[] = [];
  const memoized = memoize({
    model: embedder.model,
    tokens: (text, kind) => embedder.tokens(text, kind),
    embed: (text, kind) => {
      asked.push([text, kind]);
      return embedder.embed(text, kind);
    },
  });
  const [first, again] = await Promise.all([memoized.embed('a', 'query'), memoized.embed('a', 'query')]);
  await memoized.embed('a', 'passage');
  await memoized.embed('a');
  expect(asked).toEqual([
    ['a', 'query'],
    ['a', 'passage'],
    ['a', undefined],
  ]);
  expect(again).toBe(first);
  expect(first).toEqual(await embedder.embed('a', 'query'));
});
