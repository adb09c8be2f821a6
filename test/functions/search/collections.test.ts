import { object, parse, string } from 'valibot';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../../functions/search/app.ts';
import { createHandler } from '../../../functions/search/handler.ts';
import type { App } from '../../../functions/search/http.ts';
import type { Search } from '../../../index/search/answer.ts';
import { post, request } from './ask.ts';
import { SearchDouble } from './search-double.ts';

/** A search with its own index version, so that answers show which index they come from. */
class Named extends SearchDouble {
  override readonly info;
  constructor(version: string) {
    super();
    this.info = { version, passages: 1, model: 'double' };
  }
}

/** An endpoint with two collections, and the openings so far. */
function open(failures = 0) {
  const openings: string[] = [];
  let left = failures;
  const opener = (name: string) => async (): Promise<Search> => {
    openings.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    if (left-- > 0) throw new Error('secret path /var/task/collections/hr');
    return new Named(name);
  };
  const collections = new Map(['hr', 'law'].map((name) => [name, opener(name)]));
  return { app: createApp(new Named('default'), { collections, log: () => {} }), openings };
}

/** The version of the index that answers, or the status of a refusal. */
async function versionAt(app: App, path: string): Promise<string | number> {
  const response = await request(app, path);
  if (!response.ok) return response.status;
  return parse(object({ index: object({ version: string() }) }), await response.json()).index.version;
}

describe('a collection', () => {
  test('answers apart from the default index', async () => {
    const { app } = open();
    for (const [start, version] of [
      ['', 'default'],
      ['/c/hr', 'hr'],
      ['/browser/c/law', 'law'],
      ['/c/none', 404],
    ] as const) {
      expect(await versionAt(app, `${start}/health`)).toBe(version);
      expect(await versionAt(app, `${start}/overview`)).toBe(version);
    }
  });

  test('is opened by its first request, once, also if requests arrive together', async () => {
    const { app, openings } = open();
    await request(app, '/');
    await request(app, '/search?q=x');
    expect(openings).toEqual([]);
    const paths = ['/c/hr/search?q=a', '/c/hr/health', '/c/hr/overview', '/browser/c/hr/search?q=b'];
    const answers = await Promise.all(paths.map((path) => request(app, path)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(openings).toEqual(['hr']);
    await request(app, '/c/law/search?q=x');
    await request(app, '/c/hr/search?q=x');
    expect(openings).toEqual(['hr', 'law']);
  });

  test('is not opened by a request that needs no index', async () => {
    const { app, openings } = open();
    for (const path of ['/c/hr/', '/c/hr/openapi.json', '/c/hr/search', '/c/hr/nothing'])
      await request(app, path);
    await request(app, '/c/hr/search', { method: 'OPTIONS' });
    await request(app, '/c/hr/', { headers: { accept: 'text/html' } });
    expect(openings).toEqual([]);
  });

  test('that cannot be opened fails alone, and is tried again', async () => {
    const { app, openings } = open(1);
    const both = await Promise.all(['/c/hr/health', '/c/hr/health'].map((path) => request(app, path)));
    for (const response of both) {
      expect(response.status).toBe(500);
      expect(await response.text()).not.toContain('secret');
    }
    expect(await versionAt(app, '/health')).toBe('default');
    expect(await versionAt(app, '/c/hr/health')).toBe('hr');
    expect(openings).toEqual(['hr', 'hr']);
  });

  test.each(['constructor', '__proto__', 'hr%00', 'HR', 'hr.', '..%2Fhr', ' hr'])(
    'with the name %s does not exist',
    async (name) => {
      const { app, openings } = open();
      expect((await request(app, `/c/${name}/health`)).status).toBe(404);
      expect(openings).toEqual([]);
    },
  );

  test('takes questions of POST and of direct events', async () => {
    const { app, openings } = open();
    expect((await request(app, '/c/hr/search', post({ q: 'x' }))).status).toBe(200);
    expect(await createHandler(app)({ q: 'x', collection: 'law', k: 1 })).toMatchObject({ q: 'x' });
    expect(openings).toEqual(['hr', 'law']);
    for (const collection of [
      'none',
      '',
      '.',
      '..',
      '../hr',
      'hr/../law',
      'hr/search',
      'hr?',
      '%68r',
      5,
      null,
      ['x'],
    ])
      await expect(createHandler(app)({ q: 'x', collection })).rejects.toThrow(
        /^(Not found|There is no such|collection must be the name of a collection)/,
      );
  });
});
