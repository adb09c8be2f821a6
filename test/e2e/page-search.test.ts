import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { BrowserContextOptions, Page, Request } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../functions/search/app.ts';
import { createAppServer } from '../../functions/search/listener.ts';
import type { LogEntry } from '../../functions/search/log.ts';
import type { Answer, Match, PassageAnswer, SearchRequest } from '../../index/search/answer.ts';
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
  'a price': {
    text: 'Prices.\n\nsize | price\n«small | 3 euros»\nlarge | 5 euros\n\nrun {\n  pay();\n}',
    words: [['3 euros', 0.5]],
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
    const matches = words?.map(([word, weight], i): Match => {
      const start = text.indexOf(word);
      return { query: [i, i + 1], text: [start, start + word.length], weight };
    });
    const { matches: _, ...result } = answer.results[0]!;
    const own = request.matches && matches ? { matches } : {};
    return { ...answer, results: [{ ...result, text, lang, highlight, ...own }] };
  }
}

const CONFIDENCES = [0.9, 0.7, 0.4, 0.1];
/** An id that an address must escape. */
const idOf = (i: number) => `guides/a b.pdf#${i}?&é`;

/** Two documents with their languages, in several translations. */
const TRANSLATED: [source: string, lang: string][] = [
  ['deu_1996.html', 'de-1996'],
  ['fr/guide.md', 'fr'],
  ['eng.html', 'en'],
  ['guide.md', 'en'],
  ['guide.pt-BR.md', 'pt'],
];

/** Answers each question with passages whose headings name it. Only the second has no URL. */
class NamingSearch extends SearchDouble {
  override async search(request: SearchRequest): Promise<Answer> {
    const answer = await super.search(request);
    if (request.q === 'translated') {
      const results = TRANSLATED.map(([source, lang]) => ({
        ...answer.results[0]!,
        id: source,
        source,
        title: source,
        lang,
      }));
      return { ...answer, results };
    }
    const results = CONFIDENCES.map((confidence, i) => {
      const { url, ...rest } = answer.results[0]!;
      const place =
        i === 1 ? {} : { url: `https://example.org/a.pdf#page=${i + 3}`, anchor: `page=${i + 3}` };
      const source = request.q === 'grouped' && i === 0 ? 'other.md' : rest.source;
      return { ...rest, ...place, id: idOf(i), source, title: `Guide › ${request.q} ${i}`, confidence };
    });
    return { ...answer, results };
  }

  override async passage(id: string, context?: number): Promise<PassageAnswer | undefined> {
    const passage = (await super.passage('guides/passports.md#2', context))!;
    return [0, 1, 2, 3].some((i) => idOf(i) === id) ? { ...passage, id } : undefined;
  }
}

