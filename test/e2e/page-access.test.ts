import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, KORVANE, settled, UNANSWERED, useBrowser, usePageIndex } from '../fixtures/page.ts';
import { startServer } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

/** Formats violations of accessibility rules from axe. */
interface AxeResults {
  passes: unknown[];
  violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
}

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
    await press('Tab');
    expect(await focused()).toBe('Show surrounding text');
    await press('Enter');
    await page.locator('.neighbour').first().waitFor();
    expect(await focused()).toBe('Hide surrounding text');
    // The focus is visible.
    const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
    expect(outline).toBe('solid');
  });

  describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
    test.each([1280, 360])('passes axe and fits at a width of %d px', async (width) => {
      const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
      const page = await open('/', {
        colorScheme,
        viewport: { width, height: 740 },
        reducedMotion: 'reduce',
      });
      async function check(): Promise<void> {
        await settled(page);
        await page.evaluate(axe);
        const { passes, violations } = await page.evaluate<AxeResults>('axe.run()');
        expect(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }))).toEqual([]);
        expect(passes.length).toBeGreaterThan(10);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      }
      await check();
      await ask(page, KORVANE);
      await check();
      await page.getByRole('button', { name: 'Show surrounding text' }).first().click();
      await page.locator('.neighbour').first().waitFor();
      await page.getByRole('button', { name: 'Request as code' }).click();
      await page.locator('#source-name').click();
      await check();
      const list = (await page.locator('#source-values').boundingBox())!;
      expect(list.x).toBeGreaterThanOrEqual(0);
      expect(list.x + list.width).toBeLessThanOrEqual(width);
      await ask(page, UNANSWERED);
      await check();
    });
  });
});
