import { afterAll, describe, test } from 'vitest';
import { serveDocsSite } from '../fixtures/docs-site.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { useBrowser } from '../fixtures/page.ts';
import { missingTools } from '../fixtures/tools.ts';
import { askWidget } from '../fixtures/widget.ts';

describe.skipIf(missingTools('chromium'))('the documentation site', () => {
  const browser = useBrowser();
  let stop: (() => Promise<void>) | undefined;
  afterAll(() => stop?.());

  test('finds a section with the search box, and opens it', async () => {
    const pages = ['access', 'mcp', 'widget'].map((name) => `docs/${name}.html`);
    const served = await serveDocsSite(temporaryFolder(), pages);
    const { site, endpoint } = served;
    stop = served.stop;
    const page = await browser.open(site, { locale: 'en-GB' }, [endpoint]);
    // The navigation has the groups of README.md.
    await page.getByRole('link', { name: 'HTTP API', exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Search' }).click();
    await askWidget(page, 'Wie rotiere ich einen Schlüssel?');
    await page.locator('.results a').first().click();
    await page.waitForURL(`${site}docs/access.html#api-keys`);
    await page.getByRole('heading', { name: 'API keys' }).waitFor();
  });
});
