import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toJsonSchema } from '@valibot/to-json-schema';
import { describe, expect, it } from 'vitest';
import { type Config, configSchema, readConfig } from '../../../../index/ingest/sources/config.ts';
import { FolderSource } from '../../../../index/ingest/sources/folder.ts';
import { openSources } from '../../../../index/ingest/sources/open-sources.ts';
import { root, temporaryFolder } from '../../../fixtures/index.ts';

function read(config: unknown): Config {
  const file = join(temporaryFolder(), 'polyseek.config.json');
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  return readConfig(file);
}

describe('a config file', () => {
  it('is optional', () => {
    expect(readConfig()).toEqual({});
  });

  it.each([
    [
      { sources: ['a', { path: 'b', incl: [] }] },
      'Unknown setting "sources.1.incl". Settings: path, plain, ',
    ],
    [{ foo: 1 }, 'Unknown setting "foo". Settings: sources, plain, '],
    [{ baseUrl: 'docs' }, 'baseUrl is "docs", but must be an address such as https://docs.example/.'],
    [{ sources: [{ sqlite: 'a.db' }] }, 'sources.0.query is missing, but must be present.'],
    [{ sources: 'docs' }, 'sources is "docs", but must be a list.'],
    [
      { sources: [{ folder: 'a' }] },
      'sources.0 is {"folder":"a"}, but must be a path, or an object with one of path,',
    ],
    [{ plain: 'yes' }, 'plain is "yes", but must be true or false.'],
    [{ fields: { text: [1] } }, 'fields.text'],
    ['{', 'not valid JSON'],
  ])('is refused with its mistake: %j', (config, message) => {
    expect(() => read(config)).toThrow(message);
    expect(() => read(config)).toThrow(/polyseek\.config\.json: /);
  });

  it('has a published JSON Schema', () => {
    // Written by: npx vitest run test/index/ingest/sources/config.test.ts -u
    const schema = toJsonSchema(configSchema, { errorMode: 'ignore' });
    return expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(
      join(root, 'docs/polyseek.schema.json'),
    );
  });
});

describe('sources', () => {
  const folders = async (config: Config, paths?: string[]) =>
    (await openSources(config, paths)).map((source) => {
      if (!(source instanceof FolderSource)) throw new Error('It is no folder.');
      return { path: source.path, options: source.options };
    });

  it('have the settings of the config, unless they have their own', async () => {
    const config = read({
      lang: 'en',
      exclude: ['drafts/'],
      sources: ['docs', { path: 'handbuch', lang: 'de', plain: true }],
    });
    expect(await folders(config)).toEqual([
      { path: 'docs', options: { lang: 'en', exclude: ['drafts/'] } },
      { path: 'handbuch', options: { lang: 'de', exclude: ['drafts/'], plain: true } },
    ]);
  });

  it('are of the kind that the config names', async () => {
    const sources = await openSources(
      read({
        lang: 'de',
        sources: [
          { stdin: true },
          { sitemap: 'https://docs.example/sitemap.xml', lang: 'en' },
          { s3: 's3://bucket/prefix' },
          { sqlite: 'a.db', query: 'SELECT 1' },
        ],
      }),
    );
    expect(sources.map((source) => [source.constructor.name, source.options.lang])).toEqual([
      ['StdinSource', 'de'],
      ['SitemapSource', 'en'],
      ['S3Source', 'de'],
      ['SqlSource', 'de'],
    ]);
  });

  it('are the paths of the command line, if there are any', async () => {
    expect(await folders(read({ lang: 'en', sources: ['docs'] }), ['a.md'])).toEqual([
      { path: 'a.md', options: { lang: 'en' } },
    ]);
  });
});

it('is no FIFO', () => {
  const fifo = join(temporaryFolder(), 'config.json');
  execFileSync('mkfifo', [fifo]);
  expect(() => readConfig(fifo)).toThrow(`${fifo}: not a regular file. Choose another file.`);
});
