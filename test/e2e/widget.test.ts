import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { missingTools } from '../fixtures/tools.ts';
import { answered, askWidget, LIKELY, type Site, useWidgetSite, WidgetSearch } from '../fixtures/widget.ts';

/** What the endpoint does with the next requests, by their path. */
const refusals = new Map<string, number[]>();
const asked: string[] = [];
/** Requests for these questions wait until the test releases them. */
const held = new Map<string, Promise<void>>();

describe.skipIf(missingTools('chromium'))('the widget on a page of another origin', () => {
  const search = new WidgetSearch();
  const handbook = new WidgetSearch();
  const site = useWidgetSite(
    () => search,
    { collections: new Map([['hr', async () => handbook]]), feedback: true },
    async ({ url, path: whole }) => {
      const path = whole.replace(/^\/browser/, '');
      const q = url.searchParams.get('q');
      if (path !== '/widget.js') asked.push(`${path} ${q ?? ''}`.trim());
      if (q !== null) await held.get(q);
      const status = refusals.get(path)?.shift();
      return status === undefined ? undefined : { status };
    },
  );
  beforeEach(() => {
    refusals.clear();
    held.clear();
    asked.length = 0;
    search.requests.length = 0;
  });

  const button = (page: Page) => page.getByRole('button', { name: 'Search' });
  const dialog = (page: Page) => page.getByRole('dialog', { name: 'Search' });
  /** Text of the focused element, or its name. */
  const focused = (page: Page) =>
    page.evaluate<string>(`(() => {
      let element = document.activeElement;
      while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      return element.innerText || element.ariaLabel || element.localName;
    })()`);

  /** Opens a page and its dialog. */
  async function openDialog(content?: Site): Promise<Page> {
    const page = await site.open(content);
    await button(page).click();
    await dialog(page).waitFor();
    return page;
  }

  test('requests nothing before it is opened, then searches in a dialog as you type', async () => {
    const page = await site.open();
    expect(asked).toEqual([]);
    await button(page).click();
    expect(await focused(page)).toBe('Ask in any language');
    await page.getByRole('link', { name: 'How are passports renewed?' }).waitFor();
    expect(asked).toEqual(['/overview']);
    // Nobody presses Enter.
    await page.keyboard.type(LIKELY, { delay: 5 });
    await answered(page);
    expect(asked.at(-1)).toBe(`/search ${LIKELY}`);
    expect(asked.length).toBeLessThan(5);
    expect(await page.locator('.suggestions').isVisible()).toBe(false);
    expect(await page.locator('mark').first().textContent()).toBe('Passports');
  });

  test('asks whether an answer helped', async () => {
    const page = await openDialog();
    await askWidget(page, LIKELY);
    const sent = page.waitForRequest((request) => request.url().endsWith('/feedback'));
    const yes = page.locator('.feedback').getByRole('button', { name: 'Yes' });
    await yes.click();
    expect((await sent).postDataJSON()).toEqual({ q: LIKELY, helpful: true });
    expect((await (await sent).response())?.status()).toBe(200);
    expect(await yes.getAttribute('aria-pressed')).toBe('true');
  });

  test('shows the answer as a card, and passages without promising one', async () => {
    const page = await openDialog();
    await askWidget(page, LIKELY);
    const status = page.locator('.status');
    expect(await status.getAttribute('role')).toBe('status');
    expect(await status.innerText()).toBe('Passages that match your question');
    const card = page.locator('.answer');
    expect(await card.locator('.snippet').allTextContents()).toEqual(['Passports are renewed online.']);
    expect(await card.getByRole('link', { name: 'Read in context' }).getAttribute('href')).toBe(
      'https://example.org/passports#:~:text=Passports%20are%20renewed%20online.',
    );
    expect(await card.getByRole('button', { name: 'Copy citation' }).count()).toBe(1);
    for (const [q, said] of [
      ['perhaps', /^These passages are close to your question$/],
      ['unlikely', /^Nothing here matches your question\. The closest passages:$/],
      ['nothing', /^Nothing here matches your question\. No passages match these filters\.$/],
    ] as const) {
      await askWidget(page, q);
      await expect.poll(() => status.innerText()).toMatch(said);
      expect(await card.count()).toBe(0);
    }
  });

  test('never shows the answer to an earlier question', async () => {
    const page = await openDialog();
    let release = () => {};
    held.set('slow question', new Promise((resolve) => (release = resolve)));
    const field = page.getByRole('searchbox');
    await field.fill('slow question');
    await expect.poll(() => asked.at(-1)).toBe('/search slow question');
    await page.getByText('Searching…').waitFor();
    await askWidget(page, LIKELY);
    await expect.poll(() => page.locator('article').count()).toBe(4);
    release();
    await askWidget(page, 'perhaps');
    await expect.poll(() => page.locator('.status').innerText()).toContain('These passages are close');
    expect(await field.inputValue()).toBe('perhaps');
  });

  test('is usable by keyboard alone', async () => {
    const page = await site.open({ before: '<p><input aria-label="Other field"></p>' });
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    // In a field of the page, these keys are text.
    await page.getByRole('textbox', { name: 'Other field' }).focus();
    await press('/', 'Control+k');
    expect(await dialog(page).isVisible()).toBe(false);
    expect(await page.getByRole('textbox', { name: 'Other field' }).inputValue()).toBe('/');
    for (const key of ['Control+k', '/', 'Meta+k']) {
      await button(page).focus();
      await press(key);
      expect(await dialog(page).isVisible()).toBe(true);
      expect(await focused(page)).toBe('Ask in any language');
      await press('Escape');
      expect(await dialog(page).isVisible()).toBe(false);
      // The focus is where it was.
      expect(await focused(page)).toContain('Search');
    }
    await press('Enter');
    await page.keyboard.type('a/b');
    expect(await page.getByRole('searchbox').inputValue()).toBe('a/b');
    await askWidget(page, LIKELY);
    await press('ArrowDown');
    expect(await focused(page)).toBe('Renewal');
    await press('ArrowDown');
    expect(await focused(page)).toBe('جواز السفر');
    await press('Tab');
    expect(await focused(page)).toBe('Show more');
    await press('ArrowDown', 'ArrowUp', 'ArrowUp', 'ArrowUp');
    expect(await focused(page)).toBe('Ask in any language');
    // The first Enter leads to the best result, the second opens it.
    await press('Enter');
    expect(await focused(page)).toBe('Renewal');
    await page.route('https://example.org/**', (route) => route.fulfill({ body: 'The document' }));
    await press('Enter');
    await page.waitForURL('https://example.org/passports');
    expect(site.offences.splice(0)).toEqual(['asked https://example.org/passports']);
  });

  test('closes by its button, by a click beside it, and by Ctrl-K, and keeps the question', async () => {
    const page = await openDialog();
    await askWidget(page, LIKELY);
    for (const close of [
      () => page.getByRole('button', { name: 'Close' }).click(),
      () => page.mouse.click(5, 5),
      () => page.keyboard.press('Control+k'),
    ]) {
      expect(await dialog(page).isVisible()).toBe(true);
      expect(await page.evaluate('document.documentElement.style.overflow')).toBe('hidden');
      await close();
      expect(await dialog(page).isVisible()).toBe(false);
      await expect.poll(() => page.evaluate('document.documentElement.style.overflow')).toBe('');
      await button(page).click();
      expect(await page.getByRole('searchbox').inputValue()).toBe(LIKELY);
    }
    // Selecting text that ends beside the dialog does not close it.
    const text = (await page.locator('.passage').first().boundingBox())!;
    await page.mouse.move(text.x + 20, text.y + 5);
    await page.mouse.down();
    await page.mouse.move(5, 5);
    await page.mouse.up();
    expect(await dialog(page).isVisible()).toBe(true);
  });

  test('offers the last five questions of the tab until they are cleared', async () => {
    const page = await openDialog();
    const offered = () => page.locator('.suggestions a').allTextContents();
    const suggested = 'How are passports renewed?';
    await page.getByRole('link', { name: suggested }).waitFor();
    for (const q of ['first', 'second', LIKELY, 'perhaps', 'unlikely', 'nothing', 'perhaps']) {
      await page.getByRole('searchbox').fill(q);
      await page.keyboard.press('Enter');
    }
    // Typing alone is no search to return to.
    await askWidget(page, 'typed');
    await page.reload();
    await page.keyboard.press('/');
    await page.getByRole('link', { name: suggested }).waitFor();
    expect(await offered()).toEqual(['perhaps', 'nothing', 'unlikely', LIKELY, 'second', suggested]);
    await page.getByRole('link', { name: LIKELY }).click();
    await answered(page);
    expect(search.requests.at(-1)?.q).toBe(LIKELY);
    await page.getByRole('searchbox').fill('');
    expect((await offered())[0]).toBe(LIKELY);
    await page.getByRole('button', { name: 'Clear' }).click();
    expect(await offered()).toEqual([suggested]);
    expect(await focused(page)).toBe('Ask in any language');
  });

  test('filters by language and source', async () => {
    const page = await openDialog();
    await askWidget(page, LIKELY);
    await page.getByRole('combobox', { name: 'Language' }).selectOption('Arabic');
    await expect.poll(() => page.locator('article').count()).toBe(1);
    await page.getByRole('combobox', { name: 'Source' }).selectOption('guides/');
    await expect.poll(() => search.requests.at(-1)?.filter).toEqual({ lang: ['ar'], source: ['guides/'] });
    await page.getByRole('combobox', { name: 'Language' }).selectOption('All languages');
    await expect.poll(() => search.requests.at(-1)?.filter).toEqual({ source: ['guides/'] });
    await askWidget(page, 'nothing');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await expect.poll(() => search.requests.at(-1)?.filter).toBeUndefined();
    await expect.poll(() => page.getByRole('button', { name: 'Clear filters' }).count()).toBe(0);
  });

  test('searches with the settings of its attributes, which may change', async () => {
    const page = await site.open({
      attributes: 'mode="inline" langs="de en" source="guides/, faq/a b.md" k="3" placeholder="Find it"',
    });
    const field = page.getByRole('searchbox');
    expect(await field.getAttribute('placeholder')).toBe('Find it');
    await field.fill(LIKELY);
    await answered(page);
    expect(search.requests.at(-1)).toMatchObject({
      k: 3,
      matches: true,
      filter: { lang: ['de', 'en'], source: ['guides/', 'faq/a b.md'] },
    });
    // A fixed filter has no menu.
    expect(await page.getByRole('combobox').count()).toBe(0);
    await page.evaluate(`document.querySelector('polyseek-search').removeAttribute('langs')`);
    await page.evaluate(`document.querySelector('polyseek-search').setAttribute('k', '0')`);
    await field.fill('perhaps');
    await answered(page);
    expect(search.requests.at(-1)).toMatchObject({ k: 10, filter: { source: ['guides/', 'faq/a b.md'] } });
    await page.getByRole('combobox', { name: 'Language' }).waitFor();
  });

  test('searches a collection, at the address in an attribute', async () => {
    const page = await openDialog({ attributes: `collection="hr" endpoint="${site.endpoint}"` });
    await askWidget(page, LIKELY);
    expect(asked).toEqual(['/c/hr/overview', `/c/hr/search ${LIKELY}`]);
    expect([search.requests.length, handbook.requests.length]).toEqual([0, 1]);
    expect(await page.locator('h3 a').nth(1).getAttribute('href')).toContain(`${site.endpoint}/c/hr/?q=`);
    await openDialog({ attributes: `endpoint="${site.endpoint}/stage/"` });
    await expect.poll(() => asked.at(-1)).toBe('/stage/browser/overview');
    // The browser and the widget report that the address does not exist.
    await expect.poll(() => site.offences.length).toBe(2);
    site.offences.splice(0);
  });

  test('shows no results of a question that became too short', async () => {
    const page = await openDialog();
    const field = await askWidget(page, LIKELY);
    await field.fill('pa');
    expect(await page.locator('article').count()).toBe(0);
    expect(await page.locator('.status').innerText()).toBe('');
    // Enter searches for any text.
    await field.press('Enter');
    await answered(page);
    expect(search.requests.at(-1)?.q).toBe('pa');
  });

  test('inline, shows results in the page, and Escape empties the field', async () => {
    const page = await site.open({ attributes: 'mode="inline"' });
    expect(await dialog(page).count()).toBe(0);
    await page.keyboard.press('/');
    expect(await focused(page)).toBe('Ask in any language');
    const field = await askWidget(page, LIKELY);
    expect(await page.locator('article').count()).toBe(4);
    await page.keyboard.press('Escape');
    expect(await field.inputValue()).toBe('');
    expect(await page.locator('article').count()).toBe(0);
    await page.getByRole('link', { name: 'How are passports renewed?' }).click();
    await answered(page);
    expect(await field.inputValue()).toBe('How are passports renewed?');
  });

  test('links to the document, and to the page of the endpoint if it has no address', async () => {
    const page = await openDialog();
    await askWidget(page, LIKELY);
    const query = new URLSearchParams({ q: LIKELY });
    const links = await page.locator('h3 a').all();
    const hrefs = await Promise.all(links.map((link) => link.getAttribute('href')));
    expect(hrefs).toEqual([
      'https://example.org/passports',
      `${site.endpoint}/?${query}#p=${encodeURIComponent('ar/جواز.md#1')}`,
      `${site.endpoint}/?${query}#p=${encodeURIComponent('guides/fees.pdf#3')}`,
      'https://example.org/passports',
    ]);
    expect(await page.locator('.place').allTextContents()).toEqual(['page 3']);
  });

  test('reports searches and choices, and lets the page open results itself', async () => {
    const page = await site.open({});
    await page.evaluate(`
      window.reported = [];
      document.addEventListener('polyseek-search', ({ detail }) =>
        reported.push(['search', detail.q, detail.answer.verdict, detail.answer.results.length]));
      document.addEventListener('polyseek-select', (event) => {
        event.preventDefault();
        const { q, url, position, result } = event.detail;
        reported.push(['select', q, url, position, result.source]);
      });
      document.querySelector('polyseek-search').search(${JSON.stringify(LIKELY)});
    `);
    await answered(page);
    await page.getByRole('link', { name: 'Renewal', exact: true }).last().click();
    expect(await dialog(page).isVisible()).toBe(false);
    expect(page.url()).toBe(`${site.home}/`);
    expect(await page.evaluate('reported')).toEqual([
      ['search', LIKELY, 'answered', 4],
      ['select', LIKELY, 'https://example.org/passports', 4, 'guides/visas.md'],
    ]);
    await page.evaluate(`document.querySelector('polyseek-search').open()`);
    expect(await dialog(page).isVisible()).toBe(true);
    // The page has no say in another tab.
    const tab = page.context().waitForEvent('page');
    await page
      .getByRole('link', { name: 'Renewal', exact: true })
      .first()
      .click({ modifiers: ['Control'] });
    await (await tab).close();
    expect(await dialog(page).isVisible()).toBe(true);
    await page.evaluate(`document.querySelector('polyseek-search').close()`);
    expect(await dialog(page).isVisible()).toBe(false);
  });

  test('does not open where it is not displayed', async () => {
    const page = await site.open({ before: '<div hidden><polyseek-search></polyseek-search></div>' });
    await page.evaluate(`document.querySelector('polyseek-search').open()`);
    await page.getByRole('heading', { name: 'A site' }).click();
    await page.keyboard.press('/');
    expect(await dialog(page).isVisible()).toBe(true);
    const opened = await page.evaluate(
      `[...document.querySelectorAll('polyseek-search')].indexOf(document.activeElement)`,
    );
    expect(opened).toBe(1);
  });

  test('opens by a button of the page', async () => {
    const page = await site.open({ inside: '<button slot="button">Find something</button>' });
    await page.getByRole('button', { name: 'Find something' }).click();
    expect(await dialog(page).isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    expect(await focused(page)).toBe('Find something');
  });

  test('has the hotkeys that the page allows', async () => {
    const page = await site.open();
    for (const [setting, opened] of [
      ['off', [false, false]],
      ['ctrl-k', [false, true]],
    ] as const) {
      await page.evaluate(`document.querySelector('polyseek-search').setAttribute('hotkeys', '${setting}')`);
      for (const [i, key] of ['/', 'Control+k'].entries()) {
        await page.keyboard.press(key);
        expect(await dialog(page).isVisible()).toBe(opened[i]);
      }
      await page.keyboard.press('Escape');
      expect(await page.locator('button.open').textContent()).toBe(
        setting === 'off' ? 'Search' : 'SearchCtrl K',
      );
    }
  });

  test('repeats a request that failed on the way, and then offers to try again', async () => {
    const page = await openDialog();
    refusals.set('/search', [503]);
    await askWidget(page, LIKELY);
    expect(await page.locator('article').count()).toBe(4);
    refusals.set('/search', [503, 503, 503]);
    await page.getByRole('searchbox').fill('perhaps');
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    expect(await page.locator('.status').innerText()).toContain('The search does not respond.');
    expect(await page.locator('article').count()).toBe(0);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('These passages are close').waitFor();
    // The browser reports each failed request.
    expect(new Set(site.offences.splice(0))).toEqual(
      new Set([
        'said Failed to load resource: the server responded with a status of 503 (Service Unavailable)',
      ]),
    );
  });

  test('says so if the endpoint cannot be reached', async () => {
    const page = await openDialog();
    await page.route('**/browser/search**', (route) => route.abort());
    await page.getByRole('searchbox').fill(LIKELY);
    await page.getByText('The search cannot be reached. Check the connection.').waitFor();
    expect(site.offences.splice(0).every((said) => said.includes('net::ERR_FAILED'))).toBe(true);
  });

  test('may be loaded twice, and works after the element has moved', async () => {
    const page = await site.open();
    await page.evaluate(`import('${site.endpoint}/widget.js?again')`);
    await page.evaluate(`document.body.prepend(document.querySelector('polyseek-search'))`);
    await page.keyboard.press('/');
    expect(await dialog(page).isVisible()).toBe(true);
    await askWidget(page, LIKELY);
    await page.evaluate(`document.querySelector('polyseek-search').remove()`);
    await page.keyboard.press('/');
    expect(await page.evaluate(`document.querySelectorAll('polyseek-search').length`)).toBe(0);
  });
});
