import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, KORVANE, settled, UNANSWERED, useBrowser, usePageIndex } from '../fixtures/page.ts';
import { startServer } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

interface AxeResults {
  passes: unknown[];
  violations: { id: string; nodes: { html: string }[] }[];
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe.skipIf(missingTools('chromium'))('the page, for everyone,', () => {
  const index = usePageIndex();
  const browser = useBrowser();
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    server = await startServer(index);
  });
  afterAll(() => server?.stop());

  async function open(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const page = await browser.open(server.url + path, options);
    await settled(page);
    return page;
  }

  /** Checks a page against the rules of axe, and its width. */
  async function check(page: Page, width: number): Promise<void> {
    await settled(page);
    await page.evaluate(axe);
    const { passes, violations } = await page.evaluate<AxeResults>('axe.run()');
    expect(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }))).toEqual([]);
    expect(passes.length).toBeGreaterThan(10);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  }

  /** Asks during an outage and again after it, and checks the page in both. */
  async function checkOutage(page: Page, width: number): Promise<void> {
    const refused = { status: 503, headers: { 'retry-after': '0' }, json: {} };
    await page.route('**/search?*', (route) => route.fulfill(refused));
    await ask(page, 'During an outage?');
    await check(page, width);
    await page.unroute('**/search?*');
    await page.locator('.again').click();
    await page.locator('article').first().waitFor();
    await check(page, width);
    // The browser reports each refusal.
    expect(new Set(browser.offences.splice(0).map((said) => said.match(/status of \d+/)?.[0]))).toEqual(
      new Set(['status of 503']),
    );
  }

  /** Copies the answer, and checks the copy. */
  async function cite(page: Page): Promise<void> {
    await page.locator('.cite:visible').click();
    await page.locator('.answer [role=status]:not(:empty)').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(/^“.+”\n.*Korvane lighthouse\n/);
  }

  /** Checks that an open menu is inside of the page. */
  async function checkMenu(page: Page, width: number): Promise<void> {
    const list = (await page.locator('#source-values').boundingBox())!;
    expect(list.x).toBeGreaterThanOrEqual(0);
    expect(list.x + list.width).toBeLessThanOrEqual(width);
  }

  test('shows passages in right-to-left scripts from right to left', async () => {
    const page = await open(`/?${new URLSearchParams({ q: KORVANE, lang: 'ar' })}`);
    const direction = (selector: string) =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}')).direction`);
    for (const part of ['article h3', 'article .crumbs', 'article .passage p']) {
      expect(await direction(part)).toBe('rtl');
      expect(await page.locator(part).first().getAttribute('lang')).toBe('ar');
    }
    expect(await direction('article .meta')).toBe('ltr');
    // The heading starts at the right edge.
    const gap = await page.evaluate(`(() => {
      const heading = document.querySelector('article h3');
      const text = document.createRange();
      text.selectNodeContents(heading);
      return heading.getBoundingClientRect().right - text.getBoundingClientRect().right;
    })()`);
    expect(gap).toBeCloseTo(0);
  });

  test('is usable by keyboard alone', async () => {
    const page = await open();
    const focused = () =>
      page.evaluate<string>('document.activeElement.innerText || document.activeElement.id');
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    expect(await focused()).toBe('question');
    await page.keyboard.type(KORVANE);
    await press('Enter');
    await page.locator('mark').first().waitFor();
    // Skips the button to the first filter, opens it, and closes it with Escape.
    await press('Tab', 'Tab');
    expect(await focused()).toContain('Language');
    await press('Enter', 'Tab', 'Tab', 'Space');
    await page.waitForURL('**lang=*');
    await settled(page);
    // The focus is still on the box, so the next key works too.
    await press('Space');
    await page.waitForURL((url) => !url.search.includes('lang'));
    await press('Escape');
    expect(await page.locator('#lang').getAttribute('open')).toBeNull();
    expect(await focused()).toContain('Language');
    await press('Tab', 'Tab');
    expect(await focused()).toBe('Request as code');
    await press('Enter', 'Tab', 'ArrowRight');
    expect(await page.locator('code').textContent()).toContain('await fetch');
    await press('Tab', 'Enter');
    await page.getByText('Copied').waitFor();
    await press('Tab');
    expect(await focused()).toBe('Korvane lighthouse');
    await press('Tab', 'Tab', 'Tab');
    expect(await focused()).toBe('Show more');
    await press('Enter');
    await page.locator('.neighbour').first().waitFor();
    expect(await focused()).toBe('Show less');
    // The focus is visible.
    const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
    expect(outline).toBe('solid');
  });

  // The test in Arabic is in dark colours on a phone.
  test('passes axe and fits a wide screen', async () => {
    const width = 1280;
    const page = await open('/', {
      colorScheme: 'light',
      viewport: { width, height: 740 },
      reducedMotion: 'reduce',
    });
    await check(page, width);
    await ask(page, KORVANE);
    await cite(page);
    await page.getByRole('button', { name: 'Show more' }).first().click();
    await page.locator('.neighbour').first().waitFor();
    await page.getByRole('button', { name: 'Request as code' }).click();
    await page.locator('#source-name').click();
    await check(page, width);
    await checkMenu(page, width);
    await ask(page, UNANSWERED);
    await check(page, width);
    await checkOutage(page, width);
  });

  test.each([
    ['zh-TW', 'zh-Hant', '搜尋', 'ltr'],
    ['ar-EG', 'ar', 'بحث', 'rtl'],
  ])('in a browser in %s has the texts of %s', async (locale, lang, search, dir) => {
    const page = await open('/', { locale });
    expect(await page.getByRole('button', { name: search, exact: true }).count()).toBe(1);
    const root = page.locator('html');
    expect([await root.getAttribute('lang'), await root.getAttribute('dir')]).toEqual([lang, dir]);
  });

  test('keeps the language that its address demands', async () => {
    const page = await open('/?ui=fr', { locale: 'de-DE' });
    await ask(page, KORVANE);
    expect(new URL(page.url()).searchParams.get('ui')).toBe('fr');
    expect(await page.locator('.language').allTextContents()).toContain('anglais');
    expect(await page.locator('#status').innerText()).toBe('Passages qui correspondent à votre question');
    await page.getByRole('button', { name: 'Afficher plus' }).first().click();
    await page.getByRole('link', { name: 'Lien vers ce passage' }).first().click();
    await page.reload();
    await page.getByRole('button', { name: 'Retour aux résultats' }).click();
    await page.locator('article').first().waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('fr');
    // The request that is shown as code does not depend on the page's language.
    await page.getByRole('button', { name: 'Requête en code' }).click();
    expect(await page.locator('pre code').textContent()).not.toContain('ui=');
  });

  test('in Arabic, runs from right to left, and passes axe on a phone', async () => {
    const width = 360;
    const page = await open('/', {
      locale: 'ar',
      colorScheme: 'dark',
      viewport: { width, height: 740 },
      reducedMotion: 'reduce',
    });
    await check(page, width);
    await ask(page, KORVANE);
    await cite(page);
    const [box, button] = [
      (await page.getByRole('searchbox').boundingBox())!,
      (await page.getByRole('button', { name: 'بحث', exact: true }).boundingBox())!,
    ];
    expect(button.x).toBeLessThan(box.x);
    // English passages keep their direction.
    const direction = (selector: string) =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}')).direction`);
    expect([await direction('article .passage p'), await direction('article .meta')]).toEqual(['ltr', 'rtl']);
    await page.locator('#source-name').click();
    await checkMenu(page, width);
    await page.getByRole('button', { name: 'الطلب كشيفرة' }).click();
    await check(page, width);
    expect(await direction('pre')).toBe('ltr');
    await page.locator('article .more button[aria-expanded]').first().click();
    await page.locator('.permalink').first().click();
    await page.locator('.chosen-passage').waitFor();
    await check(page, width);
    await ask(page, UNANSWERED);
    await check(page, width);
    await checkOutage(page, width);
  });

  test('has touch targets of at least 44 px', async () => {
    const page = await open('/', { hasTouch: true, isMobile: true, viewport: { width: 360, height: 800 } });
    const small = () =>
      page.evaluate(`[...document.querySelectorAll('a, button, summary, label:has(input), input:not(label input)')]
        .filter((target) => target.checkVisibility())
        .map((target) => [target.getBoundingClientRect(), target.outerHTML])
        .filter(([{ width, height }]) => Math.min(width, height) < 44)
        .map(([{ width, height }, html]) => width + ' x ' + height + ' ' + html)`);
    expect(await page.evaluate(`matchMedia('(pointer: coarse)').matches`)).toBe(true);
    expect(await small()).toEqual([]);
    await ask(page, KORVANE);
    await page.getByRole('button', { name: 'Request as code' }).click();
    await page.locator('#lang-name').click();
    expect(await small()).toEqual([]);
    await page.locator('article .more button[aria-expanded]').first().click();
    await page.locator('.permalink').first().click();
    await page.locator('.chosen-passage').waitFor();
    expect(await small()).toEqual([]);
  });
});
