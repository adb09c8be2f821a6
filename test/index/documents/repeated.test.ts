import { describe, expect, test } from 'vitest';
import { toPassages } from '../../../index/ingest/passages/split.ts';
import { readBytes } from '../../fixtures/read.ts';

// Formats differ in where such fields come from, so each way is tested through its reader.

const LONG = 'value '.repeat(20_000).trim();
const OPTIONS = { countTokens: (text: string) => Math.ceil(text.length / 4), minTokens: 1, maxTokens: 64 };
const body = 'Some text.\n\n'.repeat(50);

const fields = (count: number) => Array.from({ length: count }, (_, i) => [`field${i}`, 'v'.repeat(2_000)]);
const frontMatter = (lines: string[][]) =>
  `---\n${lines.map((line) => line.join(': ')).join('\n')}\n---\n${body}`;
const row = (record: object) => JSON.stringify({ text: body, ...record });

/** What passages of a file have beside their text, in characters of JSON. */
async function repeated(name: string, content: string) {
  const { documents, notices } = await readBytes(name, content);
  const passages = documents.flatMap((document) => toPassages(document, OPTIONS));
  expect(passages.length).toBeGreaterThan(0);
  const lengths = passages.map(({ text, sentences, ...rest }) => JSON.stringify(rest).length);
  return { most: Math.max(...lengths), passages, reasons: notices.map(({ reason }) => reason) };
}

describe('metadata of a document is limited, with a notice', () => {
  test.each([
    ['a.md', frontMatter(fields(150))],
    ['a.jsonl', row({ note: LONG })],
    ['a.jsonl', row(Object.fromEntries(fields(150)))],
    ['a.json', JSON.stringify([{ text: body, a: { b: Object.fromEntries(fields(150)) } }])],
    ['a.jsonl', row({ list: LONG.split(' ') })],
    ['a.csv', `text,note\n"${body}",${LONG}\n`],
    ['a.eml', `From: ${LONG} <a@example.org>\nMessage-ID: <${'i'.repeat(20_000)}>\n\n${body}`],
  ])('%s', async (name, content) => {
    const { most, reasons } = await repeated(name, content);
    expect(most).toBeLessThan(20_000);
    expect(reasons).toEqual(['too much metadata']);
  });

  test('fields that fit are kept, and the notice comes once a file', async () => {
    const lines = Array.from({ length: 5 }, (_, i) => row({ first: i, note: LONG, last: 'x' })).join('\n');
    const { passages, reasons } = await repeated('a.jsonl', lines);
    expect(passages[0]!.metadata).toEqual({ first: 0, last: 'x' });
    expect(reasons).toEqual(['too much metadata']);
  });

  test('16,000 characters are kept', async () => {
    const { passages, reasons } = await repeated('a.md', frontMatter(fields(8)));
    expect(Object.keys(passages[0]!.metadata!)).toHaveLength(8);
    expect(reasons).toEqual([]);
  });
});

describe('what else each passage repeats is limited', () => {
  const tag = `en${'-abcdefgh'.repeat(5_000)}`;
  const sections = '<h2>Part</h2><p>Some text.'.repeat(50);
  test.each([
    ['a heading', 'a.md', `# ${LONG}\n\n${'## Part\n\nSome text.\n\n'.repeat(50)}`],
    ['a setext heading', 'a.md', `${LONG}\n===\n\n${body}`],
    ['a title', 'a.html', `<title>${LONG}</title>${sections}`],
    ['a title of a record', 'a.jsonl', row({ title: LONG })],
    ['an anchor', 'a.html', `<h1 id="${'i'.repeat(50_000)}">Title</h1>${sections}`],
    ['an explicit anchor', 'a.md', `# A {#${'i'.repeat(50_000)}}\n\n${body}`],
    ['an address', 'a.jsonl', row({ url: `https://example.org/${'p'.repeat(50_000)}` })],
    ['a language', 'a.html', `<html lang="${tag}">${sections}`],
    ['a language of a record', 'a.jsonl', row({ lang: tag })],
    ['a source', 'a.jsonl', row({ source: `${'s'.repeat(50_000)}.md` })],
    ['an id', 'a.jsonl', row({ id: 'i'.repeat(50_000) })],
  ])('%s', async (_, name, content) => {
    const { most, passages } = await repeated(name, content);
    expect(passages.length).toBeGreaterThan(5);
    expect(most).toBeLessThan(3_000);
  });

  test('records with long ids stay apart', async () => {
    const long = 'i'.repeat(50_000);
    const { passages } = await repeated(
      'a.jsonl',
      [row({ id: `${long}1` }), row({ id: `${long}2` })].join('\n'),
    );
    expect(new Set(passages.map(({ id }) => id)).size).toBe(passages.length);
  });
});
