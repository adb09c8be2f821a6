import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Document } from '../../index/documents/document.ts';
import type { Overview } from '../../index/format/overview-types.ts';
import type { Answer, PassageAnswer } from '../../index/search/answer.ts';
import { defaultModel } from '../fixtures/index.ts';
import { ask, KORVANE, settled, UNANSWERED, useBrowser, usePageIndex } from '../fixtures/page.ts';
import { startServer } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

const HOSTILE = {
  title: '<b>Zorbling</b> & <i>"engines"</i>',
  text: `The zorbling engine was patented in 1911 by <img src=x onerror="document.title='owned'"> Ada Quill. </script><script>document.title='owned'</script> It burns peat.`,
};

/** Names and URLs of documents with the same text. */
const COPIES = [
  ['mill.md', 'https://example.org/mill'],
  ['copy.md', 'https://example.org/copy'],
  ['<b>.md', "javascript:document.title='owned'"],
] as const;

const documents: Document[] = [
  {
    source: 'odd/<script>.md',
    title: 'Odd',
    url: "javascript:document.title='owned'",
    lang: 'en',
    blocks: [
      { kind: 'heading', level: 2, text: HOSTILE.title },
      { kind: 'paragraph', text: HOSTILE.text },
    ],
  },
  {
    source: 'odd/linked.md',
    title: 'Linked',
    url: 'https://example.org/glass',
    lang: 'en',
    blocks: [{ kind: 'paragraph', text: 'Purple glass from Vessel Bay gets its colour from manganese.' }],
  },
  ...COPIES.map(
    ([name, url]): Document => ({
      source: `odd/${name}`,
      url,
      lang: 'en',
      blocks: [
        { kind: 'paragraph', text: 'The tidal mill of Ostermoor grinds barley at every second low tide.' },
      ],
    }),
  ),
];

