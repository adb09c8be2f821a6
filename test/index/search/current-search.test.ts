import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type {
  Answer,
  ClosableSearch,
  IndexInfo,
  PassageAnswer,
  SearchRequest,
} from '../../../index/search/answer.ts';
import { CurrentSearch, folderGenerations } from '../../../index/search/current-search.ts';
import { Unavailable } from '../../../index/store/store.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { SearchDouble } from '../../functions/search/search-double.ts';

const request = { q: 'Any?', k: 1, mode: 'hybrid' } as const;
const TIMEOUT = 10;

/** A search of one generation, which can be held back, and shows whether it was closed. */
class Held extends SearchDouble implements ClosableSearch {
  override readonly info: IndexInfo;
  hold = Promise.resolve();
  closed = false;
  constructor(generation: number) {
    super();
    this.info = { version: `v${generation}`, passages: generation, model: 'double' };
  }
  override async search(asked: SearchRequest): Promise<Answer> {
    await this.hold;
    if (this.closed) throw new Error('It is closed.');
    return { ...(await super.search(asked)), index: this.info };
  }
  override async passage(id: string): Promise<PassageAnswer | undefined> {
    await this.hold;
    if (this.closed) throw new Error('It is closed.');
    return super.passage(id);
  }
  close(): void {
    this.closed = true;
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
let search: CurrentSearch<number>;

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

test('a search that runs finishes on its generation, which is closed then', async () => {
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
  expect(searches.get(1)!.closed).toBe(false);
  go();
  expect(await slow).toBe('v1');
  expect([searches.get(1)!.closed, searches.get(2)!.closed]).toEqual([true, false]);
  search.close();
  expect(searches.get(2)!.closed).toBe(true);
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
  const message = `No newer index can be opened, so the old one still answers: ${reason}`;
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

describe('an index in a folder', () => {
  let folder: string;
  let results: (Held | Error)[];
  beforeEach(() => {
    folder = temporaryFolder();
    replace('1');
  });

  /** Puts another manifest in place, as a build does. */
  function replace(content: string): void {
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    writeFileSync(join(folder, 'manifest.json'), content);
  }

  function follow(...opened: (Held | Error)[]): Promise<CurrentSearch<string>> {
    results = opened;
    const open = async () => {
      const next = results.shift();
      if (next instanceof Held) return next;
      throw next ?? new Error('It was opened too often.');
    };
    const report = (message: string) => messages.push(message);
    return new CurrentSearch(folderGenerations(folder, open), { report }).refresh();
  }

  test('answers until a build replaces it', async () => {
    const [first, second] = [new Held(1), new Held(2)];
    const following = await follow(first, second);
    await following.search(request);
    await following.search(request);
    replace('22');
    await following.search(request);
    expect([first.requests.length, second.requests.length]).toEqual([2, 1]);
    expect([first.closed, second.closed]).toEqual([true, false]);
    expect(messages).toEqual(['The index was replaced. Searching 2 passages.']);
  });

  test('stays open for reads that run, while others use the newest one', async () => {
    const [first, second] = [new Held(1), new Held(2)];
    let go = () => {};
    first.hold = new Promise((resolve) => {
      go = resolve;
    });
    const following = await follow(first, second);
    const slow = following.passage('guides/passports.md#2');
    await new Promise(setImmediate);
    replace('22');
    expect(await following.overview()).toEqual(await second.overview());
    expect(first.closed).toBe(false);
    go();
    expect(await slow).toMatchObject({ id: 'guides/passports.md#2' });
    expect(first.closed).toBe(true);
  });

  test('still answers if the new one is damaged or missing, and the next is tried', async () => {
    const [first, third] = [new Held(1), new Held(3)];
    const following = await follow(first, new Error('It is damaged.'), third);
    rmSync(join(folder, 'manifest.json'));
    await following.search(request);
    writeFileSync(join(folder, 'manifest.json'), '22');
    await following.search(request);
    await following.search(request);
    expect(first.requests.length).toBe(3);
    expect(messages).toEqual(['No newer index can be opened, so the old one still answers: It is damaged.']);
    replace('333');
    await following.search(request);
    expect(third.requests.length).toBe(1);
  });

  test('that cannot be opened at first is not followed', async () => {
    rmSync(folder, { recursive: true });
    await expect(follow(new Error('There is no index.'))).rejects.toThrow('There is no index.');
    mkdirSync(folder);
  });
});
