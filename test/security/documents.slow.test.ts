import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../index/search/answer.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { connect, type Found, REVISIONS, structured } from '../fixtures/mcp.ts';
import { command, type Outcome, startServer } from '../fixtures/processes.ts';
import { readBytes } from '../fixtures/read.ts';

// Documents of an attacker, in one index: what they can do to readers of answers, on any way that an answer takes.

const ESC = '\x1b';
const ESCAPES = [
  '\x1b]0;owned\x07', // changes the title of the terminal
  '\x1b]52;c;b3duZWQ=\x07', // writes to the clipboard
  '\x1b[2J\x1b[31m\x1b[8m', // clears the screen, and hides text
  '\x9b31m\x9d0;owned\x9c', // the same commands in one byte
  '\x08\x0c\x7f\x85',
].join('');
const SCRIPTS = [
  "javascript:document.title='owned'",
  "JaVaScRiPt:document.title='owned'",
  " \x01 java\\tscript:document.title='owned'",
  'data:text/html,<script>alert(1)</script>',
  'vbscript:msgbox(1)',
  'blob:https://example.org/1',
  'file:///etc/passwd',
];
/** Exit code of a build that could not read some files. */
const SOME_FAILED = 4;
const Q = 'Who patented the zorbling engine?';
const TEXT = 'The zorbling engine was patented in 1911 by Ada Quill.';

