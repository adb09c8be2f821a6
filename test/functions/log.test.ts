import { describe, expect, test } from 'vitest';
import { createApp } from '../../functions/search/app.ts';
import { post } from './ask.ts';
import { failingSearch, SearchDouble } from './search-double.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('a failing search', () => {
  test.each(['/search?q=x', '/passages/x'])(
    '%s answers 500 with the request id and nothing internal',
    async (path) => {
      const lines: string[] = [];
      const app = createApp(failingSearch, { log: (line) => lines.push(line) });
      const response = await app.request(path);
      expect(response.status).toBe(500);
      const requestId = response.headers.get('x-request-id');
      expect(requestId).toMatch(uuid);
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
        detail: `The search failed. The log has the cause under ${requestId}.`,
        requestId,
      });
      expect(lines).toHaveLength(1);
      const line = JSON.parse(lines[0]!);
      expect(line).toMatchObject({ level: 'error', status: 500, requestId });
      expect(line.error).toMatch(/^Error: secret path [\s\S]*search-double/);
    },
  );

  test('an index that can not be opened is a 500 too', async () => {
    const search = Promise.reject(new Error('no index'));
    search.catch(() => {});
    const app = createApp(search, { log: () => {} });
    const response = await app.request('/health');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('no index');
  });
});

describe('the log', () => {
  async function logged(path: string, init: RequestInit = {}, options = {}) {
    const lines: string[] = [];
    const app = createApp(new SearchDouble(), { log: (line) => lines.push(line), ...options });
    const response = await app.request(path, init);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('\n');
    const { time, ms, requestId, ...rest } = JSON.parse(lines[0]!);
    expect(new Date(time).toISOString()).toBe(time);
    expect(ms).toBeGreaterThanOrEqual(0);
    expect(requestId).toBe(response.headers.get('x-request-id'));
    return rest;
  }

  const searched = { k: 10, mode: 'hybrid', embedMs: 3, searchMs: 1 };

  test('of a search has its measures and not its question', async () => {
    expect(await logged('/search?q=private')).toEqual({
      level: 'info',
      method: 'GET',
      route: '/search',
      status: 200,
      ...searched,
      results: 1,
      answered: true,
      topConfidence: 0.75,
    });
  });

  test('of a search without results has no confidence', async () => {
    const line = await logged('/search', post({ q: 'nothing', k: 5 }));
    expect(line).toEqual({
      level: 'info',
      method: 'POST',
      route: '/search',
      status: 200,
      ...searched,
      k: 5,
      results: 0,
      answered: false,
    });
  });

  test('has the question where that is asked for', async () => {
    expect(await logged('/search?q=private', {}, { logQuestions: true })).toMatchObject({ q: 'private' });
  });

  test.each([
    ['GET', '/passages/guides%2Fprivate', '/passages/:id', 404],
    ['HEAD', '/health', '/health', 200],
    ['DELETE', '/search?q=private', '/search', 405],
    ['GET', '/search?q=x&k=private', '/search', 400],
    ['GET', '/private', '/*', 404],
  ])('of %s %s has the route, not the path', async (method, path, route, status) => {
    expect(await logged(path, { method })).toEqual({ level: 'info', method, route, status });
  });
});
