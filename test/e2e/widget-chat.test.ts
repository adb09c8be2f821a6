import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../functions/search/auth.ts';
import { openLocal } from '../../index/ingest/open-local.ts';
import { KORVANE, UNANSWERED, usePageIndex } from '../fixtures/page.ts';
import { missingTools } from '../fixtures/tools.ts';
import { answered, askWidget, LIKELY, useWidgetSite, WidgetSearch } from '../fixtures/widget.ts';

/** Asks in the chat tab, and returns the reply. */
async function chat(page: Page, q: string): Promise<string> {
  await page.getByRole('searchbox').fill(q);
  await page.getByRole('button', { name: 'Send' }).click();
  await expect.poll(() => page.locator('.said').last().textContent()).toBe(q);
  const reply = page.locator('.reply').last();
  await reply.locator('figure, p:not(.note)').first().waitFor();
  return reply.innerText();
}

async function openChat(page: Page): Promise<void> {
  await page.keyboard.press('/');
  await page.getByRole('tab', { name: 'Chat' }).click();
}

describe.skipIf(missingTools('chromium'))('the chat of the widget', () => {
  const search = new WidgetSearch();
  const site = useWidgetSite(() => search);
  beforeEach(() => {
    search.requests.length = 0;
  });

  test('quotes what answers, with sources, and says when it found only close ones', async () => {
    const page = await site.open({ attributes: 'chat source="guides/"' });
    await openChat(page);
    const reply = await chat(page, LIKELY);
    // The first passage whole, and the best sentence of each other likely passage.
    expect(reply.split(/\s*\n\s*/)).toEqual([
      'Passports are renewed online. A renewal takes three weeks.',
      '[1] Passports › Renewal',
      'يُجدَّد جواز السفر عبر الإنترنت.',
      '[2] جواز السفر',
    ]);
    expect(await page.getByRole('link', { name: 'Passports › Renewal' }).getAttribute('href')).toBe(
      'https://example.org/passports',
    );
    expect(await page.locator('blockquote').last().getAttribute('dir')).toBe('rtl');
    expect(await chat(page, 'perhaps')).toMatch(/^These passages are close to your question\s+Passports are/);
    expect(await chat(page, 'unlikely')).toBe('Nothing here matches your question.');
    expect(await page.getByRole('log', { name: 'Chat' }).locator('.said').count()).toBe(3);
    expect(search.requests[0]).toMatchObject({ k: 3, filter: { source: ['guides/'] } });
  });

  test('remembers answers for follow-up questions, until a new conversation', async () => {
    const page = await site.open({ attributes: 'chat' });
    await openChat(page);
    await chat(page, LIKELY);
    await chat(page, 'unlikely');
    await chat(page, 'And how long does it take?');
    const history = [
      { role: 'user', content: LIKELY },
      {
        role: 'assistant',
        content: 'Passports are renewed online. A renewal takes three weeks.\nيُجدَّد جواز السفر عبر الإنترنت.',
      },
    ];
    expect(search.requests.at(-1)).toMatchObject({ q: 'And how long does it take?', history });
    await page.getByRole('button', { name: 'New conversation' }).click();
    expect(await page.locator('.said').count()).toBe(0);
    await chat(page, 'Passports?');
    expect(search.requests.at(-1)?.history).toEqual([]);
  });

  test('reports that a person follows a source', async () => {
    const page = await site.open({ attributes: 'chat' });
    await page.evaluate(`document.addEventListener('polyseek-select', (event) => {
      event.preventDefault();
      window.chosen = [event.detail.q, event.detail.url, event.detail.position];
    })`);
    await openChat(page);
    await chat(page, LIKELY);
    await page.getByRole('link', { name: 'Passports › Renewal' }).click();
    expect(await page.evaluate('chosen')).toEqual([LIKELY, 'https://example.org/passports', 1]);
  });
});

describe.skipIf(missingTools('chromium'))('the widget of an endpoint with keys', () => {
  const index = usePageIndex();
  // A browser key of the site, whose port is chosen when it starts.
  const origins: string[] = [];
  const apiKeys = new Map([
    ['site', { digest: digestOf('psb_right'), origins }],
    ['elsewhere', { digest: digestOf('psb_elsewhere'), origins: ['https://elsewhere.example'] }],
  ]);
  const methods: string[] = [];
  const site = useWidgetSite(
    () => openLocal(index),
    { apiKeys },
    async ({ method, path }) => {
      if (path === '/browser/search') methods.push(method);
      return undefined;
    },
  );
  beforeEach(() => {
    methods.length = 0;
    origins.splice(0, 1, site.home);
  });

  test.each(['key', 'api-key'])(
    'sends the key in the attribute %s, and finds what the index has',
    async (name) => {
      // Each in a session of its own: a browser keeps the answer to a preflight.
      const locale = name === 'key' ? 'en-GB' : 'en-US';
      const page = await site.open({ attributes: `${name}="psb_right" chat` }, { locale });
      await page.getByRole('button', { name: 'Search' }).click();
      await askWidget(page, KORVANE);
      expect(await page.locator('.status').innerText()).toBe('Passages that match your question');
      expect(await page.locator('mark').count()).toBeGreaterThan(2);
      // The page of the endpoint would ask visitors for a key, so nothing leads there. Arrows still move through results.
      expect(await page.locator('h3 a').count()).toBe(0);
      await page.getByRole('searchbox').press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      const focused = `(({ shadowRoot: root }) => [...root.querySelectorAll('article')].indexOf(root.activeElement))(
      document.querySelector('polyseek-search'))`;
      expect(await page.evaluate(focused)).toBe(1);
      await page.getByRole('combobox', { name: 'Language' }).selectOption('German');
      await answered(page);
      await expect.poll(() => page.locator('.results').innerText()).not.toContain('English');
      await askWidget(page, UNANSWERED);
      expect(await page.locator('.status').innerText()).toMatch(
        /^(These passages are close|Nothing here matches)/,
      );
      // One preflight is enough for all questions.
      expect(methods).toEqual(['OPTIONS', 'POST', 'POST', 'POST']);
      await page.getByRole('tab', { name: 'Chat' }).click();
      expect(await chat(page, KORVANE)).toContain('[1]');
    },
  );

  test.each([
    ['psb_wrong', 'The API key is not valid.', '401 (Unauthorized)'],
    ['psb_elsewhere', 'may not use this browser key.', '403 (Forbidden)'],
  ])('tells the console, and no visitor, why it refuses the key %s', async (key, reason, status) => {
    const page = await site.open({ attributes: `key="${key}"` });
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('The search does not respond.').waitFor();
    await page.getByRole('searchbox').fill(KORVANE);
    // Of the overview and of the search, each with a line of the browser itself.
    await expect.poll(() => site.offences.length).toBe(4);
    expect(await page.locator('.status').innerText()).toBe('The search does not respond.');
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
    expect(new Set(site.offences.splice(0))).toEqual(
      new Set([
        `said Failed to load resource: the server responded with a status of ${status}`,
        expect.stringMatching(`^said polyseek-search: .*${reason}`),
      ]),
    );
  });
});
