import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../fixtures/index.ts';
import { nodesOf, readPage, tableUnder, textOf } from './pages.ts';

const page = readPage('docs/architecture.md');
const map = tableUnder(page, 'Map').map(([folder = '']) => folder.replace(/\/$/, ''));

/** The folders with TypeScript in them: those with their own imports of others. */
function foldersWithCode(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  const below = entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => foldersWithCode(`${folder}/${name}`));
  return entries.some(({ name }) => name.endsWith('.ts')) ? [folder, ...below] : below;
}

/** The room of a file or folder: the longest folder of the map that it is in. */
const roomOf = (path: string) =>
  map
    .filter((folder) => path === folder || path.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0];

describe('the map', () => {
  test('names folders that exist, each once', () => {
    expect(map.filter((folder) => !existsSync(join(root, folder)))).toEqual([]);
    expect(new Set(map).size).toBe(map.length);
  });

  test('has imports that point down', () => {
    const level = (path: string) => map.indexOf(roomOf(path) ?? '');
    const files = ['cli', 'infra', 'functions', 'index'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => `${folder}/${name}`),
    );
    const up = files.flatMap((file) =>
      importsOf(file)
        .filter((other) => other.endsWith('.ts') && level(other) < level(file))
        .map((other) => `${file} imports ${other}`),
    );
    expect(up).toEqual([]);
  });

  test('has a room for every folder with code', () => {
    const folders = ['cli', 'infra', 'functions', 'index'].flatMap(foldersWithCode);
    expect(folders.filter((folder) => !roomOf(folder))).toEqual([]);
  });
});

/** The files of a walk, in their order: the line that begins with "Files, in order". */
function walks(): string[][] {
  return nodesOf(page.tree, 'paragraph')
    .filter((paragraph) => textOf(paragraph).startsWith('Files, in order'))
    .map((paragraph) => nodesOf(paragraph, 'inlineCode').map(({ value }) => value));
}

/** The files that a file imports, loads when needed, or runs as a process. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const named = [...text.matchAll(/(?:from|import\(|new URL\()\s*'(\.[^']+)'/g)];
  return named.map(([, path = '']) => normalize(join(dirname(file), path)));
}

describe('the three ways', () => {
  test.each([
    ['a document', 0],
    ['a question', 1],
    ['an event of the bucket', 2],
  ])('%s passes each file on to one in the same room or below', (_name, way) => {
    const files = walks()[way] ?? [];
    expect(files.length).toBeGreaterThan(8);
    const seen: string[] = [];
    const climbs = files.flatMap((file) => {
      const from = seen.filter((earlier) => importsOf(earlier).includes(file));
      const isFirst = seen.length === 0;
      seen.push(file);
      if (isFirst) return [];
      const level = (path: string) => map.indexOf(roomOf(path) ?? '');
      return from.some((earlier) => level(earlier) <= level(file)) ? [] : [file];
    });
    expect(climbs).toEqual([]);
  });
});

test('the table of packages is complete', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const rows = tableUnder(page, 'Packages');
  const explained = rows.map(([names = '', why = '']) => ({ names, why }));
  const all = [...Object.keys(dependencies), ...Object.keys(devDependencies)];
  // Types belong to their package.
  const missing = all.filter(
    (name) =>
      !name.startsWith('@types/') && !explained.some(({ names }) => names.split(/[\s,;()]+/).includes(name)),
  );
  expect(missing).toEqual([]);
  const named = explained.flatMap(({ names }) => names.match(/@?[a-z][\w.-]*(?:\/[\w.-]+)?/g) ?? []);
  expect(named.filter((name) => name.includes('/') && !all.includes(name))).toEqual([]);
  expect(explained.filter(({ why }) => why === '')).toEqual([]);
});
