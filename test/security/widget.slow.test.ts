import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { Overview } from '../../index/format/overview-types.ts';
import type { Answer, PassageAnswer, SearchRequest, SearchResult } from '../../index/search/answer.ts';
import { missingTools } from '../fixtures/tools.ts';
import { askWidget, useWidgetSite } from '../fixtures/widget.ts';
import { SearchDouble } from '../functions/search/search-double.ts';

// An index of an attacker, in the widget on someone else's page and in the search page.

const SCRIPT = "document.title='owned'";
const MARKUP = `<img src=x onerror="${SCRIPT}"></script><script>${SCRIPT}</script><svg onload="${SCRIPT}"><a href="javascript:${SCRIPT}">x</a><style>*{display:none}</style>`;
const ADDRESSES = [
  `javascript:${SCRIPT}`,
  ` JaVaScRiPt:${SCRIPT}`,
  `java\tscript:${SCRIPT}`,
  `\u0001javascript:${SCRIPT}`,
  `data:text/html,<script>${SCRIPT}</script>`,
  `vbscript:${SCRIPT}`,
  `" onclick="${SCRIPT}`,
];

/** A search whose every text is hostile. */
class HostileSearch extends SearchDouble {
  override async search(request: SearchRequest): Promise<Answer> {
    const answer = await super.search(request);
    return { ...answer, results: ADDRESSES.map((url, i) => ({ ...hostile(url, i), ...SCORES })) };
  }

  override async passage(id: string): Promise<PassageAnswer> {
    const around = [{ id: `${id}<`, text: MARKUP }];
    return { ...hostile(ADDRESSES[0]!, 0), id, before: around, after: around };
  }

  override async overview(): Promise<Overview> {
    return {
      documents: 2,
      languages: [
        { value: 'en', passages: 1 },
        { value: `"${MARKUP}`, passages: 1 },
      ],
      sources: [
        { value: MARKUP, passages: 1 },
        { value: `javascript:${SCRIPT}`, passages: 1 },
      ],
      suggestions: [{ text: MARKUP, lang: `"><script>${SCRIPT}</script>` }],
    };
  }
}

const SCORES = {
  score: 1,
  confidence: 0.9,
  highlight: { text: MARKUP, start: 0, end: MARKUP.length },
  matches: [{ query: [0, 1] as [number, number], text: [1, 40] as [number, number], weight: 1 }],
} satisfies Partial<SearchResult>;

function hostile(url: string, i: number): PassageAnswer {
  return {
    id: `javascript:${SCRIPT}#${i}">${MARKUP}`,
    text: `${MARKUP} ${i}`,
    title: `${MARKUP} › ${MARKUP}`,
    source: `javascript:${SCRIPT}//${MARKUP}`,
    url,
    anchor: `page=1"${MARKUP}`,
    lang: `en"${MARKUP}`,
    metadata: { note: MARKUP },
    alsoIn: ADDRESSES.map((other) => ({ id: MARKUP, title: MARKUP, source: MARKUP, url: other })),
  };
}

/** What the page contains now, also in the widget: schemes of links, and elements that only markup could have made. */
async function contents(page: Page): Promise<{ schemes: string[]; foreign: number }> {
  const links = await page
    .locator('a[href]')
    .evaluateAll((all) => all.map((a) => (a as unknown as URL).protocol));
  const made = page
    .locator('article, blockquote, figure, .results, .suggestions')
    .locator('img, script, style, iframe, svg, [onerror], [onload], [onclick]');
  return { schemes: [...new Set(links)], foreign: await made.count() };
}

describe.skipIf(missingTools('chromium'))('hostile documents', () => {
  const search = new HostileSearch();
  const site = useWidgetSite(() => search);

  test('are only text in the widget', async () => {
    const page = await site.open({ attributes: 'chat' });
    await page.keyboard.press('/');
    await page.locator('.suggestions li').first().waitFor();
    await askWidget(page, 'x y z');
    expect(await page.locator('article').count()).toBe(ADDRESSES.length);
    expect(await page.locator('article').first().textContent()).toContain('<script>');
    await page.getByRole('button', { name: 'Show more' }).first().click();
    await page.locator('.neighbour').first().waitFor();
    expect(await contents(page)).toEqual({ schemes: ['http:'], foreign: 0 });
    await page.getByRole('tab', { name: 'Chat' }).click();
    await page.getByRole('searchbox').fill('x y z');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.reply figure').first().waitFor();
    expect(await contents(page)).toEqual({ schemes: ['http:'], foreign: 0 });
    expect(await page.title()).toBe('A site');
  });

  test('are only text in the search page, also as a single passage', async () => {
    const page = await site.open();
    for (const path of ['/?q=x+y+z', `/#p=${encodeURIComponent(`javascript:${SCRIPT}`)}`]) {
      await page.goto('about:blank');
      await page.goto(site.endpoint + path);
      const shown = page.locator('article, .chosen-passage').first();
      await shown.waitFor();
      expect(await shown.textContent()).toContain('<script>');
      const { schemes, foreign } = await contents(page);
      expect(foreign).toBe(0);
      expect(schemes.filter((scheme) => scheme !== 'http:')).toEqual([]);
      // Its title is that of the passage, which a script would replace.
      expect(await page.title()).toMatch(/ – polyseek$/);
    }
  });
});
