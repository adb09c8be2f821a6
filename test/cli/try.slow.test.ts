import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildFromSources } from '../../index/ingest/build-from-sources.ts';
import { openLocal } from '../../index/ingest/open-local.ts';
import { FolderSource } from '../../index/ingest/sources/folder.ts';
import type { Answer } from '../../index/search/answer.ts';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { temporaryFolder } from '../fixtures/index.ts';

const folder = temporaryFolder();
const documents = join(folder, 'documents');
mkdirSync(documents);
writeFileSync(join(documents, 'light.md'), '# The lighthouse\n\nThe light flashes once every 12 seconds.');
writeFileSync(join(documents, 'ferry.md'), '# The ferry to the island\n\nIt leaves at eight in the morning.');

test('an index for lexical mode embeds nothing, finds words, and suggests headings', async () => {
  const [index, cache] = [join(folder, 'index'), join(folder, 'cache')];
  const build = (lexical: boolean) =>
    buildFromSources([new FolderSource(documents)], index, { cache, jobs: 1, lexical });
  await build(true);
  const search = await openLocal(index);
  const { results } = await search.search({ q: 'flashes', k: 1, mode: 'lexical' });
  expect(results.map(({ source }) => source)).toEqual(['light.md']);
  expect((await search.overview()).suggestions.map(({ text }) => text).sort()).toEqual([
    'The ferry to the island',
    'The lighthouse',
  ]);
  search.close();
  expect(await build(false)).toMatchObject({ embedded: 2, unchanged: 0 });
});

test('serves a folder, by meaning in the end, and writes only to .polyseek', async () => {
  const args = [POLYSEEK, 'try', 'documents', '--port', '0', '--json'];
  const server = spawn(process.execPath, args, { cwd: folder });
  const ended = once(server, 'exit');
  try {
    const [line] = (await once(server.stdout.setEncoding('utf8'), 'data')) as [string];
    const { url, passages } = JSON.parse(line.slice(0, line.indexOf('\n')));
    expect(passages).toBe(2);
    const first = async (q: string, more = '') => {
      const response = await fetch(`${url}/search?q=${encodeURIComponent(q)}${more}`);
      const { results } = (await response.json()) as Answer;
      return results[0];
    };
    expect(await first('How often does the light flash?')).toMatchObject({ source: 'light.md' });
    let said = '';
    for await (const part of server.stderr.setEncoding('utf8')) {
      said += part;
      if (said.includes('match meaning now')) break;
    }
    expect(said).toContain('Results match words until all passages are embedded.');
    const french = await first('Quand part le bateau ?', '&explain=true');
    expect(french).toMatchObject({ source: 'ferry.md', explain: { lexical: 0 } });
    server.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  } finally {
    server.kill('SIGKILL');
  }
  expect(readdirSync(documents)).toEqual(['ferry.md', 'light.md']);
  expect(readFileSync(join(folder, '.polyseek/.gitignore'), 'utf8')).toBe('*\n');
  expect(existsSync(join(folder, '.polyseek/index'))).toBe(false);
});
