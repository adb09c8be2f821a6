import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readText } from '../../../index/documents/plain/text.ts';
import { Embedder, type QuestionEmbedder } from '../../../index/embedding/embedder.ts';
import { readManifest } from '../../../index/format/manifest.ts';
import { buildIndex, planIndex, type TokenSetting, tokenCounter } from '../../../index/ingest/build.ts';
import { bytesBesideIndexes } from '../../../index/ingest/bundle-space.ts';
import { openSearch } from '../../../index/search/index-search.ts';
import { smallModel, temporaryFolder } from '../../fixtures/index.ts';

const folder = temporaryFolder();
const STORY = readText('The lamp was lit at dusk.\n\nThe boat came at dawn.', 'story.txt');

const { dir, model } = smallModel();
let embedder: Embedder;
beforeAll(async () => {
  embedder = await Embedder.open(dir, { verify: false });
});

describe('a model without token states', () => {
  /** The model as if token states had never been learned. */
  const without = (): QuestionEmbedder => ({
    model: { ...model, tokens: undefined },
    embed: (text, kind) => embedder.embed(text, kind),
    tokens: (text, kind) => embedder.tokens(text, kind),
  });
  const build = (out: string, tokens?: TokenSetting) =>
    buildIndex([STORY], out, without(), tokenCounter(dir), { tokens });

  test('builds an index without them, which answers', async () => {
    const versions = new Set<string>();
    for (const setting of [undefined, 'auto', 'off'] as const) {
      const out = join(folder, `without-${setting}`);
      const { manifest } = await build(out, setting);
      versions.add(manifest.version);
      expect(manifest.model.tokens).toBeNull();
      expect(existsSync(join(out, 'tokens.bin'))).toBe(false);
      // The index opens with either model.
      for (const opened of [without(), embedder]) {
        const search = await openSearch({ index: out, model: opened, verify: true });
        const request = {
          q: 'When was the lamp lit?',
          k: 3,
          mode: 'hybrid',
          explain: true,
          matches: true,
        } as const;
        const { results } = await search.search(request);
        expect(results[0]).toMatchObject({ source: 'story.txt', explain: { tokens: 0 }, matches: [] });
      }
    }
    expect(versions.size).toBe(1);
  });

  test('is refused with `on`, before anything is written', async () => {
    const out = join(folder, 'without-on');
    await expect(build(out, 'on')).rejects.toThrow(
      'The model small has no token states. Run npx polyseek learn --model FOLDER, or build without --tokens on.',
    );
    expect(existsSync(out)).toBe(false);
  });
});

describe('a model with token states', () => {
  test.each<[TokenSetting | undefined, boolean]>([
    [undefined, true],
    ['auto', true],
    ['on', true],
    ['off', false],
  ])('with the setting %s stores token states: %s', async (tokens, stored) => {
    const out = join(folder, `with-${tokens}`);
    await buildIndex([STORY], out, embedder, tokenCounter(dir), { tokens });
    const manifest = readManifest(out, model, true);
    expect(manifest.model.tokens).toBe(stored ? model.tokens!.hash : null);
    expect('tokens.bin' in manifest.files).toBe(stored);
    const search = await openSearch({ index: out, model: dir, verify: true });
    const { results } = await search.search({
      q: 'When was the lamp lit?',
      k: 1,
      mode: 'hybrid',
      explain: true,
    });
    expect(results[0]!.explain!.tokens > 0).toBe(stored);
  });

  test('with `auto` stores none if the index would exceed the space of a function', async () => {
    // With 65,536 dimensions, a token takes 8 KB.
    const dimensions = 65_536;
    const large = { ...model, dimensions, mean: undefined };
    const storesTokens = async (passages: number, bundled?: boolean) => {
      const documents = Array.from({ length: passages }, (_, i) => readText(`Lamp ${i}.`, `${i}.txt`));
      const options = { tokens: 'auto', ...(bundled !== undefined && { bundled }) } as const;
      return (await planIndex(documents, large, () => 380, options)).tokens;
    };
    // A passage takes a byte for each number of its vector and of its sentence's, 380 tokens, and some bytes of text.
    const space = 262_144_000 - bytesBesideIndexes(model);
    const most = Math.floor(space / (2 * dimensions + 380 * 8192 + 500));
    expect(await storesTokens(most)).toBe(true);
    expect(await storesTokens(most + 1)).toBe(false);
    expect(await storesTokens(most + 1, false)).toBe(true);
  });
});
