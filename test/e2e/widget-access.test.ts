import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { missingTools } from '../fixtures/tools.ts';
import { askWidget, LIKELY, useWidgetSite, WidgetSearch } from '../fixtures/widget.ts';

interface AxeResults {
  passes: unknown[];
  violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Saves a picture to look at, if asked to. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.WIDGET_PICTURES;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, animations: 'disabled' });
}

describe.skipIf(missingTools('chromium'))('the widget, for everyone,', () => {
  const site = useWidgetSite(() => new WidgetSearch());

  async function check(page: Page, width: number): Promise<void> {
    await page.evaluate(axe);
    const { passes, violations } = await page.evaluate<AxeResults>('axe.run()');
    expect(
      violations.map(({ id, nodes }) => ({
        id,
        nodes: nodes.map((node) => [node.html, node.failureSummary]),
      })),
    ).toEqual([]);
    expect(passes.length).toBeGreaterThan(10);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  }

  /** Asks during an outage and after it, and starts anew from recent searches. Checks the widget in each. */
  async function checkOutage(page: Page, width: number): Promise<void> {
    const isSearch = (url: URL) => url.pathname === '/browser/search';
    const headers = { 'access-control-allow-origin': '*', 'retry-after': '0' };
    await page.route(isSearch, (route) => route.fulfill({ status: 503, headers }));
    const field = page.getByRole('searchbox').first();
    await field.fill('perhaps');
    await field.press('Enter');
    await page.locator('.again').waitFor();
    await check(page, width);
    await page.unroute(isSearch);
    await page.locator('.again').click();
    await page.locator('article').waitFor();
    // The browser reports each refusal.
    expect(new Set(site.offences.splice(0).map((said) => said.match(/status of \d+/)?.[0]))).toEqual(
      new Set(['status of 503']),
    );
    await field.fill('');
    await page.locator('.suggestions button').waitFor();
    await check(page, width);
  }

  // The test in Arabic is in dark colours on a phone.
  test('passes axe and fits a wide screen', async () => {
    const width = 1280;
    const page = await site.open(
      { attributes: 'chat' },
      { colorScheme: 'light', viewport: { width, height: 740 }, reducedMotion: 'reduce' },
    );
    const shot = async (name: string) => {
      await picture(page, name);
      await check(page, width);
    };
    await picture(page, 'closed');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.locator('.suggestions a').waitFor();
    await shot('suggestions');
    await askWidget(page, LIKELY);
    await page.getByRole('button', { name: 'Show more' }).first().click();
    await page.locator('.neighbour').first().waitFor();
    await shot('results');
    await checkOutage(page, width);
    await page.getByRole('tab', { name: 'Chat' }).click();
    for (const q of [LIKELY, 'perhaps', 'unlikely']) {
      await page.getByRole('searchbox').fill(q);
      await page.keyboard.press('Enter');
      await page.locator('.reply').last().locator('figure, p:not(.note)').first().waitFor();
    }
    await shot('chat');
    const box = (await page.getByRole('dialog').boundingBox())!;
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(width);
  });

  test('inline, passes axe and fits a narrow column', async () => {
    const page = await site.open(
      { attributes: 'mode="inline" chat' },
      { viewport: { width: 360, height: 900 }, reducedMotion: 'reduce' },
    );
    await askWidget(page, LIKELY);
    await picture(page, 'inline');
    await check(page, 360);
  });

  test('has touch targets of 44 px', async () => {
    const page = await site.open(
      { attributes: 'chat' },
      { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
    );
    const targets = 'button, input, select, h3 a, .suggestions a, figcaption a';
    async function measure(): Promise<void> {
      for (const target of await page.locator(`polyseek-search >> css=${targets}`).all()) {
        if (!(await target.isVisible())) continue;
        const box = (await target.boundingBox())!;
        expect([await target.innerText(), Math.round(box.height) >= 44, Math.round(box.width) >= 44]).toEqual(
          [expect.anything(), true, true],
        );
      }
    }
    await page.getByRole('button', { name: 'Search' }).tap();
    await page.locator('.suggestions a').waitFor();
    await measure();
    await askWidget(page, LIKELY);
    await picture(page, 'touch');
    await measure();
    await page.getByRole('tab', { name: 'Chat' }).tap();
    await page.getByRole('searchbox').fill(LIKELY);
    await page.getByRole('button', { name: 'Send' }).tap();
    await page.locator('figcaption a').first().waitFor();
    await measure();
  });

  test('switches tabs with the arrow keys', async () => {
    const page = await site.open({ attributes: 'chat' });
    await page.keyboard.press('/');
    const [search, chat] = [
      page.getByRole('tab', { name: 'Search' }),
      page.getByRole('tab', { name: 'Chat' }),
    ];
    await search.focus();
    for (const [key, selected] of [
      ['ArrowRight', chat],
      ['ArrowRight', search],
      ['ArrowLeft', chat],
    ] as const) {
      await page.keyboard.press(key);
      expect(await selected.getAttribute('aria-selected')).toBe('true');
      expect(await page.getByRole('tabpanel').count()).toBe(1);
    }
    await page.keyboard.press('Tab');
    await page.keyboard.press('Shift+Tab');
    expect(await page.getByRole('tab', { selected: true }).textContent()).toBe('Chat');
  });

  describe('the language', () => {
    test('is that of the attribute, of the page, or of the browser', async () => {
      const page = await site.open({ lang: 'de' }, { locale: 'ja-JP' });
      const name = () => page.getByRole('button').innerText();
      const set = (element: string, attribute: string, value: string) =>
        page.evaluate(`(() => {
          document.querySelector('${element}').setAttribute('${attribute}', '${value}');
          // An element reads the language of its page when it is built.
          document.querySelector('polyseek-search').toggleAttribute('chat');
        })()`);
      for (const [element, attribute, value, expected] of [
        ['html', 'lang', 'de', 'Suchen'],
        ['html', 'lang', 'pt-BR', 'Pesquisar'],
        // Without texts in the language of the page.
        ['html', 'lang', 'la', '検索'],
        ['html', 'lang', '', '検索'],
        ['polyseek-search', 'lang', 'es', 'Buscar'],
        ['polyseek-search', 'ui', 'fr', 'Rechercher'],
      ] as const) {
        await set(element, attribute, value);
        await expect.poll(name).toMatch(new RegExp(`^${expected}\\s+Ctrl K$`));
      }
    });

    test('may be Arabic, from right to left', async () => {
      const page = await site.open(
        { lang: 'ar', attributes: 'chat' },
        { colorScheme: 'dark', viewport: { width: 360, height: 740 }, reducedMotion: 'reduce' },
      );
      await page.keyboard.press('/');
      await page.locator('.suggestions a').waitFor();
      await check(page, 360);
      await askWidget(page, LIKELY);
      await page.locator('article button[aria-expanded]').first().click();
      await page.locator('.neighbour').first().waitFor();
      await picture(page, 'arabic');
      await check(page, 360);
      await page.locator('.cite').click();
      await page.locator('.answer [role=status]:not(:empty)').waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(
        /^“Passports are renewed online.”\n/,
      );
      expect(await page.locator('.status').innerText()).toBe('مقاطع تطابق سؤالك');
      const left = async (part: string) => (await page.locator(part).first().boundingBox())!.x;
      expect(await left('[part=close]')).toBeLessThan(await left('[role=tablist] > :first-child'));
      expect(await left('[role=tab]:last-child')).toBeLessThan(await left('[role=tab]:first-child'));
      // English passages keep their direction.
      expect(await page.locator('.passage .text').first().getAttribute('dir')).toBe('ltr');
      await checkOutage(page, 360);
      await page.getByRole('tab').first().press('ArrowLeft');
      expect(await page.getByRole('tab', { selected: true }).textContent()).toBe('محادثة');
      await page.getByRole('searchbox').fill('perhaps');
      await page.keyboard.press('Enter');
      await page.locator('figure').waitFor();
      await picture(page, 'arabic-chat');
      await check(page, 360);
      const box = (await page.getByRole('dialog').boundingBox())!;
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(360);
    });
  });

  describe('the theme', () => {
    const style = (page: Page, selector: string, property: string) =>
      page.evaluate<string>(
        `getComputedStyle(document.querySelector('polyseek-search').shadowRoot.querySelector('${selector}')).${property}`,
      );
    const DARK = 'rgb(23, 22, 20)';
    const LIGHT = 'rgb(251, 250, 248)';

    test('follows its attribute, or the page on any system', async () => {
      const page = await site.open();
      for (const [scheme, theme, colorScheme, background] of [
        ['light dark', '', 'dark', DARK],
        ['light dark', '', 'light', LIGHT],
        ['light', '', 'dark', LIGHT],
        ['dark', '', 'light', DARK],
        ['light', 'dark', 'light', DARK],
        ['dark', 'light', 'dark', LIGHT],
        ['light', 'auto', 'dark', DARK],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        await page.evaluate(`(() => {
          document.querySelector('meta[name=color-scheme]').content = '${scheme}';
          document.querySelector('polyseek-search').setAttribute('theme', '${theme}');
        })()`);
        await expect
          .poll(() => style(page, '.open', 'backgroundColor'), { message: scheme + theme })
          .toBe(background);
      }
    });

    test('is set by custom properties and parts, and independent of the style of the page', async () => {
      const page = await site.open();
      await page.evaluate(`(() => {
        const style = new CSSStyleSheet();
        style.replaceSync(\`
          html { font-size: 10px; font-family: monospace; line-height: 3; text-transform: uppercase; }
          polyseek-search {
            --polyseek-accent: rgb(200, 0, 100);
            --polyseek-radius: 0px;
            --polyseek-mark: rgb(0, 255, 0);
            --polyseek-width: 500px;
          }
          polyseek-search::part(result-title) { font-style: italic; }
          button, mark { background: red !important; }\`);
        document.adoptedStyleSheets = [style];
      })()`);
      await page.getByRole('button', { name: 'Search' }).click();
      await askWidget(page, LIKELY);
      await picture(page, 'themed');
      expect(await style(page, 'h3 a', 'color')).toBe('rgb(200, 0, 100)');
      expect(await style(page, 'h3', 'fontStyle')).toBe('italic');
      expect(await style(page, 'mark', 'backgroundColor')).toBe('rgb(0, 255, 0)');
      expect(await style(page, 'dialog', 'borderRadius')).toBe('0px');
      expect(await style(page, 'dialog', 'width')).toBe('500px');
      // The font is that of the page, its size is not.
      expect(await style(page, '.passage p', 'fontFamily')).toBe('monospace');
      expect(await style(page, 'li:last-child .passage p', 'fontSize')).toBe('16px');
      expect(await style(page, '.meta', 'fontSize')).toBe('14px');
      expect(await style(page, '.passage p', 'textTransform')).toBe('none');
      expect(await style(page, '.close, .icon', 'backgroundColor')).toBe('rgba(0, 0, 0, 0)');
    });

    test('keeps marks visible in forced colours, and does not move if motion is reduced', async () => {
      const page = await site.open({}, { forcedColors: 'active', reducedMotion: 'reduce' });
      await page.getByRole('button', { name: 'Search' }).click();
      await askWidget(page, LIKELY);
      await picture(page, 'forced');
      const colours = [
        await style(page, 'mark', 'backgroundColor'),
        await style(page, 'dialog', 'backgroundColor'),
      ];
      expect(new Set(colours).size).toBe(2);
      expect(await style(page, 'dialog', 'animationName')).toBe('none');
    });
  });
});
