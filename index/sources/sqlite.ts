import sqlite, { type Database } from 'node-sqlite3-wasm';
import { Unreadable } from '../documents/file.ts';
import type { Row } from './json-rows.ts';

/**
 * Streams the rows of a query to a SQLite file, which is opened for reading only.
 * @throws Unreadable if the file or the query is wrong
 */
export function* sqliteRows(path: string, query: string): Generator<Row> {
  let database: Database | undefined;
  try {
    database = new sqlite.Database(path, { readOnly: true });
    // This build of SQLite has no shared memory. Without it, files with a write-ahead log can be read in this mode only.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    const statement = database.prepare(query);
    try {
      yield* statement.iterate();
    } finally {
      statement.finalize();
    }
  } catch (error) {
    throw unreadable(path, error instanceof Error ? error.message : String(error));
  } finally {
    database?.close();
  }
}

function unreadable(path: string, message: string): Unreadable {
  if (/not open|unable to open/i.test(message))
    return new Unreadable(
      path,
      'cannot be opened',
      'Check the path, and that its folder is writable for locks.',
    );
  if (/not a database|malformed/i.test(message))
    return new Unreadable(path, 'damaged', 'Name a SQLite database that is whole.');
  if (/locked/i.test(message))
    return new Unreadable(path, 'locked', `Wait for other programs. If there are none, delete ${path}.lock.`);
  return new Unreadable(path, 'query failed', `Correct the query (${message}).`);
}