describe.skipIf(missingTools('chromium'))('the page', () => {
  const index = usePageIndex(documents, defaultModel());
  const browser = useBrowser();
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    server = await startServer(index);
  });
  afterAll(() => server?.stop());

  async function open(path = '/'): Promise<Page> {
    const page = await browser.open(server.url + path);
    await settled(page);
    return page;
  }

  async function get<T>(path: string): Promise<T> {
    const response = await fetch(server.url + path);
    expect(response.status).toBe(200);
    return (await response.json()) as T;
  }

  const search = (q: string, rest = '') => get<Answer>(`/search?${new URLSearchParams({ q })}${rest}`);

  const question = (page: Page) => new URL(page.url()).searchParams.get('q');
  const NAMES: Record<string, string> = { en: 'English', de: 'German', ar: 'Arabic' };
  const languagesOf = (page: Page) => page.locator('.meta .language').allTextContents();
  const langsOf = (page: Page) =>
    page.locator('article h3').evaluateAll((all) => all.map((one) => (one as { lang?: string }).lang));

  test('offers questions from the index, and each finds its own passage', async () => {
    const { suggestions, documents, index: info } = await get<Overview & Pick<Answer, 'index'>>('/overview');
    expect(suggestions.length).toBeGreaterThanOrEqual(3);
    expect(new Set(suggestions.map(({ lang }) => lang))).toEqual(new Set(['ar', 'de', 'en']));
    const page = await open();
    expect(await page.locator('#about').textContent()).toBe(
      `Searching ${info.passages} passages in 3 languages from ${documents} documents`,
    );
    const links = page.locator('#suggestions a');
    expect(await links.allTextContents()).toEqual(suggestions.map(({ text }) => text));
    for (const [i, { text }] of suggestions.entries()) {
      await links.nth(i).click();
      await settled(page);
      expect(question(page)).toBe(text);
      expect(await page.locator('article').first().textContent()).toContain(text);
      await page.goBack();
    }
  });

  test('shows the results of the endpoint', async () => {
    const page = await open();
    await ask(page, KORVANE);
    const { answered, results } = await search(KORVANE);
    expect(answered).toBe(true);
    expect(question(page)).toBe(KORVANE);
    expect(await page.locator('#status').textContent()).toBe('Passages that match your question');
    // Results of a document and its translations are together, and only other languages than the reader's are named.
    const nameOf = ({ source }: { source: string }) => source.replace(/^[a-z]{2}\//, '');
    const names = [...new Set(results.map(nameOf))];
    const shown = names.flatMap((name) => results.filter((result) => nameOf(result) === name));
    expect(await page.locator('article h3').allTextContents()).toEqual(
      shown.map(({ title }) => title.split(' › ').at(-1)),
    );
    expect(await langsOf(page)).toEqual(shown.map(({ lang }) => lang));
    expect(await languagesOf(page)).toEqual(
      shown.filter(({ lang }) => lang !== 'en').map(({ lang }) => NAMES[lang]),
    );
    const first = page.locator('article').first();
    expect(await first.getByRole('heading').textContent()).toBe('Korvane lighthouse');
    expect(await first.locator('.crumbs').textContent()).toBe('lighthouse');
    // The answer is its best sentence. The heading is above the passage, so that starts with its text.
    expect(await page.locator('.answer .snippet').allTextContents()).toEqual([results[0]!.highlight.text]);
    await first.getByRole('button', { name: 'Show more' }).click();
    const text = results[0]!.text.replace('Korvane lighthouse\n', '');
    expect(await first.locator('.text').textContent()).toBe(text);
  });

  test('shows a text once, with its other places', async () => {
    const page = await open();
    const q = 'How often does the tidal mill grind barley?';
    await ask(page, q);
    const [result] = (await search(q)).results;
    const others = COPIES.filter(([name]) => `odd/${name}` !== result!.source);
    expect(result!.alsoIn).toMatchObject(others.map(([name, url]) => ({ source: `odd/${name}`, url })));
    await page.getByRole('button', { name: 'Show more' }).first().click();
    const places = page.locator('article').first().locator('.also');
    expect(await places.textContent()).toBe(`Also in: ${others.map(([name]) => `odd/${name}`).join(', ')}`);
    const links = await places.locator('a').all();
    expect(await Promise.all(links.map((link) => link.getAttribute('href')))).toEqual(
      others.map(([, url]) => url).filter((url) => url.startsWith('https:')),
    );
    expect(await page.locator('.also').count()).toBe(1);
  });

  test('shows no heading of suggestions if there are none', async () => {
    const page = await open();
    expect(await page.locator('#suggestions').isVisible()).toBe(true);
    const overview = await get<Overview>('/overview');
    await page.route('**/overview', (route) => route.fulfill({ json: { ...overview, suggestions: [] } }));
    await page.reload();
    await settled(page);
    expect(await page.locator('#suggestions').isVisible()).toBe(false);
    expect(await page.getByText('Suggested questions').isVisible()).toBe(false);
  });

  test('expands a snippet to its passage with the surrounding text', async () => {
    const page = await open(`/?${new URLSearchParams({ q: KORVANE })}`);
    const first = page.locator('article').first();
    const [result] = (await search(KORVANE)).results;
    const { before, after } = await get<PassageAnswer>(`/passages/${result!.id}?context=1`);
    const texts = [...before!, ...after!].map(({ text }) => text);
    expect(texts.length).toBeGreaterThan(0);
    await first.getByRole('button', { name: 'Show more', expanded: false }).click();
    const less = first.getByRole('button', { name: 'Show less', expanded: true });
    await first.locator('.neighbour').first().waitFor();
    expect(await first.locator('.neighbour > div').allTextContents()).toEqual(texts);
    await less.click();
    expect(await first.locator('.neighbour').count()).toBe(0);
    expect(await first.locator('.best').count()).toBe(1);
  });

  test('filters by language and source, and shows the number of passages of each', async () => {
    const { languages, sources } = await get<Overview>('/overview');
    const page = await open(`/?${new URLSearchParams({ q: KORVANE })}`);
    await page.locator('#lang-name').click();
    expect(await page.locator('#lang-values label').allTextContents()).toEqual(
      languages.map(({ value, passages }) => NAMES[value]! + passages),
    );
    expect(await page.locator('#source-values label').allTextContents()).toEqual(
      sources.map(({ value, title = value, passages }) => title + passages),
    );
    await page.getByRole('checkbox', { name: 'Arabic' }).check();
    await settled(page);
    await page.getByRole('checkbox', { name: 'German' }).check();
    await page.waitForURL('**lang=ar&lang=de');
    await settled(page);
    expect(new Set(await languagesOf(page))).toEqual(new Set(['Arabic', 'German']));
    expect(await page.locator('#lang-name').innerText()).toMatch(/^Language\s*Arabic, German$/);
    await page.locator('#source-name').click();
    expect(await page.locator('#lang').getAttribute('open')).toBeNull();
    await page.getByRole('checkbox', { name: 'de/topics.jsonl' }).check();
    await page.waitForURL('**source=de%2Ftopics.jsonl');
    await settled(page);
    expect(new Set(await langsOf(page))).toEqual(new Set(['de']));
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await settled(page);
    expect(new URL(page.url()).search).toBe(`?${new URLSearchParams({ q: KORVANE })}`);
  });

  test('keeps its state in the address for Back, Forward, reload and links', async () => {
    const page = await open();
    await ask(page, KORVANE);
    await page.locator('#lang-name').click();
    await page.getByRole('checkbox', { name: 'German' }).check();
    await page.waitForURL('**lang=de');
    await ask(page, 'Wer hat die Brücke gebaut?');
    const shown = async () => {
      await settled(page);
      return {
        q: await page.getByRole('searchbox').inputValue(),
        chosen: await page.locator('#lang-chosen').textContent(),
        languages: [...new Set(await languagesOf(page))],
        suggestions: await page.locator('#suggestions').isVisible(),
      };
    };
    const bridge = {
      q: 'Wer hat die Brücke gebaut?',
      chosen: 'German',
      languages: ['German'],
      suggestions: false,
    };
    expect(await shown()).toEqual(bridge);
    await page.goBack();
    expect(await shown()).toEqual({ ...bridge, q: KORVANE });
    await page.goBack();
    expect(await shown()).toMatchObject({ q: KORVANE, chosen: '', suggestions: false });
    await page.goBack();
    expect(await shown()).toEqual({ q: '', chosen: '', languages: [], suggestions: true });
    await page.goForward();
    await page.goForward();
    await page.goForward();
    expect(await shown()).toEqual(bridge);
    await page.reload();
    expect(await shown()).toEqual(bridge);
    // An unknown value stays visible, and can be removed.
    await page.goto(`${server.url}/?${new URLSearchParams({ q: KORVANE, lang: 'qaa' })}`);
    expect(await shown()).toMatchObject({ chosen: 'qaa', languages: [] });
    expect(await page.locator('#status').innerText()).toContain('No passages match these filters.');
    await page.locator('#lang-name').click();
    await page.getByRole('checkbox', { name: 'qaa' }).uncheck();
    await page.waitForURL((url) => !url.search.includes('lang'));
    await settled(page);
    expect(await page.locator('article').count()).toBe(10);
  });

  test('says that nothing matches, and lists the closest passages', async () => {
    const { verdict, results } = await search(UNANSWERED);
    expect(verdict).toBe('none');
    const page = await open(`/?${new URLSearchParams({ q: UNANSWERED })}`);
    const status = page.getByRole('status').filter({ hasText: 'Nothing here matches' });
    expect(await status.innerText()).toBe('Nothing here matches your question. The closest passages:');
    expect(await page.locator('article').count()).toBe(results.length);
  });

  test('shows the message of a refusal', async () => {
    const page = await open('/?q=x&lang=not+a+tag');
    expect(await page.locator('.error').textContent()).toMatch(
      /^lang is "not a tag", but must be a language tag/,
    );
    // The browser itself reports it too.
    await expect.poll(() => browser.offences.splice(0)).toEqual([expect.stringContaining('status of 400')]);
  });

  test('shows any text as plain text', async () => {
    const page = await open(`/?${new URLSearchParams({ q: 'Who patented the zorbling engine?' })}`);
    const first = page.locator('article').first();
    expect(await first.getByRole('heading').textContent()).toBe(HOSTILE.title);
    await first.getByRole('button', { name: 'Show more' }).click();
    expect(await first.locator('.text').textContent()).toBe(HOSTILE.text);
    expect(await page.locator('#results').locator('img, script, b, i').count()).toBe(0);
    // An address that is not http or https is not a link: the heading leads to the passage in the page.
    const links = await first.locator('a').all();
    const { id } = (await search('Who patented the zorbling engine?')).results[0]!;
    expect(await Promise.all(links.map((link) => link.getAttribute('href')))).toEqual(
      Array(3).fill(`/${new URL(page.url()).search}#p=${encodeURIComponent(id)}`),
    );
    await links[0]!.click();
    await page.locator('.chosen-passage').waitFor();
    expect(await page.locator('#passage').locator('img, script, b, i, a').count()).toBe(0);
    expect(await page.locator('#passage h2').textContent()).toBe(HOSTILE.title);
    await ask(page, `<img src=x onerror="document.title='owned'">`);
    expect(await page.title()).toMatch(/^<img/);
    await ask(page, 'Where does purple glass get its colour from?');
    expect(await first.getByRole('heading').getByRole('link').getAttribute('href')).toBe(
      'https://example.org/glass',
    );
  });
});
