import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Answer, IndexInfo, SearchRequest } from '../../../index/search/answer.ts';
import { CurrentSearch } from '../../../index/search/current-search.ts';
import { Unavailable } from '../../../index/store/store.ts';
import { SearchDouble } from '../../functions/search/search-double.ts';

const request = { q: 'Any?', k: 1, mode: 'hybrid' } as const;
const TIMEOUT = 10;

/** A search of one generation, which can be held back. */
class Held extends SearchDouble {
  override readonly info: IndexInfo;
  hold = Promise.resolve();
  constructor(generation: number) {
    super();
    this.info = { version: `v${generation}`, passages: generation, model: 'double' };
  }
  override async search(asked: SearchRequest): Promise<Answer> {
    await this.hold;
    return { ...(await super.search(asked)), index: this.info };
  }
}

/** Seconds since the start. */
let time: number;
/** The current generation, or why there is none. */
let current: number | undefined | Error;
/** Called before a look or an opening ends. */
let wait: () => Promise<unknown>;
let calls: string[];
let messages: string[];
let searches: Map<number, Held>;
let search: CurrentSearch;

beforeEach(() => {
  [time, current, calls, messages] = [100, 1, [], []];
  wait = async () => {};
  searches = new Map([1, 2].map((generation) => [generation, new Held(generation)]));
  vi.spyOn(process, 'uptime').mockImplementation(() => time);
  search = new CurrentSearch(
    {
      async current() {
        calls.push('look');
        await wait();
        if (current instanceof Error) throw current;
        return current;
      },
      async open(generation) {
        calls.push(`open ${generation}`);
        await wait();
        const found = searches.get(generation);
        if (!found) throw new Error(`Generation ${generation} is damaged.`);
        return found;
      },
      close: () => calls.push('close'),
    },
    { timeout: TIMEOUT, report: (message) => messages.push(message) },
  );
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const ask = async () => (await search.search(request)).index.version;

test('a search looks for another generation every 10 seconds', async () => {
  expect(await ask()).toBe('v1');
  time += 9.9;
  expect(await ask()).toBe('v1');
  expect(calls).toEqual(['look', 'open 1']);
  time += 0.1;
  expect(await ask()).toBe('v1');
  expect(calls).toEqual(['look', 'open 1', 'look']);
});

test('a new generation answers once it is found', async () => {
  expect(await ask()).toBe('v1');
  current = 2;
  time += 9;
  expect(await ask()).toBe('v1');
  time += 1;
  expect(await ask()).toBe('v2');
  expect(search.info.passages).toBe(2);
  expect(messages).toEqual(['The index was replaced. Searching 2 passages.']);
});

test('a search that runs finishes on its generation', async () => {
  let go = () => {};
  searches.get(1)!.hold = new Promise((resolve) => {
    go = resolve;
  });
  const slow = ask();
  await vi.waitFor(() => expect(calls).toEqual(['look', 'open 1']));
  await new Promise(setImmediate);
  current = 2;
  time += 10;
  expect(await ask()).toBe('v2');
  go();
  expect(await slow).toBe('v1');
});

test('searches at the same time share a look and an opening', async () => {
  wait = () => new Promise(setImmediate);
  expect((await Promise.all([ask(), ask(), search.passage('x'), search.overview()])).slice(0, 2)).toEqual([
    'v1',
    'v1',
  ]);
  expect(calls).toEqual(['look', 'open 1']);
  current = 2;
  time += 10;
  expect(await Promise.all([ask(), ask(), ask()])).toEqual(['v2', 'v2', 'v2']);
  expect(calls).toEqual(['look', 'open 1', 'look', 'open 2']);
});

test('without an index, each search says so and looks again', async () => {
  current = undefined;
  const failure = new Unavailable('There is no index yet. Try again when one has been built and published.');
  await expect(ask()).rejects.toThrow(failure);
  await expect(ask()).rejects.toThrow(Unavailable);
  expect(calls).toEqual(['look', 'look']);
  current = 1;
  expect(await ask()).toBe('v1');
});

test('a search fails if the first look or opening fails, and the next one tries again', async () => {
  current = new Unavailable('AWS is away.');
  await expect(ask()).rejects.toThrow(current);
  current = 3;
  await expect(ask()).rejects.toThrow('Generation 3 is damaged.');
  current = 1;
  expect(await ask()).toBe('v1');
  expect(messages).toEqual([]);
});

test.each([
  ['look', new Unavailable('AWS is away.'), 'AWS is away.'],
  ['opening', 3, 'Generation 3 is damaged.'],
  ['pointer', undefined, 'There is no index yet. Try again when one has been built and published.'],
])('a failing %s keeps the open generation, and is reported once', async (_, failing, reason) => {
  await ask();
  current = failing;
  for (let i = 0; i < 3; i++) {
    time += 10;
    expect(await ask()).toBe('v1');
  }
  const message = `No newer index can be opened, so generation 1 still answers: ${reason}`;
  expect(messages).toEqual([message]);
  current = 1;
  time += 10;
  await ask();
  current = failing;
  time += 10;
  await ask();
  expect(messages).toEqual([message, message]);
});

test('a search waits at most a second for a look if a generation is open', async () => {
  await ask();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let go: (value?: unknown) => void = () => {};
  wait = () => new Promise((resolve) => (go = resolve));
  current = 2;
  time += 10;
  const first = ask();
  await vi.advanceTimersByTimeAsync(1000);
  expect(await first).toBe('v1');
  time += 1;
  const second = ask();
  await vi.advanceTimersByTimeAsync(0);
  expect(await second).toBe('v1');
  wait = async () => {};
  go();
  await vi.advanceTimersByTimeAsync(0);
  expect(await ask()).toBe('v2');
  expect(calls).toEqual(['look', 'open 1', 'look', 'open 2']);
});

test('a search ends a second before the timeout', async () => {
  await ask();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  searches.get(1)!.hold = new Promise(() => {});
  const failure = expect(ask()).rejects.toThrow(
    new Unavailable('The index did not answer within 9 s. Try again.'),
  );
  await vi.advanceTimersByTimeAsync(9000);
  await failure;
});
