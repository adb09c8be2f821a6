import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Notice } from '../../../../index/documents/file.ts';
import { describeFiles } from '../../../../index/ingest/reading/described-files.ts';
import { readSources } from '../../../../index/ingest/reading/read-sources.ts';
import { FolderSource } from '../../../../index/ingest/sources/folder.ts';
import type { Source } from '../../../../index/ingest/sources/source.ts';
import { temporaryFolder } from '../../../fixtures/index.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
function write(name: string, content: string | object): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}
const described = (metadataAttributes: object) => ({ metadataAttributes });

/** The metadata of each document by its source, and what was reported. */
async function read(source: Source = new FolderSource(folder)) {
  const metadata: Record<string, object | undefined> = {};
  const notices: Notice[] = [];
  for await (const document of readSources([source], { report: (notice) => notices.push(notice) }))
    metadata[document.source] = document.metadata;
  return { metadata, notices };
}

test('a file beside another one describes it, and its own fields count first', async () => {
  write('hr/leave.txt', 'Employees get 25 days.');
  write('hr/leave.txt.metadata.json', described({ access: ['hr'], year: 2026, team: { name: 'People' } }));
  write('page.md', '---\nyear: 2025\naccess: board\n---\n\nText.');
  write('page.md.metadata.json', described({ year: 2026, access: ['hr'], draft: false }));
  write('other.txt', 'Text.');
  const { metadata, notices } = await read(new FolderSource(folder, { access: ['staff'] }));
  expect(metadata).toEqual({
    'hr/leave.txt': { access: ['hr'], year: 2026, 'team.name': 'People' },
    'other.txt': { access: ['staff'] },
    'page.md': { year: 2025, access: 'board', draft: false },
  });
  expect(notices).toEqual([]);
});

test('without a file that it describes, it is a file like others', async () => {
  write('leave.txt.metadata.json', { text: 'A record.' });
  expect(Object.keys((await read()).metadata)).toEqual(['leave.txt.metadata.json']);
});

test.each([
  ['patterns of what to include', { include: ['*.txt'] }],
  ['patterns of what to exclude', { exclude: ['*.json'] }],
])('it follows the file that it describes through %s', async (_, options) => {
  write('leave.txt', 'Employees get 25 days.');
  write('leave.txt.metadata.json', described({ access: ['hr'] }));
  write('other.metadata.json', { text: 'A record.' });
  const { metadata } = await read(new FolderSource(folder, options));
  expect(metadata).toEqual({ 'leave.txt': { access: ['hr'] } });
});

test('it also describes a file that is the source', async () => {
  const path = write('leave.txt', 'Employees get 25 days.');
  write('leave.txt.metadata.json', described({ access: ['hr'] }));
  expect((await read(new FolderSource(path))).metadata).toEqual({ 'leave.txt': { access: ['hr'] } });
});

test('groups in another form are for nobody', async () => {
  write('leave.txt', 'Employees get 25 days.');
  const typed = { value: { type: 'STRING_LIST', stringListValue: ['hr'] } };
  write('leave.txt.metadata.json', described({ access: typed }));
  expect((await read()).metadata['leave.txt']).toMatchObject({ access: [] });
});

test.each([
  ['damaged', '{"metadataAttributes": {'],
  ['without fields', '{"access": ["hr"]}'],
  ['with a list', '{"metadataAttributes": ["hr"]}'],
  ['too large', JSON.stringify(described({ access: ['hr'], note: 'x'.repeat(11_000) }))],
])('a description that is %s leaves its file out, as it may restrict it', async (_, description) => {
  write('leave.txt', 'Employees get 25 days.');
  const place = write('leave.txt.metadata.json', description);
  write('other.txt', 'Text.');
  const { metadata, notices } = await read();
  expect(Object.keys(metadata)).toEqual(['other.txt']);
  expect(notices).toEqual([expect.objectContaining({ kind: 'failed', place })]);
  expect(notices[0]!.fix).toContain('Until then, leave.txt is left out.');
});

test.each([
  ['a link to nothing', () => 'nothing.json'],
  ['a link to a file outside', (outside: string) => outside],
])('a description that is %s leaves its file out', async (_, target) => {
  const path = write('in/leave.txt', 'Employees get 25 days.');
  const outside = write('outside.json', described({ access: ['hr'] }));
  symlinkSync(target(outside), `${path}.metadata.json`);
  for (const source of [join(folder, 'in'), path]) {
    const { metadata, notices } = await read(new FolderSource(source));
    // A link beside a file that is named itself may lead anywhere, as that file may.
    const follows = source === path && target(outside) === outside;
    expect(metadata).toEqual(follows ? { 'leave.txt': { access: ['hr'] } } : {});
    expect(notices.length).toBe(Number(!follows));
  }
});

test('a description with a version is read once', async () => {
  let reads = 0;
  const file = (source: string, version: string) => ({
    source,
    path: `s3://bucket/${source}`,
    version,
    async *open() {
      reads++;
      yield Buffer.from(JSON.stringify(described({ year: 2026 })));
    },
  });
  const source: Source = { options: {}, async *files() {} };
  const memory = new Map<string, string>();
  for (const version of ['1', '1', '2']) {
    const files = ['a.pdf', 'a.pdf.metadata.json'].map((name) => ({ file: file(name, version), source }));
    const found = await describeFiles(files, { memory, report: () => {} });
    expect(found.map(({ file, options }) => [file.source, options])).toEqual([
      ['a.pdf', { metadata: { year: 2026 } }],
    ]);
  }
  expect(reads).toBe(2);
});
