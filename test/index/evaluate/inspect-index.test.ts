import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { findPassages, inspectIndex } from '../../../index/evaluate/inspect-index.ts';
import { Generations } from '../../../index/store/s3vectors/generations.ts';
import { NO_INDEX } from '../../../index/store/store.ts';
import {
  defaultModel,
  randomContents,
  temporaryFolder,
  writeIndex,
  writeRandomIndex,
} from '../../fixtures/index.ts';

test('an inspection of an index in S3 Vectors closes its connections, although it fails', async () => {
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.spyOn(Generations.prototype, 'current').mockResolvedValue(undefined);
  const close = vi.spyOn(Generations.prototype, 'close');
  await expect(inspectIndex('s3vectors://bucket/docs')).rejects.toThrow(NO_INDEX);
  expect(close).toHaveBeenCalledTimes(1);
  await expect(findPassages('s3vectors://bucket/docs', 'a.md')).rejects.toThrow(NO_INDEX);
  expect(close).toHaveBeenCalledTimes(2);
});

test('an inspection counts a language as an overview does', async () => {
  const [index, { model }] = [join(temporaryFolder(), 'index'), defaultModel()];
  const contents = randomContents(6, model.dimensions);
  const tags = ['en-US', 'de', 'en-US', 'en', 'pt-BR', 'en-US'];
  const passages = contents.passages.map((passage, i) => ({ ...passage, lang: tags[i]!, source: 'a.md' }));
  writeIndex(index, model, { ...contents, passages });
  const { languages, sources } = await inspectIndex(index);
  expect(languages).toEqual({ en: 4, de: 1, 'pt-BR': 1 });
  expect(sources).toMatchObject([{ source: 'a.md', languages: ['en', 'de', 'pt-BR'] }]);
});

test.runIf(process.platform === 'linux')('an inspection of a folder leaves no file open', async () => {
  const index = join(temporaryFolder(), 'index');
  writeRandomIndex(index, 20, defaultModel());
  expect(await inspectIndex(index)).toMatchObject({ counts: { passages: 20 } });
  expect(await findPassages(index, 'none')).toEqual([]);
  const open = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      // The descriptor of the listing itself.
      return [];
    }
  });
  expect(open.filter((path) => path.startsWith(index))).toEqual([]);
});
