import { on } from 'node:events';
import { rmSync } from 'node:fs';
import { RanOut, Unreadable } from '../../documents/file.ts';
import { forkModule } from '../../format/installation.ts';
import type { QueryLimits } from './json-rows.ts';
import type { FromSqlite, ToSqlite } from './sqlite-process.ts';

/**
 * Streams the rows of a query to a SQLite file as JSON Lines. Runs it in another process, because nothing else can stop a query.
 * @throws Unreadable if the file or the query is wrong, RanOut if a limit is reached
 */
export async function* sqliteRows(
  path: string,
  query: string,
  limits: QueryLimits,
): AsyncGenerator<Uint8Array> {
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
