import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Embedder } from '../../../index/embedding/embedder.ts';
import type { CompiledModel } from '../../../index/format/compiled-model.ts';
import { digestOf } from '../../../index/format/json-file.ts';
import { INDEX_FILES, type Manifest, readManifest } from '../../../index/format/manifest.ts';
import { openSearch } from '../../../index/search/index-search.ts';
import { testDamage, writeWholeIndex } from '../../fixtures/damage.ts';
import { randomContents, smallModel, temporaryFolder, writeIndex } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const [whole, copy] = [join(folder, 'whole'), join(folder, 'copy')];
const { dir, model } = smallModel();
let embedder: Embedder;

beforeAll(async () => {
  writeWholeIndex(whole, model);
  embedder = await Embedder.open(dir, { verify: false });
});

/** The model as a manifest names it. */
const namesOf = ({ name, hash, neutral, tokens }: CompiledModel) => ({
  name,
  hash,
  neutral,
  tokens: tokens!.hash,
});

/** Opens the copy, and returns the error message. */
async function errorMessage(): Promise<string> {
  const error = await openSearch({ index: copy, model: embedder, verify: true }).catch(
    (error: Error) => error,
  );
  if (!(error instanceof Error)) throw new Error('The index was opened.');
  expect(error.message).toMatch(/^[^\n]+\.$/);
  return error.message;
}

/** Changes the manifest of the copy, and recomputes its version. */
function withManifest(change: Partial<Manifest>): void {
  cpSync(whole, copy, { recursive: true });
  const { version: _, ...rest }: Manifest = { ...readManifest(whole, undefined, false), ...change };
  writeFileSync(join(copy, 'manifest.json'), JSON.stringify({ version: digestOf(rest), ...rest }));
}

test('opens an undamaged index', async () => {
  const search = await openSearch({ index: whole, model: dir, verify: true });
  expect(search.info.passages).toBe(40);
});

test('refuses a folder without an index', async () => {
  rmSync(copy, { recursive: true, force: true });
  expect(await errorMessage()).toBe(
    `There is no index in ${copy}. Build one with npx polyseek index PATH --index ${copy}.`,
  );
});

test('refuses an index of an older format', async () => {
  withManifest({ format: 1 });
  expect(await errorMessage()).toBe(
    `${copy}/manifest.json has format 1, but this polyseek reads format 4. Run npx polyseek index again.`,
  );
});

test('refuses an index of another model', async () => {
  const hash = 'f'.repeat(64);
  withManifest({ model: { ...namesOf(model), name: 'other', hash } });
  expect(await errorMessage()).toBe(
    `${copy} was built with the model other (ffffffffffff, 64 dimensions), but the model is small (${model.hash.slice(0, 12)}, ` +
      '64 dimensions). Run npx polyseek index again, or use the model of the index.',
  );
});

test('refuses vectors of other dimensions', async () => {
  withManifest({ dimensions: 768 });
  expect(await errorMessage()).toMatch(/768 dimensions\), but .*64 dimensions\)\. Run/);
});

test.each([
  [null, 'none'],
  ['abcdefabcdef0123', 'abcdefabcdef'],
])('refuses the language axes %s', async (neutral, shown) => {
  withManifest({ model: { ...namesOf(model), neutral } });
  expect(await errorMessage()).toBe(
    `${copy} was built with the language axes ${shown}, but the model has ${model.neutral?.slice(0, 12)}. Run npx polyseek index again.`,
  );
});

test('refuses other token states', async () => {
  withManifest({ model: { ...namesOf(model), tokens: 'abcdefabcdef0123' } });
  expect(await errorMessage()).toBe(
    `${copy} was built with the token states abcdefabcdef, but the model has ${model.tokens!.hash.slice(0, 12)}. Run npx polyseek index again.`,
  );
  const { tokens: _, ...without } = model;
  expect(() => readManifest(copy, without, false)).toThrow('but the model has none. Run npx polyseek index');
});

test('refuses a manifest whose model and files differ about token states', async () => {
  const problem = `${join(copy, 'manifest.json')} is damaged: its files and its model differ about token states. Run npx polyseek index again.`;
  withManifest({ model: { ...namesOf(model), tokens: null } });
  expect(await errorMessage()).toBe(problem);
  const { 'tokens.bin': _, ...files } = readManifest(whole, undefined, false).files;
  withManifest({ files });
  expect(await errorMessage()).toBe(problem);
});

