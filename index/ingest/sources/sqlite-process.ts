import sqlite, { type Database } from 'node-sqlite3-wasm';
import { type Notice, RanOut, Unreadable } from '../../documents/file.ts';
import { messageOf } from '../../kit/errors.ts';
import { jsonRows, type QueryLimits, type Row } from './json-rows.ts';

export interface SqliteQuery {
  path: string;
  query: string;
  limits: QueryLimits;
}

/** A message to the process: a query, or that the parent has taken a chunk. */
export type ToSqlite = SqliteQuery | { taken: true };

/** A message from the process: that it has locked the file, a chunk of JSON Lines, or how the query ended. The file is free again then. */
export type FromSqlite =
  | { locked: true }
  | { chunk: Uint8Array }
  | { failed: Notice; ranOut: boolean }
  | { done: true };

let wake = () => {};

function send(message: FromSqlite): void {
  process.send?.(message);
}

async function answer({ path, query, limits }: SqliteQuery): Promise<void> {
  try {
    for await (const chunk of jsonRows(rowsOf(path, query), path, limits)) {
      send({ chunk });
      await new Promise<void>((resolve) => (wake = resolve));
      // Leaving the loop frees the file.
      if (!process.connected) return;
    }
    send({ done: true });
  } catch (error) {
    const known = error instanceof Unreadable ? error : unreadable(path, messageOf(error));
    send({ failed: known.notice, ranOut: known instanceof RanOut });
  }
}

/** Streams the rows of a query to a file, which is opened for reading only. */
function* rowsOf(path: string, query: string): Generator<Row> {
  let database: Database | undefined;
  try {
    database = new sqlite.Database(path, { readOnly: true });
    // This build of SQLite has no shared memory. Without it, files with a write-ahead log can be read in this mode only.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('BEGIN');
    database.all('SELECT 1 FROM sqlite_master LIMIT 1');
    send({ locked: true });
    const statement = database.prepare(query);
    try {
      yield* statement.iterate();
    } finally {
      statement.finalize();
    }
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

process.on('message', (message: ToSqlite) => {
  if ('taken' in message) wake();
  else void answer(message);
});
process.on('disconnect', () => wake());
