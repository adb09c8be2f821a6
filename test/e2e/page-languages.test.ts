import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, KORVANE, settled, useBrowser, usePageIndex } from '../fixtures/page.ts';
import { startServer } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

describe.skipIf(missingTools('chromium'))('the page', () => {
  const index = usePageIndex();
  const browser = useBrowser();
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    server = await startServer(index);
  });
  afterAll(() => server?.stop());

  async function open(path: string, options: BrowserContextOptions): Promise<Page> {
    const page = await browser.open(server.url + path, options);
    await settled(page);
    return page;
  }

  test.each([
    ['de-AT', 'de', 'Suchen', 'ltr'],
    ['zh-TW', 'zh-Hant', '搜尋', 'ltr'],
    ['zh-CN', 'zh-Hans', '搜索', 'ltr'],
    ['ar-EG', 'ar', 'بحث', 'rtl'],
    ['sw', 'en', 'Search', 'ltr'],
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
    expect(await page.locator('.language').first().textContent()).toBe('anglais');
    expect(await page.locator('#status').innerText()).toMatch(/^\d+ réponses? probables?$/);
    await page.getByRole('link', { name: 'Lien vers ce passage' }).first().click();
    await page.reload();
    await page.getByRole('button', { name: 'Retour aux résultats' }).click();
    await page.locator('article').first().waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('fr');
    // The request that is shown as code does not depend on the page's language.
    await page.getByRole('button', { name: 'Requête en code' }).click();
    expect(await page.locator('pre code').textContent()).not.toContain('ui=');
  });

  describe.each(['light', 'dark'] as const)('in Arabic, %s,', (colorScheme) => {
    test.each([1280, 360])('runs from right to left, and passes axe at a width of %d px', async (width) => {
      const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
      const page = await open('/', {
        locale: 'ar',
        colorScheme,
        viewport: { width, height: 740 },
        reducedMotion: 'reduce',
      });
      async function check(): Promise<void> {
        await settled(page);
        await page.evaluate(axe);
        const { violations } = await page.evaluate<{
          violations: { id: string; nodes: { html: string }[] }[];
        }>('axe.run()');
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      }
      await check();
      await ask(page, KORVANE);
      const [box, button] = [
        (await page.getByRole('searchbox').boundingBox())!,
        (await page.getByRole('button', { name: 'بحث', exact: true }).boundingBox())!,
      ];
      expect(button.x).toBeLessThan(box.x);
      // English passages keep their direction.
      const direction = (selector: string) =>
        page.evaluate(`getComputedStyle(document.querySelector('${selector}')).direction`);
      expect([await direction('article .passage p'), await direction('article .meta')]).toEqual([
        'ltr',
        'rtl',
      ]);
      await page.locator('#source-name').click();
      const list = (await page.locator('#source-values').boundingBox())!;
      expect(list.x).toBeGreaterThanOrEqual(0);
      expect(list.x + list.width).toBeLessThanOrEqual(width);
      await page.getByRole('button', { name: 'الطلب كشيفرة' }).click();
      await check();
      expect(await direction('pre')).toBe('ltr');
      await page.locator('.permalink').first().click();
      await page.locator('.chosen-passage').waitFor();
      await check();
    });
  });

  test.each([360, 1280])('has touch targets of at least 44 px at a width of %d px', async (width) => {
    const page = await open('/', { hasTouch: true, isMobile: true, viewport: { width, height: 800 } });
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
    await page.locator('.permalink').first().click();
    await page.locator('.chosen-passage').waitFor();
    expect(await small()).toEqual([]);
  });
});