const folder = temporaryFolder();
const [docs, index, cache] = ['docs', 'index', 'cache'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
let built: Outcome;
let server: Awaited<ReturnType<typeof startServer>>;
let answer: Answer;

/** A document of each format that names an address, a title and fields. */
function hostileFiles(): Record<string, string> {
  const files: Record<string, string> = {
    [`esc${ESCAPES.replaceAll('/', '')}.md`]: `# Zorbling ${ESCAPES} engine\n\n${TEXT} ${ESCAPES} It burns peat.`,
    [`esc${ESCAPES}.zip`]: 'not an archive',
    'proto.jsonl': `${JSON.stringify({ text: TEXT, source: "javascript:document.title='owned'" }).slice(0, -1)},"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":"x","hasOwnProperty":"y"}\n`,
    'proto.csv': `title,text,__proto__,constructor\nMill,"${TEXT}",polluted,x\n`,
    'proto.md': `---\ntitle: Front\n__proto__: [polluted]\nconstructor: x\n---\n${TEXT}`,
  };
  for (const [i, url] of SCRIPTS.entries()) {
    const plain = url.replace('\\t', '\t');
    files[`a${i}.md`] = `---\nurl: "${url.replace('\x01', '\\x01')}"\n---\n${TEXT} Markdown ${i}.`;
    files[`a${i}.html`] =
      `<link rel=canonical href="${plain}"><meta property="og:url" content="${plain}"><title>T</title><p>${TEXT} Page ${i}.`;
    files[`a${i}.json`] = JSON.stringify([{ url: plain, title: 'T', text: `${TEXT} Record ${i}.` }]);
    files[`a${i}.csv`] = `url,title,text\n"${plain}",T,"${TEXT} Row ${i}."\n`;
    files[`a${i}.xml`] =
      `<rss version="2.0"><channel><item><title>T</title><link>${plain.replace('\x01', '').replaceAll('<', '&lt;').replace(':', '://')}</link><description>${TEXT} Item ${i}.</description></item></channel></rss>`;
  }
  return files;
}

beforeAll(async () => {
  mkdirSync(docs);
  for (const [name, text] of Object.entries(hostileFiles())) writeFileSync(join(docs, name), text);
  built = await command('index', [docs, '--index', index, '--cache', cache]);
  server = await startServer(index);
  const response = await fetch(`${server.url}/search?${new URLSearchParams({ q: Q, k: '100' })}`);
  answer = (await response.json()) as Answer;
});
afterAll(() => server?.stop());

test('all documents are found, and nothing else happens', () => {
  // The file that is no archive.
  expect(built.code).toBe(SOME_FAILED);
  const found = answer.results.flatMap(({ source, alsoIn = [] }) => [
    source,
    ...alsoIn.map((place) => place.source),
  ]);
  expect(found).toContain('a0.md');
  expect(found.length).toBe(5 * SCRIPTS.length + 4);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  for (const { metadata = {} } of answer.results) {
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
    expect(Object.keys(metadata)).not.toContain('polluted');
  }
});

describe('addresses that run scripts or open files', () => {
  test('are in no answer', () => {
    const addresses = answer.results.flatMap(({ url, alsoIn = [] }) => [
      url,
      ...alsoIn.map((one) => one.url),
    ]);
    expect(addresses.filter((url) => url !== undefined)).toEqual([]);
  });

  test('are in no result of MCP, where a path becomes an address', async () => {
    const client = await connect(`${server.url}/mcp`, REVISIONS[0]);
    const { results } = structured<Found>(
      await client.callTool({ name: 'search', arguments: { query: Q, k: 100 } }),
    );
    await client.close();
    for (const { url } of results) expect(new URL(url).origin).toBe(new URL(server.url).origin);
  });
});

describe('control characters of documents and file names', () => {
  const STYLES = new RegExp(`${ESC}\\[(?:1|2|4|22|24|3[1-9])m`, 'g');
  /** Characters that a terminal obeys, except the styles that commands use. */
  const commandsIn = (printed: string) =>
    [...(printed.replace(STYLES, '').match(/[^\P{Cc}\n\t]/gu) ?? [])].map((one) => one.codePointAt(0));

  const cases: [name: string, args: string[], input?: string][] = [
    ['search', [Q, '-k', '100', '--matches', '--explain', '--context', '1']],
    ['search', [Q, '-k', '100', '--json']],
    ['inspect', []],
    ['inspect', ['--json']],
    ['inspect', [`esc${ESCAPES.replaceAll('/', '')}.md`]],
    ['inspect', [`none${ESCAPES}`]],
    ['chat', ['--min-confidence', '0'], `What does the zorbling engine burn?\n`],
    ['chat', ['--min-confidence', '0', '--json'], `What does the zorbling engine burn?\n`],
    ['search', [Q, '--index', `none${ESCAPES}`]],
  ];
  test.each(cases)('reach no terminal through %s %j', async (name, args, input) => {
    const selected = args.includes('--index') ? args : [...args, '--index', index];
    const { stdout, stderr } = await command(name, selected, input, { FORCE_COLOR: '1' });
    expect(stdout + stderr).toMatch(/zorbling|owned/i);
    expect(commandsIn(stdout)).toEqual([]);
    expect(commandsIn(stderr)).toEqual([]);
  });

  test('reach no terminal through the report of a build', async () => {
    expect(built.stdout).toContain('owned');
    expect(commandsIn(built.stdout + built.stderr)).toEqual([]);
    const strict = await command('index', [docs, '--index', index, '--cache', cache, '--strict']);
    expect(strict.code).toBe(1);
    expect(strict.stderr).toContain('owned');
    expect(commandsIn(strict.stdout + strict.stderr)).toEqual([]);
  });
});

test('markup that names other files includes none of them', async () => {
  const secret = join(folder, 'secret.txt');
  const word = 'xylotruffle';
  writeFileSync(secret, `${word}\n`);
  const files: Record<string, string> = {
    'a.adoc': `= Title\n\nText.\n\ninclude::${secret}[]\n\nimage::${secret}[]\n\nlink:${secret}[]\n`,
    'a.rst': `Title\n=====\n\nText.\n\n.. include:: ${secret}\n\n.. literalinclude:: ${secret}\n\n.. raw:: html\n   :file: ${secret}\n\n.. csv-table:: T\n   :file: ${secret}\n`,
    'a.1': `.TH A 1\n.SH NAME\na \\- b\n.SH TEXT\nText.\n.so ${secret}\n.mso ${secret}\n.soquiet ${secret}\n`,
    'a.md': `Text.\n\n!include ${secret}\n\n{{#include ${secret}}}\n\n<!--#include file="${secret}" -->\n\n![a](file://${secret})\n`,
    'a.mdx': `import A from '${secret}'\n\n# Title\n\nText. {require('fs').readFileSync('${secret}')}\n\n<A />\n`,
    'a.html': `<!--#include file="${secret}"--><p>Text.<iframe src="file://${secret}"></iframe><object data="file://${secret}"></object><embed src="${secret}"><link rel=import href="${secret}">`,
    'a.xml': `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file://${secret}"><!ENTITY % y SYSTEM "file://${secret}"> %y;]><a xmlns:xi="http://www.w3.org/2001/XInclude"><b>Text. &x;</b><xi:include href="file://${secret}" parse="text"/></a>`,
    'b.xml': `<a xmlns:xi="http://www.w3.org/2001/XInclude"><b>Text.</b><xi:include href="file://${secret}" parse="text"/></a>`,
    'a.yaml': `openapi: 3.0.0\ninfo: { title: T, version: '1', description: Text. }\npaths:\n  /a:\n    $ref: 'file://${secret}'\n  /b: !include ${secret}\n`,
    'a.eml': `From: a@example.org\nSubject: T\nContent-Type: message/external-body; access-type=local-file; name="${secret}"\n\nText.\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    const { documents, notices } = await readBytes(name, text);
    expect(documents.length + notices.length, name).toBeGreaterThan(0);
    expect(JSON.stringify([documents, notices]), name).not.toContain(word);
  }
  // The file itself is read if it is named.
  expect(JSON.stringify((await readBytes('secret.txt', readFileSync(secret))).documents)).toContain(word);
});
