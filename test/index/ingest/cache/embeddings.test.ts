import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import * as native from '#native';
import { Cache } from '../../../../index/ingest/cache/cache.ts';
import { cachedEmbeddings } from '../../../../index/ingest/cache/embeddings.ts';
import { defaultModel, randomContents, temporaryFolder } from '../../../fixtures/index.ts';

test('embeddings of a library whose bytes differ are not used', () => {
  const { model } = defaultModel();
  const { passages, vectors, sentences } = randomContents(1, model.dimensions);
  const [passage, embeddings] = [
    passages[0]!,
    { vector: vectors[0]!, sentences: sentences[0]!, codes: undefined },
  ];
  const cache = new Cache(join(temporaryFolder(), 'cache'));
  const open = (digest: string) => {
    vi.spyOn(native, 'nativeDigest').mockReturnValue(digest);
    return cachedEmbeddings(cache, model);
  };
  open('a').put(passage, embeddings);
  expect(open('a').get(passage, false)).toEqual(embeddings);
  expect(open('b').get(passage, false)).toBeUndefined();
  expect(open('b').has(passage, false)).toBe(false);
  expect(open('a').has(passage, false)).toBe(true);
});