describe.skipIf(missingTools('chromium'))('the page', () => {
  const browser = useBrowser();
  const search = new NamingSearch();
  const feedback: LogEntry[] = [];
  const server = createServer();
  let url: string;
  beforeAll(async () => {
    const listener = createAppServer(
      createApp(search, {
        feedback: true,
        logQuestions: true,
        log: (entry) => entry.route === '/feedback' && feedback.push(entry),
      }),
    ).listeners('request')[0]!;
    // Like a gateway with a stage, and an endpoint with a collection.
    server.on('request', (request, response) => {
      request.url = request.url!.replace(/^\/prod\/c\/hr\/?/, '/');
      listener(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    search.requests.length = 0;
  });

  async function open(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const page = await browser.open(url + path, options);
    await settled(page);
    return page;
  }

  const asked = () => search.requests.map(({ q }) => q);
  const heading = (page: Page) => page.locator('h3').first();
  const shows = (page: Page, text: string) => expect.poll(() => heading(page).textContent()).toBe(text);
  const focused = (page: Page) =>
    page.evaluate<string>('document.activeElement.innerText || document.activeElement.id');

  test('searches while the reader types, in one entry of the history', async () => {
    const page = await open();
    await page.keyboard.type('pa');
    await page.keyboard.type('ssport');
    await shows(page, 'passport 0');
    expect(asked()).not.toContain('pa');
    expect(await page.title()).toBe('passport – polyseek');
    expect(new URL(page.url()).search).toBe('?q=passport');
    await page.keyboard.type(' fees');
    await shows(page, 'passport fees 0');
    // Enter keeps this question. The next gets an entry of its own.
    await page.keyboard.press('Enter');
    await page.keyboard.type(' today');
    await shows(page, 'passport fees today 0');
    await page.goBack();
    await shows(page, 'passport fees 0');
    expect(await page.getByRole('searchbox').inputValue()).toBe('passport fees');
    await page.goBack();
    await page.locator('#suggestions').waitFor();
    expect(await page.locator('#results article').count()).toBe(0);
    expect(new Set(asked()).size).toBe(asked().length);
  });

  test('asks whether an answer helped', async () => {
    const page = await open('/?q=passport');
    const line = page.locator('.feedback').filter({ hasText: 'Did this help?' });
    const no = line.getByRole('button', { name: 'No' });
    await no.click();
    expect(await no.getAttribute('aria-pressed')).toBe('true');
    await line.getByRole('button', { name: 'Yes' }).click();
    await expect.poll(() => feedback).toMatchObject([{ q: 'passport', helpful: false, status: 200 }]);
    await ask(page, 'passport fees');
    expect(await line.getByRole('button').allTextContents()).toEqual(['Yes', 'No']);
  });

  test('waits for the pause, except after Enter', async () => {
    // A session of its own, because the clock is that of all its tabs.
    const page = await browser.open('about:blank', { locale: 'en-GB' });
    browser.offences.splice(0);
    await page.clock.install();
    await page.goto(url);
    await settled(page);
    await page.clock.pauseAt(Date.now() + 60_000);
    await page.keyboard.type('休');
    await page.clock.runFor(1000);
    expect(await page.locator('#results').getAttribute('aria-busy')).toBe('false');
    await page.keyboard.type('假');
    expect(await page.locator('#results').getAttribute('aria-busy')).toBe('true');
    await page.clock.runFor(150);
    expect(asked()).toEqual([]);
    await page.clock.runFor(100);
    await shows(page, '休假 0');
    await page.keyboard.type('s');
    await page.keyboard.press('Enter');
    await shows(page, '休假s 0');
    expect(asked()).toEqual(['休假', '休假s']);
    // Our own addresses count as foreign to a page that started blank.
    browser.offences.splice(0);
  });

  test('never shows the answer to an earlier question', async () => {
    const page = await open();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const isSlow = (address: URL) => address.searchParams.get('q') === 'slow question';
    await page.route(isSlow, async (route) => {
      await released;
      // The page has cancelled the request by then.
      await route.continue().catch(() => {});
    });
    const asksSlow = (request: Request) => isSlow(new URL(request.url()));
    const slow = page.waitForRequest(asksSlow);
    // If typing takes long, the page also cancels requests for the first words.
    const cancelled = page.waitForEvent('requestfailed', asksSlow);
    await page.keyboard.type('slow question');
    await slow;
    await page.getByText('Searching…').waitFor();
    await page.keyboard.type(' no more');
    await shows(page, 'slow question no more 0');
    await cancelled;
    release();
    await page.keyboard.press('End');
    await page.keyboard.type('!');
    await shows(page, 'slow question no more! 0');
    expect(asked()).not.toContain('slow question');
  });

  test('shows the answer as a card, to read at its sentence and to copy with the key C', async () => {
    const page = await open('/?q=fees');
    expect(await page.locator('#status').innerText()).toBe('Passages that match your question');
    expect(await page.locator('article').count()).toBe(4);
    expect(await page.locator('.answer .snippet').allTextContents()).toEqual([
      'Passports are renewed online.',
    ]);
    const read = page.getByRole('link', { name: 'Read in context' });
    expect(await read.getAttribute('href')).toBe(
      'https://example.org/a.pdf#page=3:~:text=Passports%20are%20renewed%20online.',
    );
    await page.keyboard.press('c');
    await page.getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      '“Passports are renewed online.”\nGuide › fees 0\nhttps://example.org/a.pdf#page=3',
    );
    await ask(page, 'c');
    expect(await page.getByRole('searchbox').inputValue()).toBe('c');
  });

  test('puts results of a document below its first, a line each until that shows more', async () => {
    const page = await open('/?q=grouped');
    await shows(page, 'grouped 0');
    const second = page.locator('article + article');
    expect(await page.locator('ol > li').count()).toBe(2);
    expect(await second.count()).toBe(2);
    expect(await second.getByRole('button').count()).toBe(0);
    await page.locator('ol > li').nth(1).getByRole('button', { name: 'Show more' }).click();
    expect(await second.getByRole('button', { name: 'Show more' }).count()).toBe(2);
  });

  test('repeats requests that a gateway refused', async () => {
    const page = await open();
    let attempts = 0;
    await page.route('**/search?*', (route) =>
      ++attempts < 3
        ? route.fulfill({ status: attempts === 1 ? 503 : 429, headers: { 'retry-after': '0' }, json: {} })
        : route.continue(),
    );
    await page.getByRole('searchbox').fill('passport');
    await shows(page, 'passport 0');
    expect(attempts).toBe(3);
    expect(await page.locator('.error').count()).toBe(0);
    expect(browser.offences.splice(0).map((offence) => offence.match(/status of (\d+)/)?.[1])).toEqual([
      '503',
      '429',
    ]);
  });

  test('offers to try again where the next request may succeed', async () => {
    const page = await open('/?q=first+one');
    for (const [status, message] of [
      [503, 'The search does not respond.'],
      [429, 'Too many people are searching. Wait a moment.'],
      [0, 'The search cannot be reached. Check the connection.'],
    ] as const) {
      await page.route('**/search?*', (route) =>
        status === 0
          ? route.abort('connectionreset')
          : route.fulfill({ status, headers: { 'retry-after': '0' }, json: {} }),
      );
      await page.getByRole('searchbox').fill(`status ${status}`);
      const again = page.getByRole('status').getByRole('button', { name: 'Try again' });
      await again.waitFor();
      expect(await page.locator('.error').innerText()).toBe(message);
      expect(await page.locator('#results article').count()).toBe(0);
      await page.unroute('**/search?*');
      await again.click();
      await shows(page, `status ${status} 0`);
      expect(await page.locator('.error').count()).toBe(0);
      expect(browser.offences.splice(0).length).toBe(3);
    }
  });

  test('moves through results with arrows, opens them with Enter, and leaves with Escape', async () => {
    const page = await open('/?q=fees');
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
      return focused(page);
    };
    expect(await press('/')).toBe('question');
    expect(await page.getByRole('searchbox').inputValue()).toBe('fees');
    expect(await press('ArrowDown')).toBe('fees 0');
    expect(await press('ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown')).toBe('fees 3');
    expect(await press('ArrowUp', 'ArrowUp')).toBe('fees 1');
    // From a button inside a result.
    expect(await press('Tab', 'ArrowDown')).toBe('fees 2');
    expect(await press('Escape')).toBe('question');
    // Without a URL of its own, a result opens in the page.
    await press('ArrowDown', 'ArrowDown', 'Enter');
    await page.locator('.chosen-passage').waitFor();
    await press('Escape');
    await shows(page, 'fees 0');
    expect(await focused(page)).toBe('fees 1');
    expect(await press('ArrowUp', 'ArrowUp')).toBe('question');
    // Escape in the box clears it.
    await press('Escape');
    await page.locator('#suggestions').waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('');
    expect(await press('ArrowDown')).toBe('How are passports renewed?');
    await press('Enter');
    await shows(page, 'How are passports renewed? 0');

    // A result with a URL opens its document, at its place.
    await page.route('https://example.org/**', (route) => route.fulfill({ body: 'The document' }));
    await page.locator('h3 a').first().focus();
    await page.keyboard.press('Enter');
    await page.waitForURL('https://example.org/a.pdf#page=3');
    expect(browser.offences.splice(0)).toEqual(['asked https://example.org/a.pdf']);
  });

  test.each(['/', '/prod/c/hr'])('has a permalink to each passage of an answer, at %s', async (path) => {
    const page = await open(`${path}?q=fees&lang=en`);
    expect(await page.locator('#collection').textContent()).toBe(path === '/' ? '' : 'hr');
    await page.locator('article').nth(2).getByRole('button', { name: 'Show more' }).click();
    const link = page.getByRole('link', { name: 'Link to this passage' });
    const address = `${url}${path}?q=fees&lang=en#p=${encodeURIComponent(idOf(2))}`;
    expect(new URL((await link.getAttribute('href'))!, page.url()).href).toBe(address);
    await link.click();
    await page.locator('.chosen-passage').waitFor();
    expect(page.url()).toBe(address);
    expect(await page.title()).toBe('Passports › Renewal – polyseek');
    const view = page.locator('#passage');
    expect(await view.locator('h2').innerText()).toBe('Renewal');
    expect(await view.locator('.chosen-passage').innerText()).toBe(
      'Passports are renewed online. A renewal takes three weeks.',
    );
    expect(await view.locator('.neighbour').innerText()).toMatch(/^After\s+After\.$/);
    expect(await page.locator('#results article').count()).toBe(0);
    await view.getByRole('button', { name: 'Copy link' }).click();
    await view.getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(address);
    await view.getByRole('button', { name: 'Back to the results' }).click();
    await shows(page, 'fees 0');
    expect(await view.isVisible()).toBe(false);

    // Elsewhere it has the same marks, quotation and results.
    const other = await open(address.slice(url.length));
    const chosen = other.locator('.chosen-passage');
    await chosen.waitFor();
    expect(await chosen.locator('.best').allTextContents()).toEqual(['Passports are renewed online.']);
    await other.getByRole('heading', { name: 'polyseek' }).click();
    await other.keyboard.press('c');
    await other.getByText('Copied').waitFor();
    expect(await other.evaluate('navigator.clipboard.readText()')).toBe(
      '“Passports are renewed online.”\nPassports › Renewal\nhttps://example.org/passports',
    );
    await other.getByRole('button', { name: 'Back to the results' }).click();
    await shows(other, 'fees 0');
    expect(await other.locator('#lang-chosen').textContent()).toBe('English');

    // Without a question, there are no results to return to, and the whole passage is the quotation.
    await other.goto(`${url}${path}#p=${encodeURIComponent(idOf(2))}`);
    await chosen.waitFor();
    expect(await other.getByRole('button', { name: 'Back to the results' }).count()).toBe(0);
    expect(await other.getByRole('link', { name: 'Read in context' }).getAttribute('href')).toBe(
      'https://example.org/passports#:~:text=Passports%20are%20renewed%20online.,renewal%20takes%20three%20weeks.',
    );
    await other.getByRole('searchbox').fill('visa');
    await shows(other, 'visa 0');
    expect(await other.locator('#passage').isVisible()).toBe(false);
  });

  test("shows translations as one result: the answer, or first in the reader's language", async () => {
    const titlesOf = (page: Page) => page.locator('article:visible h3').allInnerTexts();
    const page = await open('/?q=translated');
    expect(await titlesOf(page)).toEqual(['deu_1996.html', 'guide.md']);
    const groups = page.getByRole('group', { name: 'Language' });
    expect(await groups.allInnerTexts()).toEqual(['German\nEnglish', 'French\nEnglish\nPortuguese']);
    await page.getByRole('button', { name: 'French' }).press('Enter');
    expect(await titlesOf(page)).toEqual(['deu_1996.html', 'fr/guide.md']);
    expect(await page.getByRole('button', { name: 'French', pressed: true }).count()).toBe(1);
    expect(await focused(page)).toBe('French');
    await page.getByRole('button', { name: 'English' }).first().click();
    expect(await titlesOf(page)).toEqual(['eng.html', 'fr/guide.md']);
    // Only the best result is the answer.
    expect(await page.locator('article:visible.answer').count()).toBe(0);
    await page.getByRole('searchbox').focus();
    await page.keyboard.press('ArrowDown');
    expect(await focused(page)).toBe('eng.html');
    // A reader of another language gets the best.
    const other = await open('/?q=translated', { locale: 'ja' });
    expect(await titlesOf(other)).toEqual(['deu_1996.html', 'fr/guide.md']);
  });

  test('says if a permalink leads nowhere', async () => {
    const page = await open('/#p=gone');
    await page.getByText('This passage does not exist. Its document may have changed.').waitFor();
    expect(browser.offences.splice(0)).toEqual([expect.stringContaining('status of 404')]);
  });

  test('shows the page of a result', async () => {
    const page = await open('/?q=fees');
    expect(await page.locator('article').first().locator('.meta').innerText()).toMatch(/^Guide\s+page 3$/);
    expect(await page.locator('.place').count()).toBe(3);
  });

  describe('with verdicts', () => {
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

    test('announces each verdict, and hides no passage', async () => {
      const page = await open('');
      const status = page.locator('#status');
      expect(await status.getAttribute('role')).toBe('status');
      for (const [q, announced, passages] of [
        ['Passports?', /^Passages that match your question$/, 1],
        ['perhaps', /^These passages are close to your question$/, 1],
        ['unlikely', /^Nothing here matches your question\. The closest passages:$/, 1],
        ['nothing', /^Nothing here matches your question\. No passages match these filters\.$/, 0],
      ] as const) {
        await ask(page, q);
        expect(await status.innerText()).toMatch(announced);
        const shown = page.locator('article');
        expect(await shown.count()).toBe(passages);
        if (passages > 0) expect(await shown.isVisible()).toBe(true);
      }
    });

    test('marks matching words, joins neighbours, and leaves out weak ones', async () => {
      const page = await open('ferie pagate');
      expect(await marks(page)).toEqual(['vacaciones periódicas pagadas']);
      await page.getByRole('button', { name: 'Show more' }).click();
      expect(await marks(page)).toEqual(['vacaciones periódicas pagadas', 'anuales']);
      const { text } = SHOWN['ferie pagate']!;
      expect(await page.locator('.text').textContent()).toBe(text.replace(/[«»]/g, ''));
      expect(await page.locator('.best').textContent()).toBe(/«(.*)»/.exec(text)![1]);
      expect(await page.locator('.best mark').count()).toBe(1);
      // Back shows the same marks from the page's own memory.
      await ask(page, 'Passports?');
      await page.goBack();
      await settled(page);
      expect(await marks(page)).toEqual(['vacaciones periódicas pagadas']);
    });

    test('lights up the counterparts of a word of the question', async () => {
      const page = await open('who pays');
      const lit = page.locator('.lit');
      await page.locator('mark').last().hover();
      expect(await lit.allTextContents()).toEqual(['<b>town</b>']);
      await page.getByRole('searchbox').press('Home');
      expect(await lit.allTextContents()).toEqual([SHOWN['who pays']!.words![0]![0]]);
      await page.getByRole('searchbox').press('End');
      expect(await lit.count()).toBe(0);
    });

    test('shows tables as tables, and code with its indentation', async () => {
      const page = await open('a price');
      await page.getByRole('button', { name: 'Show more' }).click();
      expect(await page.locator('tr').first().locator('td').allTextContents()).toEqual(['size', 'price']);
      expect(await page.locator('td').count()).toBe(6);
      expect(await marks(page)).toEqual(['3 euros']);
      expect(await page.locator('pre').last().innerText()).toBe('run {\n  pay();\n}');
      expect(await page.locator('.text p').allTextContents()).toEqual(['Prices.']);
    });

    test('marks the best sentence without words or matches', async () => {
      const page = await open('');
      for (const q of ['no words', 'no matches']) {
        await ask(page, q);
        expect(await marks(page)).toEqual(['Two two.']);
        expect(await page.locator('.best').textContent()).toBe('Two two.');
      }
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

    test('words stand out in the sentence, and pass axe', async () => {
      const page = await open('ferie pagate', { colorScheme: 'dark', reducedMotion: 'reduce' });
      await page.getByRole('button', { name: 'Show more' }).click();
      const background = (selector: string) =>
        page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).backgroundColor`);
      const colours = [await background('.best'), await background('.best mark'), await background('body')];
      expect(new Set(colours).size).toBe(3);
      await page.evaluate(
        readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'),
      );
      const { violations } = await page.evaluate<{ violations: { id: string }[] }>('axe.run()');
      expect(violations.map(({ id }) => id)).toEqual([]);
    });

    test('shows a request without matches as code', async () => {
      const page = await open('perhaps');
      await page.getByRole('button', { name: 'Request as code' }).click();
      expect(await page.locator('code').textContent()).toBe(`curl '${url}/search?q=perhaps'`);
    });
  });
});
