import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Embedder } from '../../../index/embedding/embedder.ts';
import { INDEX_FILES, type Manifest, readManifest, versionOf } from '../../../index/format/manifest.ts';
import { openSearch } from '../../../index/search/open.ts';
import { defaultModel, temporaryFolder, writeRandomIndex } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const [whole, copy] = [join(folder, 'whole'), join(folder, 'copy')];
const { dir, model } = defaultModel();
let embedder: Embedder;

beforeAll(async () => {
  writeRandomIndex(whole, 40);
  embedder = await Embedder.open(dir, { verify: false });
});

/** Opens the copy and gives the sentence that refuses it. */
async function refusal(): Promise<string> {
  const error = await openSearch({ index: copy, model: embedder, verify: true }).catch(
    (error: Error) => error,
  );
  if (!(error instanceof Error)) throw new Error('The index was opened.');
  // One sentence: nothing follows a full stop.
  expect(error.message).toMatch(/^[^\n]+\.$/);
  expect(error.message).not.toMatch(/\. /);
  return error.message;
}

/** A copy of the index with a manifest that was changed as a program would, with a right version. */
function withManifest(change: Partial<Manifest>): void {
  cpSync(whole, copy, { recursive: true });
  const { version: _, ...rest }: Manifest = { ...readManifest(whole, undefined, false), ...change };
  writeFileSync(join(copy, 'manifest.json'), JSON.stringify({ version: versionOf(rest), ...rest }));
}

test('an index as it was written opens', async () => {
  const search = await openSearch({ index: whole, model: dir, verify: true });
  expect(search.info.passages).toBe(40);
});

test('refuses a folder without an index', async () => {
  rmSync(copy, { recursive: true, force: true });
  expect(await refusal()).toBe(
    `${copy} holds no index (no manifest.json): build one with npm run build-index -- PATH --index ${copy}.`,
  );
});

test('refuses another format', async () => {
  withManifest({ format: 1 });
  expect(await refusal()).toBe(
    `${copy} has index format 1, but this polyseek reads 2: build it again with npm run build-index.`,
  );
});

test("refuses another model's vectors", async () => {
  const hash = 'f'.repeat(64);
  withManifest({ model: { name: 'other', hash, neutral: model.neutral } });
  expect(await refusal()).toBe(
    `${copy} was built with the model other (ffffffffffff, 384 dimensions), but multilingual-e5-small (${model.hash.slice(0, 12)}, ` +
      '384 dimensions) was opened for it: build it again, or give the model it was built with.',
  );
});

test('refuses vectors of other dimensions', async () => {
  withManifest({ dimensions: 768 });
  expect(await refusal()).toMatch(/768 dimensions\), but .*384 dimensions\) was opened/);
});

test.each([
  [null, 'none'],
  ['abcdefabcdef0123', 'abcdefabcdef'],
])('refuses the language axes %s', async (neutral, shown) => {
  withManifest({ model: { name: model.name, hash: model.hash, neutral } });
  expect(await refusal()).toBe(
    `${copy} was built with language axes ${shown}, but the model has ${model.neutral?.slice(0, 12)}: build it again with npm run build-index.`,
  );
});

test.each(['', 'null', '[]', '7', '"x"', '{', '{}'])('refuses the manifest %s', async (text) => {
  cpSync(whole, copy, { recursive: true });
  writeFileSync(join(copy, 'manifest.json'), text);
  expect(await refusal()).toMatch(/is not JSON|has index format undefined/);
});

describe.each(INDEX_FILES.slice(1))('%s', (name) => {
  const path = join(copy, name);
  const bytes = () => readFileSync(join(whole, name));

  test('missing is refused', async () => {
    cpSync(whole, copy, { recursive: true });
    rmSync(path);
    expect(await refusal()).toBe(`${path} is missing though its manifest lists it: build it again.`);
  });

  test.each([0, 1, 15, 16, 100, -1])('cut at %i bytes is refused', async (length) => {
    cpSync(whole, copy, { recursive: true });
    const size = bytes().length;
    const left = length < 0 ? size + length : length;
    truncateSync(path, left);
    expect(await refusal()).toBe(
      `${path} has ${left} bytes where its manifest says ${size}: it is damaged, build it again.`,
    );
  });

  test('with any bit turned is refused', async () => {
    cpSync(whole, copy, { recursive: true });
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes().length - 1), fc.nat(7), async (at, bit) => {
        const damaged = bytes();
        damaged[at]! ^= 1 << bit;
        writeFileSync(path, damaged);
        expect(await refusal()).toMatch(
          /has checksum [0-9a-f]{8} where its manifest says [0-9a-f]{8}: it is damaged, build it again\.$/,
        );
      }),
    );
  });
});

test('a manifest with any bit turned is refused, unless it says the same', async () => {
  cpSync(whole, copy, { recursive: true });
  const text = readFileSync(join(whole, 'manifest.json'));
  const expected = JSON.parse(text.toString());
  const path = join(copy, 'manifest.json');
  for (let at = 0; at < text.length; at++) {
    const damaged = Buffer.from(text);
    damaged[at]! ^= 1 << (at % 8);
    writeFileSync(path, damaged);
    const same = () => {
      expect(readManifest(copy, model, true)).toEqual(expected);
      return 'the same';
    };
    const outcome = await openSearch({ index: copy, model: embedder, verify: true }).then(same, () =>
      refusal(),
    );
    expect(outcome).toMatch(/the same|damaged|has index format/);
  }
});

test('a file that is another part of an index is refused though its manifest knows it', async () => {
  const files = readManifest(whole, undefined, false).files;
  withManifest({ files: { ...files, 'lookup.bin': files['passages.bin']! } });
  cpSync(join(whole, 'passages.bin'), join(copy, 'lookup.bin'));
  expect(await refusal()).toBe(
    'lookup.bin starts with "PSPA" where PSLK version 2 was expected: build it again.',
  );
});
