import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sqlite from 'node-sqlite3-wasm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RanOut } from '../../../../index/documents/file.ts';
import type { QueryLimits } from '../../../../index/ingest/sources/json-rows.ts';
import { SqlSource } from '../../../../index/ingest/sources/sql.ts';

let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sql-'));
  file = join(folder, 'pages.db');
  const database = new sqlite.Database(file);
  database.exec('CREATE TABLE pages (id INTEGER, big INTEGER, text TEXT, data BLOB, score REAL)');
  database.exec('BEGIN');
  for (let id = 1; id <= 3000; id++)
    database.run('INSERT INTO pages VALUES (?, ?, ?, ?, ?)', [
      id,
      9007199254740993n,
      `Text ${id}`,
      id % 2 ? Buffer.from('bytes') : Buffer.from([0xff]),
      id / 2,
    ]);
  database.exec('COMMIT');
  database.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function rowsOf(query: string, path = file, limits: Partial<QueryLimits> = {}): Promise<unknown[]> {
  const text: string[] = [];
  for await (const one of new SqlSource({ sqlite: path, query }, {}, {}, limits).files())
    for await (const chunk of one.open()) text.push(Buffer.from(chunk).toString());
  const lines = text.join('').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

test('reads the rows of a SQLite file', async () => {
  const rows = await rowsOf('SELECT * FROM pages ORDER BY id;');
  expect(rows.length).toBe(3000);
  expect(rows.slice(0, 2)).toEqual([
    { id: 1, big: '9007199254740993', text: 'Text 1', data: 'bytes', score: 0.5 },
    { id: 2, big: '9007199254740993', text: 'Text 2', data: null, score: 1 },
  ]);
});

test('is one file, named by the settings, for messages by the query', async () => {
  const settings = { sqlite: file, query: `SELECT text FROM pages${' '.repeat(100)}`, name: 'pages.jsonl' };
  for await (const { source, path } of new SqlSource(settings).files())
    expect([source, path]).toEqual(['pages.jsonl', `${file}: SELECT text FROM pages`]);
});

test('reads files with a write-ahead log, without changing them', async () => {
  const path = join(folder, 'log.db');
  const writer = new sqlite.Database(path);
  writer.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
  writer.exec('CREATE TABLE pages (text TEXT)');
  writer.run('INSERT INTO pages VALUES (?)', ['In the log']);
  // A copy while the log has not yet been written to the file.
  const copy = join(folder, 'copy.db');
  for (const end of ['', '-wal']) writeFileSync(copy + end, readFileSync(path + end));
  writer.close();
  const before = readFileSync(`${copy}-wal`);
  expect(await rowsOf('SELECT text FROM pages', copy)).toEqual([{ text: 'In the log' }]);
  expect(readFileSync(`${copy}-wal`)).toEqual(before);
});

test('cannot write', async () => {
  const before = readFileSync(file);
  for (const query of ["UPDATE pages SET text = ''", 'DELETE FROM pages RETURNING id', 'DROP TABLE pages'])
    await expect(rowsOf(query)).rejects.toThrow(
      'query failed. Correct the query (attempt to write a readonly database).',
    );
  expect(readFileSync(file).equals(before)).toBe(true);
});

test('names what is wrong', async () => {
  await expect(rowsOf('SELECT missing FROM pages')).rejects.toThrow(
    `${file}: query failed. Correct the query (no such column: missing).`,
  );
  await expect(rowsOf('SELECT 1', join(folder, 'missing.db'))).rejects.toThrow(
    'missing.db: cannot be opened.',
  );
  const text = join(folder, 'text.db');
  writeFileSync(text, 'Some text. '.repeat(100));
  await expect(rowsOf('SELECT * FROM sqlite_master', text)).rejects.toThrow(`${text}: damaged.`);
  mkdirSync(`${file}.lock`);
  await expect(rowsOf('SELECT 1 FROM pages')).rejects.toThrow(`${file}: locked.`);
  rmSync(`${file}.lock`, { recursive: true });
});

test('unlocks the file if the reader stops early', async () => {
  const query = 'SELECT a.text FROM pages a, pages b';
  for await (const one of new SqlSource({ sqlite: file, query }).files())
    for await (const _ of one.open()) break;
  expect(existsSync(`${file}.lock`)).toBe(false);
});

test('limits the time, the rows and the bytes of a query', async () => {
  const endless =
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) AS text FROM n, pages';
  const problem = (query: string, limits: Partial<QueryLimits>) =>
    rowsOf(query, file, limits).catch((error) => error);
  const errors = [
    await problem(endless, { seconds: 3 }),
    await problem('SELECT id FROM pages', { rows: 2999 }),
    await problem('SELECT a.text FROM pages a, pages b', { bytes: 2 ** 20 }),
  ];
  for (const error of errors) expect(error).toBeInstanceOf(RanOut);
  expect(errors.map(({ message }) => message)).toEqual([
    `${file}: query timed out. Make the query faster, or split it.`,
    `${file}: query returns too much. Split it into queries of at most 2999 rows and 1024 MiB.`,
    `${file}: query returns too much. Split it into queries of at most 1000000 rows and 1 MiB.`,
  ]);
  expect(existsSync(`${file}.lock`)).toBe(false);
  expect(await rowsOf('SELECT id FROM pages', file, { rows: 3000 })).toHaveLength(3000);
});
