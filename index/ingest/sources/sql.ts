import { type ReadOptions, Unreadable } from '../../documents/file.ts';
import { jsonRows, type QueryLimits } from './json-rows.ts';
import type { Source, SourceFile } from './source.ts';

/** A query, and the database that answers it: a SQLite file or a PostgreSQL server. */
export type SqlSettings = {
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
      const { sqliteRows } = await import('./sqlite.ts');
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
