import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildDemo } from '../../index/ingest/build-from-sources.ts';
import { serveDocsSite } from '../fixtures/docs-site.ts';
import { useExamples } from '../fixtures/examples.ts';
import { root, temporaryFolder } from '../fixtures/index.ts';
import { ask, settled, useBrowser } from '../fixtures/page.ts';
import { command, startServer } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';
import { askWidget } from '../fixtures/widget.ts';

// Ten tasks of people, each with a screenshot to look at in build/tasks.

const SHOTS = join(root, 'build/tasks');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const phone: BrowserContextOptions = { viewport: { width: 360, height: 740 }, hasTouch: true };
const desktop: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };
/** Name, browser, question, another language in the words of the page, and whether there is an answer. */
const VIEWS: [string, BrowserContextOptions, string, string, boolean][] = [
  [
    'desktop-light',
    { ...desktop, colorScheme: 'light', locale: 'en' },
    'Do workers have a right to holidays with pay?',
    'German',
    true,
  ],
  ['phone-dark', { ...phone, colorScheme: 'dark', locale: 'en' }, 'Is slavery allowed?', 'French', true],
  [
    'desktop-dark-rtl',
    { ...desktop, colorScheme: 'dark', locale: 'ar' },
    'من له الحق في التعليم المجاني؟',
    'الفرنسية',
    false,
  ],
  [
    'phone-light-rtl',
    { ...phone, colorScheme: 'light', locale: 'ar' },
    'هل يحق لي الزواج؟',
    'الفرنسية',
    false,
  ],
];

describe.skipIf(missingTools('chromium'))('ten tasks', () => {
  const browser = useBrowser();
  const folder = temporaryFolder();
  const index = join(folder, 'demo');
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    rmSync(SHOTS, { recursive: true, force: true });
    mkdirSync(SHOTS, { recursive: true });
    await buildDemo(index);
    server = await startServer(index);
  });
  afterAll(() => server?.stop());

  /** Checks what a person sees with the rules of axe, and keeps a picture of it. */
  async function look(page: Page, name: string): Promise<void> {
    await page.evaluate(axe);
    const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
      // VitePress's own link to the content is outside of landmarks.
      `axe.run({ exclude: ['.VPSkipLink'] })`,
    );
    expect(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }))).toEqual([]);
    await page.screenshot({ path: join(SHOTS, `${name}.png`), animations: 'disabled' });
  }

  test.each(VIEWS)('1 to 5 on the page: %s', async (view, options, question, language, isAnswered) => {
    const page = await browser.open(server.url, options);
    await settled(page);
    await ask(page, question);
    await page.locator('#results article:visible').first().waitFor();
    expect(await page.locator('.answer').count()).toBe(Number(isAnswered));
    await look(page, `1-ask-${view}`);

    await page.locator('#lang summary').click();
    await page.locator('#lang-values').getByText(language, { exact: true }).click();
    await page.waitForURL('**lang=*');
    await settled(page);
    const own = await page.locator('article:visible .language').allTextContents();
    expect(new Set(own)).toEqual(new Set([language]));
    await page.keyboard.press('Escape');
    await look(page, `2-refine-${view}`);
    await page.locator('#clear').click();
    await page.waitForURL((url) => !url.search.includes('lang'));
    await settled(page);

    if (isAnswered) {
      await page.locator('.cite:visible').click();
      await page.locator('.answer [role=status]:not(:empty)').waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(/^“.+”\n/);
      await look(page, `3-cite-${view}`);
    }

    const first = page.locator('#results li').first();
    await first.locator('.languages button').filter({ hasText: language }).click();
    await expect.poll(() => first.locator('article:visible .language').first().textContent()).toBe(language);
    await look(page, `5-language-${view}`);

    await first.locator('article:visible [aria-expanded]').first().click();
    await first.locator('article:visible .permalink').first().click();
    await page.locator('#passage:visible').waitFor();
    await look(page, `4-context-${view}`);
  });

  test('9 recover from an outage', async () => {
    const page = await browser.open(server.url, { ...phone, locale: 'en' });
    await settled(page);
    await page.context().setOffline(true);
    await ask(page, 'Is slavery allowed?');
    await page.locator('.again').waitFor();
    await look(page, '9-outage');
    await page.context().setOffline(false);
    await page.locator('.again').click();
    await page.locator('.answer').waitFor();
    await look(page, '9-recovered');
    browser.offences.splice(0);
  });

  test('6 and 10 find a setting with the widget of a VitePress site', async () => {
    const { site, endpoint, stop } = await serveDocsSite(join(folder, 'docs'), ['docs/*.html']);
    try {
      for (const [view, options] of [
        ['desktop', { ...desktop, colorScheme: 'light' }],
        ['phone', { ...phone, colorScheme: 'dark' }],
      ] as const) {
        const page = await browser.open(site, { locale: 'en-GB', ...options }, [endpoint]);
        await page.getByRole('button', { name: 'Search' }).click();
        await askWidget(page, 'How do I roll back to an earlier version?');
        expect(await page.locator('.results').innerText()).toContain('rollback');
        await look(page, `6-widget-${view}`);
        // The picture of docs/widget.md. It depends on the fonts of the machine.
        if (process.env.UPDATE_SCREENSHOTS === '1' && view === 'desktop')
          await page.screenshot({ path: join(root, 'test/e2e/screenshots/widget.jpg'), quality: 70 });
        await page.locator('.results a').first().click();
        await page.waitForURL(/docs\/.+html/);
        await look(page, `10-setting-${view}`);
      }
    } finally {
      await stop();
    }
  });

  describe('with the examples', () => {
    const copies = join(root, `build/tasks-${process.pid}`);
    afterAll(() => rmSync(copies, { recursive: true }));
    const { running, install } = useExamples(copies);

    test('7 search in a Next.js application', async () => {
      install('nextjs');
      const serve = ['node_modules/next/dist/bin/next', 'start'];
      await running(
        'nextjs',
        serve,
        async (url) => {
          const page = await browser.open(url, desktop);
          await page.getByRole('searchbox', { name: 'Question' }).fill('Is slavery allowed?');
          await page.getByRole('button', { name: 'Search' }).click();
          await page.locator('li').first().waitFor();
          await look(page, '7-nextjs');
          // It has no icon.
          browser.offences.splice(0);
        },
        { POLYSEEK_URL: server.url },
      );
    });
  });

  test('8 chat, and 1 ask in a terminal', async () => {
    const chat = await command(
      'chat',
      ['--url', server.url],
      'Is slavery allowed?\nDo workers have a right to holidays with pay?\n',
    );
    expect(chat).toMatchObject({ code: 0, stderr: '' });
    expect(chat.stdout).toMatch(/No one shall be held in slavery or servitude/);
    expect(chat.stdout).toMatch(/Everyone has the right to rest and leisure/);
    const asked = await command('search', ['Is slavery allowed?', '--url', server.url]);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    writeFileSync(join(SHOTS, '8-terminal.txt'), `${chat.stdout}\n${asked.stdout}`);
  });
});
