import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../functions/search/app.ts';
import { createAppServer } from '../../functions/search/listener.ts';
import type { Answer, Match, SearchRequest } from '../../index/search/answer.ts';
import { ask, settled, useBrowser } from '../fixtures/page.ts';
import { missingTools } from '../fixtures/tools.ts';
import { SearchDouble } from '../functions/search/search-double.ts';

/** A text whose best sentence is in `«»`, and its matches. The marks are not part of the text. */
interface Shown {
  text: string;
  lang?: string;
  words?: [word: string, weight: number][];
}

const SHOWN: Record<string, Shown> = {
  'ferie pagate': {
    text: 'Artículo 24. «Toda persona tiene derecho a vacaciones periódicas pagadas.» Las vacaciones son anuales.',
    lang: 'es',
    words: [
      ['pagadas', 0.4],
      ['vacaciones', 0.3],
      ['periódicas', 0.2],
      ['anuales', 0.15],
      ['persona', 0.02],
    ],
  },
  'who pays': {
    text: 'Law. «The <img src=x onerror="document.title=1"> state & <b>town</b> pay.» End.',
    words: [
      ['<img src=x onerror="document.title=1">', 0.5],
      ['<b>town</b>', 0.4],
    ],
  },
  'free education': {
    text: 'المادة 26. «لكل شخص الحق في التعليم المجاني.» والتعليم إلزامي.',
    lang: 'ar',
    words: [
      ['التعليم', 0.4],
      ['المجاني', 0.4],
    ],
  },
  'no words': { text: 'One. «Two two.» Three.', words: [] },
  'no matches': { text: 'One. «Two two.» Three.' },
};

/** Answers the questions above with these passages, and others like `SearchDouble`. */
class MatchingSearch extends SearchDouble {
  override async search(request: SearchRequest): Promise<Answer> {
    const answer = await super.search(request);
    const shown = SHOWN[request.q];
    if (!shown) return answer;
    const { lang = 'en', words } = shown;
    const [before = '', sentence = '', after = ''] = shown.text.split(/[«»]/);
    const text = before + sentence + after;
    const highlight = { text: sentence, start: before.length, end: before.length + sentence.length };
    const matches = words?.map(([word, weight]): Match => {
      const start = text.indexOf(word);
      return { query: [0, request.q.length], text: [start, start + word.length], weight };
    });
    const { matches: _, ...result } = answer.results[0]!;
    const own = request.matches && matches ? { matches } : {};
    return { ...answer, results: [{ ...result, text, lang, highlight, ...own }] };
  }
}

describe.skipIf(missingTools('chromium'))('the page', () => {
  const browser = useBrowser();
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createAppServer(createApp(new MatchingSearch(), { log: () => {} })).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address?.port}`;
  });
  afterAll(() => {
    server?.closeAllConnections();
    server?.close();
  });

  async function open(q: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await browser.open(`${url}/?${new URLSearchParams({ q })}`, options);
    await settled(page);
    return page;
  }

  const marks = (page: Page) => page.locator('mark').allTextContents();

  test.each([
    ['Passports?', /^1 likely answer$/, 1],
    ['perhaps', /^No sure answer\.\s+The closest passages:$/, 1],
    ['unlikely', /^No answer found\.\s+The closest passages:$/, 1],
    ['nothing', /^No answer found\.\s+No passages match these filters\.$/, 0],
  ])('announces the verdict on %j, and hides no passage', async (q, announced, passages) => {
    const page = await open('');
    await ask(page, q);
    const status = page.locator('#status');
    expect(await status.getAttribute('role')).toBe('status');
    expect(await status.innerText()).toMatch(announced);
    const shown = page.locator('article');
    expect(await shown.count()).toBe(passages);
    if (passages > 0) expect(await shown.isVisible()).toBe(true);
  });

  test('marks matching words, joins neighbours, and leaves out weak ones', async () => {
    const page = await open('ferie pagate');
    expect(await marks(page)).toEqual(['vacaciones periódicas pagadas', 'anuales']);
    const { text } = SHOWN['ferie pagate']!;
    expect(await page.locator('.passage').textContent()).toBe(text.replace(/[«»]/g, ''));
    expect(await page.locator('.best').textContent()).toBe(/«(.*)»/.exec(text)![1]);
    expect(await page.locator('.best mark').count()).toBe(1);
    // Back shows the same marks from the page's own memory.
    await ask(page, 'Passports?');
    await page.goBack();
    await settled(page);
    expect(await marks(page)).toEqual(['vacaciones periódicas pagadas', 'anuales']);
  });

  test.each(['no words', 'no matches'])('marks the best sentence with %s', async (q) => {
    const page = await open(q);
    expect(await marks(page)).toEqual(['Two two.']);
    expect(await page.locator('.best').textContent()).toBe('Two two.');
  });

  test('marks words that look like markup as text', async () => {
    const page = await open('who pays');
    const texts = SHOWN['who pays']!.words!.map(([word]) => word);
    expect(await marks(page)).toEqual(texts);
    expect(await page.locator('#results').locator('img, b').count()).toBe(0);
    expect(await page.title()).toBe('who pays – polyseek');
  });

  test('marks words of right-to-left text in reading order', async () => {
    const page = await open('free education');
    expect(await marks(page)).toEqual(['التعليم المجاني']);
    const [mark, sentence] = await Promise.all([
      page.locator('mark').boundingBox(),
      page.locator('.best').boundingBox(),
    ]);
    // The sentence ends with these words, so only its full stop is left of them.
    const [left, right] = [mark!.x - sentence!.x, sentence!.x + sentence!.width - mark!.x - mark!.width];
    expect(left).toBeGreaterThanOrEqual(0);
    expect(left).toBeLessThan(right);
  });

  test.each(['light', 'dark'] as const)(
    '%s: words stand out in the sentence, and pass axe',
    async (scheme) => {
      const page = await open('ferie pagate', { colorScheme: scheme, reducedMotion: 'reduce' });
      const background = (selector: string) =>
        page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).backgroundColor`);
      const colours = [await background('.best'), await background('.best mark'), await background('body')];
      expect(new Set(colours).size).toBe(3);
      await page.evaluate(
        readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'),
      );
      const { violations } = await page.evaluate<{ violations: { id: string }[] }>('axe.run()');
      expect(violations.map(({ id }) => id)).toEqual([]);
    },
  );

  test('shows a request without matches as code', async () => {
    const page = await open('perhaps');
    await page.getByRole('button', { name: 'Request as code' }).click();
    expect(await page.locator('code').textContent()).toBe(`curl '${url}/search?q=perhaps'`);
  });
});
