/**
 * Asks the questions of `questions.jsonl` in three search boxes on the same site, in Chromium: polyseek's widget, VitePress's local search
 * (MiniSearch) and Pagefind's modal. Measures DocSearch's modal with a client that returns fixed results. Prints JSON.
 *
 *     npx tsx test/bench/site/compare.ts
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { preview } from 'vite';
import { createApp } from '../../../functions/search/app.ts';
import { createAppServer, withCors } from '../../../functions/search/listener.ts';
import { buildFromSources } from '../../../index/ingest/build-from-sources.ts';
import { openLocal } from '../../../index/ingest/open-local.ts';
import { FolderSource } from '../../../index/ingest/sources/folder.ts';
import { startBrowser } from '../../fixtures/page.ts';
import { root } from '../../fixtures/prepared.ts';

const PACKAGES = ['pagefind@1.6.0', '@docsearch/js@5.2.0', '@docsearch/css@5.2.0'];
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
/** A question that every box finds results for. */
const PHONE_QUESTION = 'provisioned concurrency price';
const work = join(root, 'build/site-compare');

interface Question {
  lang: string;
  kind?: 'words';
  text: string;
  /** Pages of docs/ without `.md`, with or without a heading's anchor. */
  right: string[];
}

interface Box {
  /** Content of each page's head. */
  head?: object[];
  /** Added to the body of each page. */
  body?: string;
  search?: object;
  /** Which requests belong to the search. */
  requests: RegExp;
  open: string;
  field: string;
  /** The links of results, in their order. */
  links: string;
}

