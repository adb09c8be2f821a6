import { expect, test, vi } from 'vitest';
import { command } from '../../cli/index.ts';
import * as builds from '../../index/ingest/build-from-sources.ts';
import { temporaryFolder } from '../fixtures/index.ts';

test('the summary of a build counts a language as an overview does', async () => {
  const log = vi.spyOn(console, 'log').mockReturnValue();
  const counts = { documents: 1, passages: 6, sentences: 6, terms: 6 };
  const manifest = { version: 'v', counts, languages: { 'en-US': 4, en: 1, de: 1 }, files: {}, model: {} };
  vi.spyOn(builds, 'buildFromSources').mockResolvedValue({ manifest, restricted: [] } as never);
  await command.parseAsync([temporaryFolder(), '--store', 'bundle', '--json'], { from: 'user' });
  expect(JSON.parse(log.mock.calls[0]![0])).toMatchObject({ languages: { en: 5, de: 1 } });
});
