import pg from 'pg';
import { RanOut, Unreadable } from '../../documents/file.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Row } from './json-rows.ts';

const ROWS_AT_A_TIME = 1000;
const CONNECT_MS = 15_000;

/** The package's types lack the protocol. */
type Statement = pg.QueryConfig & { queryMode: 'extended' };

/**
 * Streams the rows of a query to a PostgreSQL server through a cursor, in a transaction that cannot write.
 * @param timeout in seconds, of all rows together
 * @throws Unreadable if the server or the query is wrong, RanOut after the timeout. It never contains the connection string.
 */
export async function* postgresRows(connection: string, query: string, timeout: number): AsyncGenerator<Row> {
  const end = performance.now() + 1000 * timeout;
  try {
    const client = new pg.Client({
      connectionString: connection,
      connectionTimeoutMillis: CONNECT_MS,
      // For a server that is gone. One that works ends the statement before.
      query_timeout: 1000 * timeout + CONNECT_MS,
      application_name: 'polyseek',
      types: { getTypeParser: parserOf },
    });
    // Errors reach the query that waits. Without a listener, those of an idle connection would end the process.
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      // The limit of a statement is for each fetch. Zero would be none.
      const limit = () => {
        const left = Math.ceil(end - performance.now());
        if (left <= 0) throw timedOut();
        return client.query(`SET LOCAL statement_timeout = ${left}`);
      };
      await limit();
      // The extended protocol accepts a single statement.
      const declare: Statement = {
        text: `DECLARE rows NO SCROLL CURSOR FOR ${query}`,
        queryMode: 'extended',
      };
      await client.query(declare);
      for (;;) {
        await limit();
        const { rows } = await client.query<Row>(`FETCH ${ROWS_AT_A_TIME} FROM rows`);
        yield* rows;
        if (rows.length < ROWS_AT_A_TIME) break;
      }
    } finally {
      await client.end();
    }
  } catch (error) {
    throw unreadable(connection, error);
  }
}

/** The client itself would convert some types with the time zone of this machine, or to text. */
function parserOf(type: number, format?: 'text' | 'binary'): (value: string) => unknown {
  const { INT8, NUMERIC, DATE, TIMESTAMP } = pg.types.builtins;
  if (type === INT8 || type === NUMERIC) return exactNumber;
  if (type === DATE) return (value) => value;
  if (type === TIMESTAMP) return (value) => value.replace(' ', 'T');
  return pg.types.getTypeParser(type, format === 'binary' ? 'text' : format);
}

/** A number if JavaScript represents all of its digits, else text. */
function exactNumber(value: string): number | string {
  const number = Number(value);
  const digits = value.replace(/^-?0*\.?0*|\./g, '');
  return Number.isSafeInteger(number) || (/^\d{0,15}$/.test(digits) && Number.isFinite(number))
    ? number
    : value;
}

function timedOut(): RanOut {
  return new RanOut('PostgreSQL', 'query timed out', 'Make the query faster, or split it.');
}

function unreadable(connection: string, error: unknown): Unreadable {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = secretless(messageOf(error), connection);
  if (error instanceof RanOut) return error;
  const of = (reason: string, fix: string) => new Unreadable('PostgreSQL', reason, fix);
  if (code === '57014') return timedOut();
  if (code.startsWith('28')) return of('access denied', `Check user and password (${message}).`);
  if (code === '3D000') return of('no such database', `Check the connection string (${message}).`);
  if (/^[0-9A-Z]{5}$/.test(code) && code !== 'EPIPE')
    return of('query failed', `Correct the query (${message}).`);
  return of('not reachable', `Check the connection string, and that the server runs (${message}).`);
}

/** Takes the connection string and its password out of a message. */
function secretless(message: string, connection: string): string {
  const password = URL.canParse(connection) ? new URL(connection).password : '';
  const secrets = [connection, password, decodeSafely(password)].filter((secret) => secret !== '');
  return secrets.reduce((text, secret) => text.replaceAll(secret, '…'), message);
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