test.each(['', 'null', '[]', '7', '"x"', '{', '{}'])('refuses %j as a manifest', async (text) => {
  cpSync(whole, copy, { recursive: true });
  writeFileSync(join(copy, 'manifest.json'), text);
  expect(await errorMessage()).toMatch(/is damaged: it is not JSON\. Run|has format undefined/);
});

describe.each(INDEX_FILES.slice(1))('%s', (name) => {
  const path = join(copy, name);
  const bytes = () => readFileSync(join(whole, name));

  test('is refused if missing', async () => {
    cpSync(whole, copy, { recursive: true });
    rmSync(path);
    expect(await errorMessage()).toBe(
      `${path} is missing, but its manifest lists it. Run npx polyseek index again.`,
    );
  });

  test.each([0, 1, 15, 16, 100, -1])('is refused if truncated to %i bytes', async (length) => {
    cpSync(whole, copy, { recursive: true });
    const size = bytes().length;
    const left = length < 0 ? size + length : length;
    truncateSync(path, left);
    expect(await errorMessage()).toBe(
      `${path} is damaged: it has ${left} bytes, but its manifest says ${size}. Run npx polyseek index again.`,
    );
  });

  test('is refused with any bit flipped', async () => {
    cpSync(whole, copy, { recursive: true });
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes().length - 1), fc.nat(7), async (at, bit) => {
        const damaged = bytes();
        damaged[at]! ^= 1 << bit;
        writeFileSync(path, damaged);
        expect(await errorMessage()).toMatch(
          /is damaged: it has the checksum [0-9a-f]{8}, but its manifest says [0-9a-f]{8}\. Run npx polyseek index again\.$/,
        );
      }),
    );
  });
});

test('refuses a manifest with a bit flipped anywhere, unless the meaning is the same', async () => {
  cpSync(whole, copy, { recursive: true });
  const text = readFileSync(join(whole, 'manifest.json'));
  const expected = JSON.parse(text.toString());
  const path = join(copy, 'manifest.json');
  for (let at = 0; at < text.length; at += 7) {
    const damaged = Buffer.from(text);
    damaged[at]! ^= 1 << (at % 8);
    writeFileSync(path, damaged);
    const same = () => {
      expect(readManifest(copy, model, true)).toEqual(expected);
      return 'the same';
    };
    const outcome = await openSearch({ index: copy, model: embedder, verify: true }).then(same, () =>
      errorMessage(),
    );
    expect(outcome).toMatch(/the same|damaged|has format/);
  }
});

test('refuses a file of the wrong kind, even if the manifest lists it', async () => {
  const files = readManifest(whole, undefined, false).files;
  withManifest({ files: { ...files, 'lookup.bin': files['passages.bin']! } });
  cpSync(join(whole, 'passages.bin'), join(copy, 'lookup.bin'));
  expect(await errorMessage()).toBe(
    `${join(copy, 'lookup.bin')} is damaged: it starts with "PSPA" instead of "PSLK". Run npx polyseek index again.`,
  );
});

test('refuses files whose number of passages differs from the manifest', async () => {
  const { counts } = readManifest(whole, undefined, false);
  withManifest({ counts: { ...counts, passages: 41 } });
  expect(await errorMessage()).toBe(
    `${join(copy, 'graph.bin')} is damaged: it has 40 passages, but the manifest says 41. Run npx polyseek index again.`,
  );
});

test.each<[string, object]>([
  ['model', { model: { name: 'm' } }],
  ['dimensions', { dimensions: 0 }],
  ['counts', { counts: { documents: 1, passages: 0, sentences: 0, terms: 0 } }],
  ['languages', { languages: { en: 'many' } }],
  ['fields', { fields: 'lang' }],
  ['files', { files: {} }],
])('refuses an invalid %s in a manifest with a valid version', async (key, change) => {
  withManifest(change);
  expect(await errorMessage()).toBe(
    `${join(copy, 'manifest.json')} is damaged: its ${key} is missing or invalid. Run npx polyseek index again.`,
  );
});

test('refuses a sentence outside its passage', async () => {
  const { sentences, ...contents } = randomContents(3, model.dimensions);
  rmSync(copy, { recursive: true, force: true });
  writeIndex(copy, model, {
    ...contents,
    sentences: sentences.map(([one]) => [one!.map((value) => -value), one!]),
  });
  const search = await openSearch({ index: copy, model: embedder, verify: true });
  await expect(search.search({ q: 'word', k: 3, mode: 'semantic' })).rejects.toThrow(
    /passages\.bin is damaged: passage \d has no sentence 1\. Run npx polyseek index again\.$/,
  );
});

testDamage(smallModel(), { flips: 30, cuts: 10 });
