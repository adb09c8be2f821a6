import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { preview } from 'vite';
import { afterAll, describe, test } from 'vitest';
import { createApp } from '../../functions/search/app.ts';
import type { App } from '../../functions/search/http.ts';
import { createAppServer, withCors } from '../../functions/search/listener.ts';
import { buildFromSources } from '../../index/ingest/build-from-sources.ts';
import { openLocal } from '../../index/ingest/open-local.ts';
import { FolderSource } from '../../index/ingest/sources/folder.ts';
import { root, temporaryFolder } from '../fixtures/index.ts';
import { useBrowser } from '../fixtures/page.ts';
import { missingTools } from '../fixtures/tools.ts';
import { askWidget } from '../fixtures/widget.ts';

describe.skipIf(missingTools('chromium'))('the documentation site', () => {
  const browser = useBrowser();
  const folder = temporaryFolder();
  const outDir = join(folder, 'site');
  const stops: (() => unknown)[] = [];
  afterAll(() => Promise.all(stops.map((stop) => stop())));

  /** Builds the site and its index, and serves both. @returns their addresses */
  async function serveSite(): Promise<{ site: string; endpoint: string }> {
    // The site contains the address of the endpoint, and the index that of the site.
    let app: App | undefined;
    const api = createAppServer((request) => app!(request));
    await once(api.listen(0, '127.0.0.1'), 'listening');
    const endpoint = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    const vitepress = join(root, 'node_modules/vitepress/bin/vitepress.js');
    execFileSync(process.execPath, [vitepress, 'build', 'docs', '--outDir', outDir], {
      cwd: root,
      env: { ...process.env, NODE_ENV: 'production', POLYSEEK_URL: endpoint },
      stdio: 'pipe',
    });
    const pages = await preview({
      configFile: false,
      build: { outDir },
      preview: { host: '127.0.0.1', port: 0 },
    });
    const site = pages.resolvedUrls!.local[0]!;
    const index = join(folder, 'index');
    const source = new FolderSource(outDir, {
      include: ['docs/access.html', 'docs/mcp.html', 'docs/widget.html'],
      baseUrl: site,
    });
    await buildFromSources([source], index, { cache: join(folder, 'cache') });
    const search = await openLocal(index);
    app = withCors(createApp(search, { log: () => {}, origins: ['*'] }), ['*']);
    stops.push(
      () => pages.close(),
      () => api.close(),
      () => search.close(),
    );
    return { site, endpoint };
  }

  test('finds a section with the search box, and opens it', async () => {
    const { site, endpoint } = await serveSite();
    const page = await browser.open(site, { locale: 'en-GB' }, [endpoint]);
    // The navigation has the groups of README.md.
    await page.getByRole('link', { name: 'HTTP API', exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Search' }).click();
    await askWidget(page, 'Wie tausche ich einen Schlüssel aus?');
    await page.locator('.results a').first().click();
    await page.waitForURL(`${site}docs/access.html#api-keys`);
    await page.getByRole('heading', { name: 'API keys' }).waitFor();
  });
});
