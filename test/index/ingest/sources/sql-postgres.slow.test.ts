import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Document } from '../../../../index/documents/document.ts';
import { readFile } from '../../../../index/documents/read-file.ts';
import type { QueryLimits } from '../../../../index/ingest/sources/json-rows.ts';
import type { SourceFile } from '../../../../index/ingest/sources/source.ts';
import { SqlSource } from '../../../../index/ingest/sources/sql.ts';
import { type Postgres, startPostgres } from '../../../fixtures/postgres.ts';
import { missingTools } from '../../../fixtures/tools.ts';

const PASSWORD = 'p@ss/word';

async function rowsOf(query: string, url: string, limits: Partial<QueryLimits> = {}): Promise<unknown[]> {
  const text: string[] = [];
  const settings = { postgres: 'DATABASE', query };
  for await (const file of new SqlSource(settings, {}, { DATABASE: url }, limits).files())
    for await (const chunk of file.open()) text.push(Buffer.from(chunk).toString());
  const lines = text.join('').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

describe.skipIf(missingTools('postgres'))('PostgreSQL', () => {
  let server: Postgres;

  beforeAll(async () => {
    server = await startPostgres(PASSWORD);
    const client = new pg.Client(server.url);
    await client.connect();
    await client.query(
      "CREATE TABLE pages AS SELECT i AS id, repeat('Text ', 20) || i AS text FROM generate_series(1, 2500) i",
    );
    await client.end();
  });
  afterAll(() => server?.stop());

  test('reads all rows, in the order of the query', async () => {
    const rows = await rowsOf('SELECT id, text FROM pages ORDER BY id DESC;\n', server.url);
    expect(rows.length).toBe(2500);
    expect(rows[0]).toEqual({ id: 2500, text: `${'Text '.repeat(20)}2500` });
    expect(rows[2499]).toMatchObject({ id: 1 });
    expect(await rowsOf('SELECT id FROM pages WHERE id < 1', server.url)).toEqual([]);
    expect((await rowsOf('SELECT id FROM pages WHERE id <= 1000', server.url)).length).toBe(1000);
  });

  test('writes values independently of the time zones of the machine and of the server', async () => {
    const query = `SELECT date '2026-01-05' AS day, timestamp '2026-01-05 10:00:00' AS local,
      timestamptz '2026-01-05 10:00:00+09' AS instant, 9007199254740993::bigint AS big, 5::bigint AS small,
      1.50::numeric AS price, 0.1234567890123456789::numeric AS exact, 'NaN'::numeric AS odd, 'NaN'::float8 AS nan, '{"a":[1]}'::jsonb AS json, true AS flag,
      ARRAY['a', NULL, 'b'] AS tags, convert_to('Text', 'UTF8') AS utf8, '\\xff00'::bytea AS bytes, NULL AS nothing`;
    expect(await rowsOf(query, server.url)).toEqual([
      {
        day: '2026-01-05',
        local: '2026-01-05T10:00:00',
        instant: '2026-01-05T01:00:00.000Z',
        big: '9007199254740993',
        small: 5,
        price: 1.5,
        exact: '0.1234567890123456789',
        odd: 'NaN',
        nan: null,
        json: '{"a":[1]}',
        flag: true,
        tags: ['a', 'b'],
        utf8: 'Text',
        bytes: null,
        nothing: null,
      },
    ]);
  });

  test('gives records that the build reads', async () => {
    const source = new SqlSource(
      { postgres: 'URL', query: 'SELECT id, text FROM pages WHERE id = 7' },
      {},
      { URL: server.url },
    );
    const documents: Document[] = [];
    const context = { options: {}, depth: 0, report: () => {}, readNested: readFile };
    for await (const file of source.files() as AsyncIterable<SourceFile>)
      for await (const document of readFile(file, context)) documents.push(document);
    expect(documents).toMatchObject([{ source: 'sql.jsonl', id: '7' }]);
  });

  test('cannot write', async () => {
    const changes = [
      "WITH changed AS (UPDATE pages SET text = '' RETURNING id) SELECT id FROM changed",
      'SELECT 1; COMMIT; DROP TABLE pages',
      "SELECT setval('missing', 1)",
      'DROP TABLE pages',
    ];
    for (const query of changes) await expect(rowsOf(query, server.url)).rejects.toThrow('query failed');
    expect((await rowsOf("SELECT id FROM pages WHERE text <> ''", server.url)).length).toBe(2500);
  });

  test('names what is wrong, without the connection string', async () => {
    const problem = async (query: string, url: string) =>
      rowsOf(query, url).then(
        () => '',
        (error: Error) => error.message,
      );
    const one = 'SELECT 1';
    const { url, folder } = server;
    const wrong = encodeURIComponent('wr@ng/pass');
    const messages = [
      await problem('SELECT nothing FROM pages', url),
      await problem(one, url.replace(encodeURIComponent(PASSWORD), wrong)),
      await problem(one, url.replace('/postgres?', '/missing?')),
      await problem(one, url.replace(encodeURIComponent(folder), '%2Fnowhere')),
      await problem(one, 'postgresql://owner:secret@127.0.0.1:1/postgres'),
      await problem(one, ''),
    ];
    expect(messages).toEqual([
      'PostgreSQL: query failed. Correct the query (column "nothing" does not exist).',
      'PostgreSQL: access denied. Check user and password (password authentication failed for user "owner").',
      'PostgreSQL: no such database. Check the connection string (database "missing" does not exist).',
      expect.stringMatching(
        /^PostgreSQL: not reachable\. Check the connection string, and that the server runs \(/,
      ),
      expect.stringMatching(
        /^PostgreSQL: not reachable\. Check the connection string, and that the server runs \(/,
      ),
      'PostgreSQL: no connection string. Set the environment variable DATABASE to postgresql://user:password@host/database.',
    ]);
    for (const message of messages)
      for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), wrong, 'wr@ng', 'secret'])
        expect(message).not.toContain(secret);
  });

  test('limits the time, the rows and the bytes of all fetches together', async () => {
    const slow = 'SELECT id, pg_sleep(0.0005)::text FROM pages';
    await expect(rowsOf(slow, server.url, { seconds: 0.9 })).rejects.toThrow('query timed out');
    const all = 'SELECT text FROM pages';
    await expect(rowsOf(all, server.url, { rows: 2499 })).rejects.toThrow('query returns too much');
    await expect(rowsOf(all, server.url, { bytes: 2 ** 17 })).rejects.toThrow('query returns too much');
    expect(await rowsOf(all, server.url, { rows: 2500 })).toHaveLength(2500);
  });

  test('ends if the reader stops early', async () => {
    const source = new SqlSource({ postgres: 'URL', query: 'SELECT * FROM pages' }, {}, { URL: server.url });
    for await (const file of source.files()) for await (const _ of file.open()) break;
    await expect
      .poll(() =>
        rowsOf(
          "SELECT 1 FROM pg_stat_activity WHERE application_name = 'polyseek' AND pid <> pg_backend_pid()",
          server.url,
        ),
      )
      .toEqual([]);
  });
});
