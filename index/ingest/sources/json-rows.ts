import { isUtf8 } from 'node:buffer';
import { RanOut } from '../../documents/file.ts';

export type Row = Record<string, unknown>;

export interface QueryLimits {
  seconds: number;
  rows: number;
  bytes: number;
}

/** Rows are joined to chunks of about this many characters. */
const CHUNK = 2 ** 16;

/**
 * Writes rows of a database as JSON Lines, so that the reader of records reads them.
 * @throws RanOut if there are more rows or bytes than the limits
 */
export async function* jsonRows(
  rows: AsyncIterable<Row> | Iterable<Row>,
  place: string,
  limits: QueryLimits,
): AsyncGenerator<Uint8Array> {
  let [count, bytes, text] = [0, 0, ''];
  const take = () => {
    const chunk = Buffer.from(text);
    text = '';
    bytes += chunk.length;
    if (count > limits.rows || bytes > limits.bytes)
      throw new RanOut(
        place,
        'query returns too much',
        `Split it into queries of at most ${limits.rows} rows and ${limits.bytes / 2 ** 20} MiB.`,
      );
    return chunk;
  };
  for await (const row of rows) {
    count++;
    text += `${JSON.stringify(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, jsonValue(value)])))}\n`;
    if (text.length >= CHUNK || count > limits.rows) yield take();
  }
  yield take();
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
