import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Notice } from '../../../../index/documents/file.ts';
import { Notices } from '../../../../index/ingest/reading/notices.ts';
import type { HttpEnvironment } from '../../../../index/ingest/sources/http-client.ts';
import { type SitemapSettings, SitemapSource } from '../../../../index/ingest/sources/sitemap.ts';
import type { SourceFile } from '../../../../index/ingest/sources/source.ts';

interface Reply {
  status?: number;
  type?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}
type Handler = Reply | ((headers: IncomingHttpHeaders) => Reply);

let server: Server;
let site: string;
let replies: Record<string, Handler>;
/** `GET` paths in order. */
let requests: string[];
let agents: Set<string | undefined>;
/** Milliseconds that the client slept. */
let slept: number[];
let notices: Notice[];
let memory: Map<string, string>;

beforeEach(async () => {
  [requests, agents, slept, notices, memory] = [[], new Set(), [], [], new Map()];
  server = createServer(({ url = '', headers }, response) => {
    requests.push(url);
    agents.add(headers['user-agent']);
    const handler = replies[url] ?? { status: 404 };
    const {
      status = 200,
      type = 'text/html',
      headers: more,
      body = '',
    } = typeof handler === 'function' ? handler(headers) : handler;
    response.writeHead(status, { 'content-type': type, ...more }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

const urlset = (...paths: string[]) =>
  `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${paths
    .map(
      (path) =>
        `<url><loc>${path.includes('://') ? path : site + path}</loc><lastmod>2026-01-01</lastmod></url>`,
    )
    .join('')}</urlset>`;
const xml = (body: string | Buffer): Reply => ({ type: 'application/xml', body });

/** Lists the files. The clock moves only while the client sleeps. */
async function list(
  settings: Partial<SitemapSettings> = {},
  more: Pick<HttpEnvironment, 'lookup' | 'limits'> = {},
): Promise<SourceFile[]> {
  let now = 0;
  const environment = {
    ...more,
    now: () => now,
    sleep: async (milliseconds: number) => {
      slept.push(milliseconds);
      now += milliseconds;
    },
  };
  const source = new SitemapSource({ sitemap: `${site}/sitemap.xml`, ...settings }, {}, environment);
  const files: SourceFile[] = [];
  for await (const file of source.files({ memory, report: (notice) => notices.push(notice) }))
    files.push(file);
  return files;
}

const host = () => site.slice('http://'.length);
const names = (files: SourceFile[]) => files.map(({ source }) => source.replace(`${host()}/`, ''));
async function contents(files: SourceFile[]): Promise<string[]> {
  const texts: string[] = [];
  for (const file of files) texts.push((await buffer(file.open())).toString());
  return texts;
}
const reported = () =>
  notices.map(({ kind, place, reason }) => `${kind} ${place.replace(site, '')}: ${reason}`);

test('reads the pages of a sitemap by name', async () => {
  replies = {
    '/sitemap.xml': xml(urlset('/guide/', '/a%20b.md', '/data', '/guide/', '/guide/#part')),
    '/guide/': { body: 'Guide', type: 'text/html; charset=koi8-r' },
    '/a%20b.md': { body: '# Notes', type: 'text/plain' },
    '/data': { body: '{}', type: 'application/json' },
  };
  const files = await list();
  expect(files.map(({ source, url, extension, charset }) => ({ source, url, extension, charset }))).toEqual([
    { source: `${host()}/a b.md`, url: `${site}/a%20b.md`, extension: '/a%20b.md', charset: undefined },
    { source: `${host()}/data`, url: `${site}/data`, extension: '.json', charset: undefined },
    { source: `${host()}/guide/index.html`, url: `${site}/guide/`, extension: '.html', charset: 'koi8-r' },
  ]);
  expect(await contents(files)).toEqual(['# Notes', '{}', 'Guide']);
  expect(await contents(files)).toEqual(['# Notes', '{}', 'Guide']);
  expect(requests).toEqual(['/robots.txt', '/sitemap.xml', '/a%20b.md', '/data', '/guide/']);
  expect([...agents]).toEqual(['polyseek']);
  expect(notices).toEqual([]);
});

test('reads indexes of sitemaps, compressed sitemaps and lists of addresses', async () => {
  const index = ['/one.xml.gz', '/two.txt', '/missing.xml', 'http://other.example/sitemap.xml']
    .map((path) => `<sitemap><loc>${path.includes('://') ? path : site + path}</loc></sitemap>`)
    .join('');
  replies = {
    '/sitemap.xml': xml(`<sitemapindex>${index}</sitemapindex>`),
    '/one.xml.gz': { type: 'application/gzip', body: gzipSync(urlset('/a')) },
    '/two.txt': { type: 'text/plain', body: `${site}/b\n${site}/c\n` },
    '/a': { body: 'A' },
    '/b': { body: 'B' },
    '/c': { body: 'C' },
  };
  expect(names(await list())).toEqual(['a', 'b', 'c']);
  expect(reported()).toEqual([
    'failed http://other.example/sitemap.xml: not of this site',
    'failed /missing.xml: HTTP 404',
  ]);
});

test('obeys robots.txt', async () => {
  replies = {
    '/robots.txt': {
      type: 'text/plain',
      body: 'User-agent: *\nDisallow: /\n\nUser-agent: polyseek\nDisallow: /private\nCrawl-delay: 5',
    },
    '/sitemap.xml': xml(urlset('/private/a', '/b')),
    '/b': { body: 'B' },
  };
  expect(names(await list())).toEqual(['b']);
  expect(requests).toEqual(['/robots.txt', '/sitemap.xml', '/b']);
  expect(reported()).toEqual(['skipped /private/a: not allowed by robots.txt']);
  // The pause before the first request after robots.txt is still the usual one.
  expect(slept).toEqual([500, 5000]);
});

test.each([
  [{ status: 500 }, 'HTTP 500'],
  [{ body: 'User-agent: *\nCrawl-delay: 600' }, 'asks for pauses of 600 seconds'],
  [{ body: 'User-agent: *\nDisallow: /' }, 'not allowed by robots.txt'],
])('reads nothing if robots.txt is %j', async (reply, reason) => {
  replies = { '/robots.txt': reply, '/sitemap.xml': xml(urlset('/a')) };
  await expect(list()).rejects.toThrow(reason);
});

test('limits the rate of requests', async () => {
  replies = { '/sitemap.xml': xml(urlset('/a', '/b')), '/a': {}, '/b': {} };
  await list();
  expect(slept).toEqual([500, 500, 500]);
  slept = [];
  await list({ requestsPerSecond: 10 });
  expect(slept).toEqual([100, 100, 100]);
});

test('does not fetch pages that did not change', async () => {
  let etag = '"1"';
  let modified = 'Mon, 05 Jan 2026 10:00:00 GMT';
  const unlessSame = (header: string, value: string, name: string): Reply =>
    header === value
      ? { status: 304 }
      : { body: `Content ${value}`, headers: { [name]: value }, type: 'text/plain' };
  replies = {
    '/sitemap.xml': xml(urlset('/etag', '/modified', '/neither')),
    '/etag': (headers) => unlessSame(headers['if-none-match'] ?? '', etag, 'etag'),
    '/modified': (headers) => unlessSame(headers['if-modified-since'] ?? '', modified, 'last-modified'),
    '/neither': { body: 'Content' },
  };
  const first = await list();
  expect(first.map(({ version }) => version)).toEqual([etag, modified, undefined]);

  const second = await list();
  expect(second.map(({ version, extension }) => [version, extension])).toEqual([
    [etag, '.txt'],
    [modified, '.txt'],
    [undefined, '.html'],
  ]);
  requests = [];
  expect(await contents(second)).toEqual([`Content ${etag}`, `Content ${modified}`, 'Content']);
  // They are fetched only when they are opened.
  expect(requests).toEqual(['/etag', '/modified']);

  [etag, modified] = ['"2"', 'Tue, 06 Jan 2026 10:00:00 GMT'];
  const third = await list();
  expect(third.map(({ version }) => version)).toEqual([etag, modified, undefined]);
  expect(await contents(third)).toEqual([`Content ${etag}`, `Content ${modified}`, 'Content']);
});

test('keeps the version of a page that cannot be fetched for now, but not of one that is gone', async () => {
  replies = {
    '/sitemap.xml': xml(urlset('/a', '/b')),
    '/a': { headers: { etag: '"a"' } },
    '/b': { headers: { etag: '"b"' } },
  };
  await list();
  replies['/a'] = { status: 500 };
  replies['/b'] = { status: 410 };
  const files = await list();
  expect(files.map(({ source, version }) => [source, version])).toEqual([[`${host()}/a`, '"a"']]);
  expect(reported()).toEqual(['failed /a: HTTP 500', 'failed /b: HTTP 410']);
});

test('fetches a page again if what is remembered of it is damaged', async () => {
  replies = { '/sitemap.xml': xml(urlset('/a')), '/a': { body: 'A', headers: { etag: '"a"' } } };
  for (const damaged of ['{', 'null', '[]', '{"etag":"x"}']) {
    memory.set(`page ${site}/a`, damaged);
    expect(await contents(await list())).toEqual(['A']);
  }
});

test('follows redirects within the site', async () => {
  replies = {
    '/sitemap.xml': xml(urlset('/old', '/away', '/loop')),
    '/old': { status: 301, headers: { location: '/new' } },
    '/new': { body: 'New' },
    '/away': { status: 302, headers: { location: 'http://other.example/' } },
    '/loop': { status: 302, headers: { location: '/loop' } },
  };
  const files = await list();
  expect(names(files)).toEqual(['old']);
  expect(await contents(files)).toEqual(['New']);
  expect(reported()).toEqual(['failed /away: redirect to another site', 'failed /loop: too many redirects']);
  expect(requests.filter((path) => path === '/loop').length).toBe(6);
});

test('waits for busy servers, but not for long', async () => {
  let busy = 2;
  replies = {
    '/sitemap.xml': xml(urlset('/a', '/b', '/c')),
    '/a': () => (busy-- > 0 ? { status: 429, headers: { 'retry-after': '7' } } : { body: 'A' }),
    '/b': { status: 503 },
    '/c': { status: 503, headers: { 'retry-after': '3600' } },
  };
  expect(names(await list({ requestsPerSecond: 100 }))).toEqual(['a']);
  expect(slept.filter((milliseconds) => milliseconds >= 1000)).toEqual([7000, 7000, 2000, 4000, 8000]);
  expect(reported()).toEqual(['failed /b: HTTP 503', 'failed /c: HTTP 503']);
});

test('skips pages of other sites and schemes', async () => {
  replies = {
    '/sitemap.xml': xml(urlset('http://other.example/a', 'file:///etc/passwd', 'ftp://x/y', '/b')),
    '/b': {},
  };
  expect(names(await list())).toEqual(['b']);
  expect(reported()).toEqual([
    'skipped http://other.example/a: not of this site',
    'skipped file:///etc/passwd: not of this site',
    'skipped ftp://x/y: not of this site',
  ]);
});

test('names a sitemap that is missing, or is none', async () => {
  replies = {};
  await expect(list()).rejects.toThrow(`${site}/sitemap.xml: HTTP 404. Check the page in a browser.`);
  for (const body of ['<!doctype html><p>Page', '<urlset><url><loc>', 'Some text.', '<a>'.repeat(100_000)]) {
    replies = { '/sitemap.xml': xml(body) };
    await expect(list()).rejects.toThrow(`${site}/sitemap.xml: not a sitemap.`);
  }
  replies = { '/sitemap.xml': xml(gzipSync(Buffer.alloc(60 * 2 ** 20))) };
  await expect(list()).rejects.toThrow('not a sitemap');
  server.close();
  server.closeAllConnections();
  await expect(list()).rejects.toThrow(`${site}/robots.txt: not reachable.`);
});

test('sends no request to another server, whatever the site says', async () => {
  const reached: string[] = [];
  const other = createServer(({ url = '', headers }, response) => {
    reached.push(`${headers.host}${url}`);
    response.end('<p>Secret.');
  });
  await new Promise<void>((resolve) => other.listen(0, '::', resolve));
  const { port } = other.address() as AddressInfo;
  const own = site.slice('http://'.length);
  const targets = [
    ...['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '0177.0.0.1', '127.1', '0.0.0.0'].map(
      (host) => `http://${host}:${port}/`,
    ),
    ...['[::1]', '[::ffff:127.0.0.1]', '[::]'].map((host) => `http://${host}:${port}/`),
    `http://${own}@127.0.0.1:${port}/`,
    `//127.0.0.1:${port}/`,
    `http:\\\\127.0.0.1:${port}/`,
    `https://127.0.0.1:${port}/`,
    'http://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
    'data:text/html,Secret',
    'ftp://127.0.0.1/',
    'javascript:alert(1)',
  ];
  const redirect = (location: string): Reply => ({ status: 302, headers: { location } });
  const escaped = targets.map((target) => target.replaceAll('&', '&amp;'));
  replies = {
    '/sitemap.xml': xml(
      `<sitemapindex><sitemap><loc>${site}/pages.xml</loc></sitemap>${[...escaped, `${site}/away.xml`].map((target) => `<sitemap><loc>${target}</loc></sitemap>`).join('')}</sitemapindex>`,
    ),
    '/away.xml': redirect(targets[0]!),
    '/pages.xml': xml(
      urlset('/good', ...targets.map((_, i) => `/to${i}`), ...escaped.filter((one) => one.includes('://'))),
    ),
    // What a page names is not fetched.
    '/good': {
      body: `<base href="${targets[0]}"><meta http-equiv=refresh content="0;url=${targets[0]}"><img src="${targets[0]}"><p>Good.`,
    },
    ...Object.fromEntries(targets.map((target, i) => [`/to${i}`, redirect(target)])),
  };
  const files = await list({ requestsPerSecond: 100 });
  expect(names(files)).toEqual(['good']);
  expect((await contents(files)).join()).toContain('Good.');
  replies['/robots.txt'] = redirect(targets[0]!);
  await expect(list()).rejects.toThrow('redirect to another site');
  expect(reached).toEqual([]);
  other.close();
});

test.each([
  '169.254.169.254',
  '2852039166',
  '0xa9.0xfe.0xa9fe',
  '[::ffff:169.254.169.254]',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '[fd00:ec2::23]',
  '[fd20:ce::254]',
  '[fd00:42::42]',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
  '[::ffff:100.100.100.200]',
  '[::169.254.169.254]',
  '[64:ff9b::169.254.169.254]',
  '[64:ff9b::100.100.100.200]',
  '[2002:a9fe:a9fe::1]',
])('does not read the metadata of a machine in a cloud: %s', async (host) => {
  await expect(list({ sitemap: `http://${host}/sitemap.xml` })).rejects.toThrow('address of cloud metadata');
  expect(slept).toEqual([]);
});

test('connects only to an address that it has checked, even if the name has another one the next time', async () => {
  const addresses = ['127.0.0.1', '127.0.0.1', '169.254.169.254'];
  const lookup: HttpEnvironment['lookup'] = (_, { all }, callback) => {
    const address = addresses.shift() ?? '127.0.0.1';
    if (all) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };
  const { port } = server.address() as AddressInfo;
  const own = `http://docs.example:${port}`;
  const headers = { connection: 'close' };
  replies = {
    '/robots.txt': { status: 404, headers },
    '/sitemap.xml': { body: `${own}/a\n${own}/b`, headers },
    '/b': { body: 'B' },
  };
  const files = await list({ sitemap: `${own}/sitemap.xml` }, { lookup });
  expect(files.map(({ path }) => path)).toEqual([`${own}/b`]);
  expect(reported()).toEqual([`failed ${own}/a: address of cloud metadata`]);
  expect(requests).toEqual(['/robots.txt', '/sitemap.xml', '/b']);
});

test('reads compressed pages, and limits what they inflate to', async () => {
  const compressed = (body: Buffer): Reply => ({
    body: gzipSync(body),
    headers: { 'content-encoding': 'gzip' },
  });
  replies = {
    '/sitemap.xml': compressed(Buffer.from(urlset('/a', '/b'))),
    '/a': compressed(Buffer.from('A')),
    '/b': compressed(Buffer.alloc(65 * 2 ** 20)),
  };
  const files = await list();
  expect(await contents(files)).toEqual(['A']);
  expect(reported()).toEqual(['failed /b: too large']);
});

test('gives up a page that never ends, and a site that answers no page', async () => {
  const paths = [1, 2, 3, 4, 5, 6, 7].map((number) => `/${number}`);
  replies = { '/sitemap.xml': xml(urlset('/0', ...paths)), '/0': { body: 'Good.' } };
  const asked: string[] = [];
  server.prependListener('request', ({ url = '' }, response) => {
    if (!paths.includes(url)) return;
    asked.push(url);
    // The other listener's answer becomes part of a body without an end.
    response.writeHead(200, { 'content-type': 'text/html' }).write('<p>');
    Object.assign(response, { writeHead: () => response, end: () => response });
  });
  const files = await list({}, { limits: { request: 20 } });
  expect(names(files)).toEqual(['0']);
  expect(reported()).toEqual(paths.map((path) => `failed ${path}: not reachable`));
  expect(new Set(asked)).toEqual(new Set(paths.slice(0, 5)));
});

test('limits the bytes of a site, and keeps pages of an earlier build', async () => {
  const page = { body: 'x'.repeat(1000), headers: { etag: '"1"' } };
  replies = {
    '/sitemap.xml': xml(urlset('/a', '/b', '/c', '/d')),
    '/a': page,
    '/b': page,
    '/c': page,
    '/d': page,
  };
  memory.set(`page ${site}/d`, JSON.stringify({ etag: '"0"', contentType: 'text/html' }));
  const sitemapBytes = urlset('/a', '/b', '/c', '/d').length;
  const limits = { bytes: sitemapBytes + 1500 };
  const files = await list({}, { limits });
  expect(files.map(({ source, version }) => [source, version])).toEqual([
    [`${host()}/a`, '"1"'],
    [`${host()}/d`, '"0"'],
  ]);
  expect(reported()).toEqual(['/b', '/c', '/d'].map((path) => `failed ${path}: the site is too large`));
  // The next build has limits of its own.
  notices = [];
  expect(names(await list({}, { limits: { bytes: 2 * limits.bytes } }))).toEqual(['a', 'b', 'c', 'd']);
});

test('limits the time of waiting for a site', async () => {
  const busy = { status: 503, headers: { 'retry-after': '100' } };
  replies = {
    '/sitemap.xml': xml(urlset('/a', '/b', '/c')),
    '/a': busy,
    '/b': { body: 'B' },
    '/c': { body: 'C' },
  };
  expect(names(await list({}, { limits: { waiting: 250_000 } }))).toEqual([]);
  expect(reported()).toEqual(['/a', '/b', '/c'].map((path) => `failed ${path}: the site is too slow`));
  expect(requests).toEqual(['/robots.txt', '/sitemap.xml', '/a', '/a', '/a']);
});

test('reads each sitemap of a loop once, and not more than a thousand', async () => {
  const index = (...paths: string[]) =>
    xml(
      `<sitemapindex>${paths.map((path) => `<sitemap><loc>${site}${path}</loc></sitemap>`).join('')}</sitemapindex>`,
    );
  replies = {
    '/sitemap.xml': index('/one.xml'),
    '/one.xml': index('/one.xml', '/sitemap.xml', '/page.xml'),
    '/page.xml': xml(urlset('/a')),
    '/a': {},
  };
  expect(names(await list())).toEqual(['a']);
  expect(requests.filter((path) => path.endsWith('.xml'))).toEqual(['/sitemap.xml', '/one.xml', '/page.xml']);
  expect(reported()).toEqual([]);
  replies = { '/sitemap.xml': index('/0.xml') };
  for (let number = 0; number < 1100; number++) replies[`/${number}.xml`] = index(`/${number + 1}.xml`);
  requests = [];
  expect(await list()).toEqual([]);
  expect(requests.length).toBe(1 + 1000);
  expect(reported()).toEqual(['failed /998.xml: too many sitemaps']);
});

test('reads at most 50,000 pages', async () => {
  const { port } = server.address() as AddressInfo;
  const own = `http://docs.example:${port}`;
  const list = (folder: string) =>
    Array.from({ length: 30_000 }, (_, i) => `${own}/${folder}/${i}`).join('\n');
  const headers = { connection: 'close' };
  const indexOf = (...paths: string[]) =>
    paths.map((path) => `<sitemap><loc>${own}${path}</loc></sitemap>`).join('');
  replies = {
    '/robots.txt': { status: 404, headers },
    '/sitemap.xml': { body: `<sitemapindex>${indexOf('/a.txt', '/b.txt')}</sitemapindex>`, headers },
    '/a.txt': { body: list('a'), headers },
    '/b.txt': { body: list('b'), headers },
  };
  // No page is reached.
  let lookups = 0;
  const lookup: HttpEnvironment['lookup'] = (_, __, callback) => {
    if (++lookups > 4) callback(new Error('no such name'), []);
    else callback(null, [{ address: '127.0.0.1', family: 4 }]);
  };
  const environment = { now: () => 0, sleep: async () => {}, lookup };
  const source = new SitemapSource({ sitemap: `${own}/sitemap.xml` }, {}, environment);
  const reasons = new Notices();
  const report = (notice: Notice) => reasons.add(notice);
  for await (const _ of source.files({ memory, report })) expect.unreachable();
  expect(reasons.groups().map(({ reason, count }) => [reason, count])).toEqual([
    ['not reachable', 50_000],
    ['too many pages', 1],
  ]);
});
