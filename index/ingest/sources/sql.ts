import { on } from 'node:events';
import { rmSync } from 'node:fs';
import { RanOut, type ReadOptions, Unreadable } from '../../documents/file.ts';
import { forkModule } from '../../format/installation.ts';
import { jsonRows, type QueryLimits } from './json-rows.ts';
import type { Source, SourceFile } from './source.ts';
import type { FromSqlite, ToSqlite } from './sqlite-process.ts';

/** A query, and the database that answers it: a SQLite file or a PostgreSQL server. */
type SqlSettings = {
  /** A SELECT statement. Its columns are the fields of records. */
  query: string;
  /** The name of the file with the rows in the index. */
  name?: string;
} & (
  | { /** The path of a SQLite file. */ sqlite: string }
  | { /** The environment variable with the connection string of a PostgreSQL server. */ postgres: string }
);

const LIMITS: QueryLimits = { seconds: 300, rows: 1_000_000, bytes: 2 ** 30 };
/** Characters of a query that name it in messages. */
const QUERY_START = 60;

/** The rows of a query, as one JSON Lines file. Nothing is written to the database. */
export class SqlSource implements Source {
  readonly options: ReadOptions;
  readonly #settings: SqlSettings;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #limits: QueryLimits;

  constructor(
    settings: SqlSettings,
    options: ReadOptions = {},
    environment = process.env,
    limits: Partial<QueryLimits> = {},
  ) {
    this.#settings = settings;
    this.options = options;
    this.#environment = environment;
    this.#limits = { ...LIMITS, ...limits };
  }

  async *files(): AsyncGenerator<SourceFile> {
    const { query, name = 'sql.jsonl' } = this.#settings;
    const database = 'sqlite' in this.#settings ? this.#settings.sqlite : 'PostgreSQL';
    yield {
      source: name,
      path: `${database}: ${query.trim().slice(0, QUERY_START)}`,
      open: () => this.#rows(),
    };
  }

  async *#rows(): AsyncGenerator<Uint8Array> {
    // A trailing semicolon would end the statement that the query becomes a part of.
    const query = this.#settings.query.replace(/[\s;]+$/, '');
    if ('sqlite' in this.#settings) {
      yield* sqliteRows(this.#settings.sqlite, query, this.#limits);
      return;
    }
    const variable = this.#settings.postgres;
    const connection = this.#environment[variable];
    if (!connection)
      throw new Unreadable(
        'PostgreSQL',
        'no connection string',
        `Set the environment variable ${variable} to postgresql://user:password@host/database.`,
      );
    const { postgresRows } = await import('./postgres.ts');
    yield* jsonRows(postgresRows(connection, query, this.#limits.seconds), 'PostgreSQL', this.#limits);
  }
}

/**
 * Streams the rows of a query to a SQLite file as JSON Lines. Runs it in another process, because nothing else can stop a query.
 * @throws Unreadable if the file or the query is wrong, RanOut if a limit is reached
 */
async function* sqliteRows(path: string, query: string, limits: QueryLimits): AsyncGenerator<Uint8Array> {
  const child = forkModule(new URL('./sqlite-process.ts', import.meta.url), [], {
    execArgv: ['--max-old-space-size=1024'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // An event reports a process that ended.
  const send = (message: ToSqlite) => child.send?.(message, () => {});
  const timeout = AbortSignal.timeout(1000 * limits.seconds);
  let isLocked = false;
  try {
    const messages = on(child, 'message', { signal: timeout, close: ['exit'] });
    send({ path, query, limits });
    for await (const [message] of messages as AsyncIterable<[FromSqlite]>) {
      isLocked = 'locked' in message || 'chunk' in message;
      if ('done' in message) return;
      if ('failed' in message) {
        const { place, reason, fix = '' } = message.failed;
        throw message.ranOut ? new RanOut(place, reason, fix) : new Unreadable(place, reason, fix);
      }
      if ('locked' in message) continue;
      yield message.chunk;
      send({ taken: true });
    }
    throw new RanOut(path, 'query needs too much memory', 'Select fewer or shorter columns.');
  } catch (error) {
    if (timeout.aborted) throw new RanOut(path, 'query timed out', 'Make the query faster, or split it.');
    throw error;
  } finally {
    child.kill('SIGKILL');
    // SQLite's lock in this build is a folder, which a process that is killed leaves behind.
    if (isLocked) rmSync(`${path}.lock`, { recursive: true, force: true });
  }
}
