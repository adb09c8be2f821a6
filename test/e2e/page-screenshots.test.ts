import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { buildDemo } from '../../index/ingest/build-from-sources.ts';
import { root, temporaryFolder } from '../fixtures/index.ts';
import { settled, useBrowser } from '../fixtures/page.ts';
import { startServer } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

/** The screenshots of README.md and docs/http-api.md, of the demo index. */
const shots: { name: string; q: string; options: BrowserContextOptions }[] = [
  {
    name: 'light.png',
    q: 'Do workers have a right to holidays with pay?',
    options: { colorScheme: 'light', viewport: { width: 720, height: 436 }, deviceScaleFactor: 1.5 },
  },
  {
    name: 'dark-360.png',
    q: 'من له الحق في التعليم المجاني؟',
    options: {
      colorScheme: 'dark',
      viewport: { width: 360, height: 720 },
      deviceScaleFactor: 1.5,
      locale: 'ar',
      hasTouch: true,
    },
  },
];
const pathOf = (name: string) => join(root, 'test/e2e/screenshots', name);

// Only on demand, because the pictures depend on the fonts of the machine.
describe.skipIf(process.env.UPDATE_SCREENSHOTS !== '1' || missingTools('chromium'))('screenshots', () => {
  const browser = useBrowser();

  test('are created from the demo', async () => {
    const index = join(temporaryFolder(), 'index');
    await buildDemo(index);
    const server = await startServer(index);
    try {
      for (const { name, q, options } of shots) {
        const page = await browser.open(`${server.url}/?${new URLSearchParams({ q })}`, options);
        await settled(page);
        await page.locator('mark').first().waitFor();
        await page.screenshot({ path: pathOf(name), animations: 'disabled' });
      }
    } finally {
      await server.stop();
    }
  });
});

test.each(shots)(
  'the screenshot $name is a PNG of the right size with less than 120 KB',
  ({ name, options }) => {
    const png = readFileSync(pathOf(name));
    expect(png.toString('latin1', 1, 4)).toBe('PNG');
    expect(png.length).toBeLessThan(120_000);
    const { viewport, deviceScaleFactor = 1 } = options;
    expect(png.readUInt32BE(16)).toBe(viewport!.width * deviceScaleFactor);
  },
);
