import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Answer, ClosableSearch, PassageAnswer } from '../../../index/search/answer.ts';
import { ReloadingSearch } from '../../../index/search/reloading-search.ts';
import { temporaryFolder } from '../../fixtures/index.ts';
import { SearchDouble } from '../../functions/search/search-double.ts';

const request = { q: 'Any?', k: 1, mode: 'hybrid' } as const;

/** A search that shows whether it was closed, and can be held back. */
class Traced extends SearchDouble implements ClosableSearch {
  closed = false;
  hold = Promise.resolve();
  override async search(asked: typeof request): Promise<Answer> {
    await this.hold;
    if (this.closed) throw new Error('It is closed.');
    return super.search(asked);
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

let folder: string;
let opened: (Traced | Error)[];
let messages: string[];
beforeEach(() => {
  folder = temporaryFolder();
  replace('1');
  opened = [];
  messages = [];
});

/** Puts another manifest in place, as a build does. */
function replace(content: string): void {
  const draft = temporaryFolder();
  writeFileSync(join(draft, 'manifest.json'), content);
  rmSync(folder, { recursive: true });
  cpSync(draft, folder, { recursive: true });
}

function open(): Promise<ReloadingSearch> {
  const results = [...opened];
  return ReloadingSearch.open(
    folder,
    async () => {
      const next = results.shift();
      if (next instanceof Traced) return next;
      throw next ?? new Error('It was opened too often.');
    },
    (message) => messages.push(message),
  );
}

describe('ReloadingSearch', () => {
  it('answers from one index until a build replaces it', async () => {
    const [first, second] = [new Traced(), new Traced()];
    opened = [first, second];
    const search = await open();
    await search.search(request);
    await search.search(request);
    replace('22');
    await search.search(request);
    expect([first.requests.length, second.requests.length]).toEqual([2, 1]);
    expect([first.closed, second.closed]).toEqual([true, false]);
    expect(messages).toEqual(['The index was replaced. Searching 1 passages.']);
  });

  it('closes the old index after its last search', async () => {
    const [first, second] = [new Traced(), new Traced()];
    let go = () => {};
    first.hold = new Promise((resolve) => {
      go = resolve;
    });
    opened = [first, second];
    const search = await open();
    const slow = search.search(request);
    await Promise.resolve();
    replace('22');
    await search.search(request);
    expect(first.closed).toBe(false);
    go();
    await slow;
    expect(first.closed).toBe(true);
  });

  it('reads passages and the overview from the newest index, and keeps the old one open for reads that run', async () => {
    const [first, second] = [new Traced(), new Traced()];
    let go = () => {};
    first.hold = new Promise((resolve) => {
      go = resolve;
    });
    opened = [first, second];
    const search = await open();
    const slow = search.passage('guides/passports.md#2');
    await Promise.resolve();
    replace('22');
    expect(await search.overview()).toEqual(await second.overview());
    expect(first.closed).toBe(false);
    go();
    expect(await slow).toMatchObject({ id: 'guides/passports.md#2' });
    expect(first.closed).toBe(true);
  });

  it('keeps the old index if the new one is damaged or missing, and tries the next', async () => {
    const [first, third] = [new Traced(), new Traced()];
    opened = [first, new Error('It is damaged.'), third];
    const search = await open();
    rmSync(join(folder, 'manifest.json'));
    await search.search(request);
    writeFileSync(join(folder, 'manifest.json'), '22');
    await search.search(request);
    await search.search(request);
    expect(first.requests.length).toBe(3);
    expect(messages).toEqual([
      'The new index cannot be opened, so the old one still answers: It is damaged.',
    ]);
    replace('333');
    await search.search(request);
    expect(third.requests.length).toBe(1);
  });
});
