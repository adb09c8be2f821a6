import { isUtf8 } from 'node:buffer';

/** A row of a database. */
export type Row = Record<string, unknown>;

/** Rows are joined to chunks of about this many characters. */
const CHUNK = 2 ** 16;

/** Writes rows of a database as JSON Lines, so that the reader of records reads them. */
export async function* jsonRows(rows: AsyncIterable<Row> | Iterable<Row>): AsyncGenerator<Uint8Array> {
  let text = '';
  for await (const row of rows) {
    text += `${JSON.stringify(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, jsonValue(value)])))}\n`;
    if (text.length < CHUNK) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text);
}

/**
 * A value of a column: times are ISO 8601, whole numbers beyond 2^53 and other values are text, bytes are text if they are UTF-8 and
 * else left out.
 */
function jsonValue(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return isUtf8(value) ? Buffer.from(value).toString('utf8') : null;
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(textOf);
  if (typeof value === 'object') return JSON.stringify(value);
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return null;
  return value;
}

function textOf(item: unknown): string {
  const value = jsonValue(item);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
