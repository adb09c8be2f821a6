import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { outline, readBytes } from '../../fixtures/read.ts';
import { missingTools } from '../../fixtures/tools.ts';

const page = `<!doctype html><html lang="de"><meta charset="utf-8"><title>Grüße aus Köln</title>
<h1>Grüße aus Köln</h1><p>Am Rhein gibt es viel zu sehen: den Dom, die Brücken und das Museum.`;

/** The page in one file, as Chromium saves it. */
async function save(url: string): Promise<string> {
  const executablePath = execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const tab = await browser.newPage();
    await tab.goto(url);
    const session = await tab.context().newCDPSession(tab);
    return (await session.send('Page.captureSnapshot', { format: 'mhtml' })).data;
  } finally {
    await browser.close();
  }
}

test.skipIf(missingTools('chromium'))('reads a page that Chromium saved', async () => {
  const server = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(page),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { documents, notices } = await readBytes('pages/koeln.mhtml', await save(url));
    expect(documents).toMatchObject([
      { source: 'pages/koeln.mhtml', title: 'Grüße aus Köln', url, lang: 'de' },
    ]);
    expect(outline(documents)).toContain(
      'Am Rhein gibt es viel zu sehen: den Dom, die Brücken und das Museum.',
    );
    expect(notices).toEqual([]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('reports files without a page', async () => {
  for (const content of [
    '',
    'Some text.',
    'Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: image/png\n\nx\n--b--',
  ])
    expect((await readBytes('a.mht', content)).notices).toMatchObject([
      { kind: 'failed', place: 'a.mht', reason: 'damaged' },
    ]);
});
