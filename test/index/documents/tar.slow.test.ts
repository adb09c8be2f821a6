import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBytes } from '../../fixtures/read.ts';

let folder: string;
const long = `${'a long folder name/'.repeat(8)}notes.txt`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tar-'));
  mkdirSync(join(folder, 'docs', long, '..'), { recursive: true });
  writeFileSync(join(folder, 'docs', long), 'Some notes.');
  writeFileSync(join(folder, 'docs/Übersicht.html'), '<title>Page</title><p>Text of the page.');
  writeFileSync(join(folder, 'docs/.hidden.txt'), 'Hidden.');
  symlinkSync('Übersicht.html', join(folder, 'docs/link.html'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function archive(name: string, ...options: string[]): Buffer {
  execFileSync('tar', [...options, '--sort=name', '-cf', name, './docs'], { cwd: folder });
  return readFileSync(join(folder, name));
}

test.each([
  ['all.tar', ['--format=gnu']],
  ['all.tar', ['--format=pax']],
  ['all.tar.gz', ['--format=gnu', '-z']],
  ['all.tgz', ['--format=pax', '-z']],
])('reads the files of %s that tar %s made', async (name, options) => {
  const { documents, notices } = await readBytes(name, archive(name, ...options));
  expect(documents.map(({ source, title }) => [source, title])).toEqual([
    [`${name}/docs/${long}`, undefined],
    [`${name}/docs/Übersicht.html`, 'Page'],
  ]);
  expect(notices).toEqual([]);
});

test('reads archives of Unix version 7', async () => {
  execFileSync('tar', ['--format=v7', '-cf', 'v7.tar', '-C', 'docs', 'Übersicht.html'], { cwd: folder });
  const { documents } = await readBytes('v7.tar', readFileSync(join(folder, 'v7.tar')));
  expect(documents.map(({ source }) => source)).toEqual(['v7.tar/Übersicht.html']);
});

test('reads the files before the place where an archive is cut', async () => {
  const whole = archive('all.tar', '--format=gnu');
  const cut = whole.subarray(0, whole.indexOf('of the page.'));
  const { documents, notices } = await readBytes('all.tar', cut);
  expect(documents.map(({ source }) => source)).toEqual([`all.tar/docs/${long}`]);
  expect(notices).toMatchObject([
    { kind: 'failed', place: 'all.tar/docs/Übersicht.html', reason: 'damaged' },
    { kind: 'failed', place: 'all.tar', reason: 'damaged' },
  ]);
});

test('reports files that are not archives, or contain nothing', async () => {
  const reasonOf = async (bytes: Buffer) => (await readBytes('a.tar', bytes)).notices[0]?.reason;
  expect(await reasonOf(Buffer.from('Some text.'))).toBe('damaged');
  expect(await reasonOf(Buffer.alloc(2048, 'text'))).toBe('damaged');
  expect(await reasonOf(Buffer.alloc(0))).toBe('no text');
  expect(await reasonOf(Buffer.alloc(1024))).toBe('no text');
});
