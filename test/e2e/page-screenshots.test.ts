import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { buildDemo } from '../../index/ingest/build-from-sources.ts';
import { root, temporaryFolder } from '../fixtures/index.ts';
import { settled, useBrowser } from '../fixtures/page.ts';
import { onTerminal, startServer } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

interface Shot {
  name: string;
  q: string;
  options: BrowserContextOptions;
}

/** The screenshots of the page in README.md and docs/, of the demo index. */
const pages: Shot[] = [
  {
    name: 'light.png',
    q: 'Do workers have a right to holidays with pay?',
    options: { colorScheme: 'light', viewport: { width: 720, height: 370 }, deviceScaleFactor: 1.5 },
  },
  {
    name: 'dark-360.png',
    q: 'من له الحق في التعليم المجاني؟',
    options: {
      colorScheme: 'dark',
      viewport: { width: 360, height: 460 },
      deviceScaleFactor: 1.5,
      locale: 'ar',
      hasTouch: true,
    },
  },
  {
    name: 'nothing.png',
    q: 'Who won the football world cup in 1974?',
    options: { colorScheme: 'light', viewport: { width: 720, height: 310 }, deviceScaleFactor: 1.5 },
  },
];
/** The screenshot of docs/cli.md. */
const terminal: Shot = {
  name: 'terminal.png',
  q: 'Do workers have a right to holidays with pay?',
  options: { viewport: { width: 720, height: 360 }, deviceScaleFactor: 1.5 },
};
const pathOf = (name: string) => join(root, 'test/e2e/screenshots', name);

// Only on demand, because the pictures depend on the fonts of the machine.
describe.skipIf(process.env.UPDATE_SCREENSHOTS !== '1' || missingTools('chromium'))('screenshots', () => {
  const browser = useBrowser();

  test('are created from the demo', async () => {
    const index = join(temporaryFolder(), 'index');
    await buildDemo(index);
    const server = await startServer(index);
    try {
      for (const { name, q, options } of pages) {
        const page = await browser.open(`${server.url}/?${new URLSearchParams({ q })}`, options);
        await settled(page);
        await page.locator('article').first().waitFor();
        await page.screenshot({ path: pathOf(name), animations: 'disabled' });
      }
      const { name, q, options } = terminal;
      const { printed } = await onTerminal('search', [q, '--index', index, '-k', '3']);
      const page = await browser.open('about:blank', options);
      await page.setContent(onScreen(`$ npx polyseek search "${q}"\n${printed}`));
      await page.screenshot({ path: pathOf(name) });
    } finally {
      await server.stop();
    }
  });
});

/** What a terminal shows for text with the codes of styles that commands print, as HTML. */
function onScreen(text: string): string {
  const styles: Record<string, string> = { 1: '<b>', 22: '</b></i>', 2: '<i>', 32: '<em>', 39: '</em>' };
  let html = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  for (const [code, tag] of Object.entries(styles)) html = html.replaceAll(`\x1b[${code}m`, tag);
  return `<style>
    body { margin: 0; padding: 12px 16px; background: #16181d; color: #d5d8de; white-space: pre-wrap; font: 14px/1.4 monospace }
    b { color: #fff } i { color: #9aa0aa; font-style: normal } em { color: #7ddb8a; font-style: normal }
  </style>${html}`;
}

test.each([...pages, terminal])(
  'the screenshot $name is a PNG of the right size with less than 120 KB',
  ({ name, options }) => {
    const png = readFileSync(pathOf(name));
    expect(png.toString('latin1', 1, 4)).toBe('PNG');
    expect(png.length).toBeLessThan(120_000);
    const { viewport, deviceScaleFactor = 1 } = options;
    expect(png.readUInt32BE(16)).toBe(viewport!.width * deviceScaleFactor);
  },
);