const questions = readFileSync(join(import.meta.dirname, 'questions.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line): Question => JSON.parse(line));

/** Builds the site with another search box. @returns its folder */
function buildSite(name: string, { head = [], search, body }: Box): string {
  const source = join(work, `${name}-source`);
  const outDir = join(work, name);
  mkdirSync(join(source, '.vitepress'), { recursive: true });
  writeFileSync(
    join(source, '.vitepress/config.ts'),
    `import base from '../../../../docs/.vitepress/config.ts';
    export default { ...base, srcDir: '../../..', outDir: ${JSON.stringify(outDir)}, cacheDir: 'cache',
      head: ${JSON.stringify(head)}, themeConfig: { ...base.themeConfig, search: ${JSON.stringify(search)} },
      transformHtml: (html) => html.replace('</body>', ${JSON.stringify(`${body ?? ''}</body>`)}) };`,
  );
  if (name === 'polyseek')
    cpSync(join(root, 'docs/.vitepress/theme'), join(source, '.vitepress/theme'), { recursive: true });
  run('npx', ['vitepress', 'build', source], root);
  return outDir;
}

function run(program: string, args: string[], cwd: string): void {
  execFileSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Seconds that something takes, with one decimal. */
async function seconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return Math.round((performance.now() - start) / 100) / 10;
}

async function serveFolder(outDir: string): Promise<string> {
  const server = await preview({
    configFile: false,
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0 },
  });
  return server.resolvedUrls!.local[0]!;
}

/** The section that a link opens: a page of docs/ without its suffix, and the anchor of a heading below its title. */
function sectionOf(href: string, site: string): string {
  const [path = '', anchor = ''] = href.replace(site, '').split('#');
  const page = path.replace(/^\/?docs\//, '').replace(/\.html$/, '');
  const id = decodeURIComponent(anchor.replace(/:~:.*/, ''));
  const html = readFileSync(join(work, 'polyseek', path || 'index.html'), 'utf8');
  return id === '' || html.includes(`<h1 id="${id}"`) ? page : `${page}#${id}`;
}

/** The sections of the results, each once. Waits until they stay the same. */
async function shown(page: Page, box: Box, site: string): Promise<string[]> {
  let before = '';
  for (let same = 0; same < 4; ) {
    await page.waitForTimeout(200);
    const hrefs = await page
      .locator(box.links)
      .evaluateAll((links) => links.map((link) => (link as unknown as { href: string }).href));
    const now = hrefs.join('\n');
    same = now === before ? same + 1 : 0;
    before = now;
  }
  const links = before.split('\n').filter((href) => href.startsWith(site));
  return [...new Set(links.map((href) => sectionOf(href, site)))];
}

/** Presses the down arrow until the right section is chosen. @returns the keys with the final Enter, or undefined */
async function keysTo(page: Page, right: string[], site: string): Promise<number | undefined> {
  for (let pressed = 0; pressed <= 12; pressed++) {
    const href = await page.evaluate<string | undefined>(`(() => {
      const selected = document.querySelector('.VPLocalSearchBox .result.selected');
      let element = selected ?? document.activeElement;
      while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      return element.href;
    })()`);
    if (href && right.includes(sectionOf(href, site))) return pressed + 1;
    await page.keyboard.press('ArrowDown');
  }
  return undefined;
}

/** Counts the bytes of the search's responses, as they are and gzipped. */
function countBytes(page: Page, pattern: RegExp) {
  let bodies: Promise<Buffer>[] = [];
  page.on('response', (response) => {
    if (pattern.test(response.url())) bodies.push(response.body().catch(() => Buffer.of()));
  });
  return async () => {
    const all = await Promise.all(bodies);
    bodies = [];
    const sum = (sizeOf: (body: Buffer) => number) => all.reduce((bytes, body) => bytes + sizeOf(body), 0);
    return {
      requests: all.length,
      raw: sum((body) => body.length),
      gzipped: sum((body) => Math.min(body.length, gzipSync(body).length)),
    };
  };
}

/** How many links of results are wholly on the screen. */
const visible = (page: Page, links: string, height: number): Promise<number> =>
  page.locator(links).evaluateAll((found, height) => {
    const boxes = found.map((link) =>
      (
        link as unknown as { getBoundingClientRect(): { top: number; bottom: number } }
      ).getBoundingClientRect(),
    );
    return boxes.filter(({ top, bottom }) => bottom > top && top >= 0 && bottom <= height).length;
  }, height);

const browser = await startBrowser();

async function measure(name: string, box: Box, site: string) {
  const page = await browser.newPage({ viewport: DESKTOP });
  const bytes = countBytes(page, box.requests);
  await page.goto(`${site}docs/access.html`);
  await page.waitForTimeout(2000);
  const before = await bytes();
  await page.locator(box.open).first().click();
  const field = page.locator(box.field).first();
  await field.fill(questions[0]!.text);
  await shown(page, box, site);
  const first = await bytes();
  const rows = [];
  for (const { text, right, ...question } of questions) {
    await field.fill(text);
    const sections = await shown(page, box, site);
    const place = sections.findIndex((section) => right.includes(section)) + 1;
    const pages = right.map((section) => section.replace(/#.*/, ''));
    const ofPage = sections.findIndex((section) => pages.includes(section.replace(/#.*/, ''))) + 1;
    const answer = (await page.locator('polyseek-search article.answer').count()) > 0;
    const { raw, gzipped } = await bytes();
    await field.focus();
    const keys = await keysTo(page, right, site);
    rows.push({ ...question, text, place, ofPage, keys, raw, gzipped, answer, first: sections.slice(0, 3) });
    await field.focus();
  }
  await field.fill(questions[0]!.text);
  await shown(page, box, site);
  await page.screenshot({ path: join(work, `${name}.png`) });
  await page.close();
  const phone = await browser.newPage({ viewport: PHONE });
  await phone.goto(`${site}docs/access.html`);
  await phone.locator(box.open).first().click();
  await phone.locator(box.field).first().fill(PHONE_QUESTION);
  await shown(phone, box, site);
  const onPhone = await visible(phone, box.links, PHONE.height);
  await phone.screenshot({ path: join(work, `${name}-phone.png`) });
  await phone.close();
  return { before, first, onPhone, rows };
}

/** DocSearch's modal with 20 hits in five pages, which a client returns without Algolia. */
async function measureDocSearch() {
  const folder = join(work, 'DocSearch');
  const packages = join(work, 'node_modules/@docsearch');
  mkdirSync(folder, { recursive: true });
  cpSync(join(packages, 'js/dist/umd/docsearch.js'), join(folder, 'docsearch.js'));
  cpSync(join(packages, 'css/dist/style.css'), join(folder, 'docsearch.css'));
  const hits = Array.from({ length: 20 }, (_, i) => {
    const hierarchy = { lvl0: `Page ${Math.floor(i / 4)}`, lvl1: 'Access', lvl2: `Section ${i}` };
    const content = 'To rotate a key, create a second one and deploy, change the callers.';
    const marked = (value: string | null) => ({ value, matchLevel: 'full', matchedWords: [] });
    const shown = {
      hierarchy: { lvl1: marked('Access'), lvl2: marked(`Section ${i}`) },
      content: marked(content),
    };
    const result = { _highlightResult: shown, _snippetResult: shown };
    return { objectID: `${i}`, url: `/#${i}`, type: 'content', content, hierarchy, ...result };
  });
  const answer = { results: [{ hits, nbHits: 20, query: '', index: 'a' }] };
  writeFileSync(
    join(folder, 'index.html'),
    `<!doctype html><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docsearch.css"><div id="box"></div><script src="/docsearch.js"></script><script>
    docsearch({ container: '#box', appId: 'a', apiKey: 'a', indices: ['a'],
      transformSearchClient: (client) => ({ ...client, search: async () => (${JSON.stringify(answer)}) }) });
    </script>`,
  );
  const page = await browser.newPage({ viewport: PHONE });
  const bytes = countBytes(page, /docsearch/);
  await page.goto(await serveFolder(folder));
  await page.locator('.DocSearch-Button').first().click();
  await page.locator('.DocSearch-Input').fill(questions[0]!.text);
  await page.locator('.DocSearch-Hit a').first().waitFor();
  const onPhone = await visible(page, '.DocSearch-Hit a', PHONE.height);
  await page.screenshot({ path: join(work, 'DocSearch-phone.png') });
  return { before: await bytes(), onPhone };
}

const api = createAppServer((request) => app(request));
await once(api.listen(0, '127.0.0.1'), 'listening');
const endpoint = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;

const boxes: Record<string, Box> = {
  polyseek: {
    head: [['script', { type: 'module', src: `${endpoint}/widget.js` }]],
    requests: new RegExp(`^${endpoint}`),
    open: 'polyseek-search button',
    field: 'polyseek-search input[type=search]',
    links: 'polyseek-search .results a[href]:not(.quiet)',
  },
  MiniSearch: {
    search: { provider: 'local' },
    requests: /localsearch/i,
    open: '.DocSearch-Button',
    field: '#localsearch-input',
    links: '.VPLocalSearchBox a.result',
  },
  Pagefind: {
    head: [
      ['link', { rel: 'stylesheet', href: '/pagefind/pagefind-component-ui.css' }],
      ['script', { type: 'module', src: '/pagefind/pagefind-component-ui.js' }],
    ],
    body: '<pagefind-modal-trigger style="position:fixed;top:0;left:50%;z-index:99"></pagefind-modal-trigger><pagefind-modal></pagefind-modal>',
    requests: /\/pagefind\//,
    open: 'pagefind-modal-trigger button',
    field: 'pagefind-modal input',
    links: 'pagefind-modal a[href]',
  },
};

mkdirSync(work, { recursive: true });
writeFileSync(join(work, 'package.json'), '{"private":true}');
run('npm', ['install', '--no-audit', '--no-fund', ...PACKAGES], work);
const sites: Record<string, string> = {};
const build: Record<string, number> = {};
for (const [name, box] of Object.entries(boxes)) {
  rmSync(join(work, name), { recursive: true, force: true });
  build[name] = await seconds(() => buildSite(name, box));
  sites[name] = await serveFolder(join(work, name));
}
const pagefind = join(work, 'node_modules/.bin/pagefind');
const seconds_: Record<string, number> = {
  pagefind: await seconds(() =>
    run(pagefind, ['--site', join(work, 'Pagefind'), '--root-selector', 'main'], work),
  ),
};
const index = join(work, 'index');
const source = new FolderSource(join(work, 'polyseek'), {
  include: ['*.html'],
  exclude: ['404.html'],
  baseUrl: sites.polyseek!,
});
const cache = join(work, 'cache');
rmSync(cache, { recursive: true, force: true });
const embed = () => buildFromSources([source], index, { cache });
seconds_.polyseek = await seconds(embed);
seconds_.polyseekAgain = await seconds(embed);
const search = await openLocal(index);
const app = withCors(createApp(search, { log: () => {}, origins: ['*'] }), ['*']);

const results: Record<string, unknown> = { build, seconds: seconds_ };
for (const [name, box] of Object.entries(boxes)) results[name] = await measure(name, box, sites[name]!);
results.DocSearch = await measureDocSearch();
writeFileSync(join(work, 'results.json'), JSON.stringify(results, null, 1));
await browser.close();
process.exit();
