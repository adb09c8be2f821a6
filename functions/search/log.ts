import type { Mode } from '../../index/format/mode.ts';

/** What the log has of a request beyond the request itself. */
export interface LogFacts {
  /** Name of the API key that asked; never the key. */
  key?: string;
  k?: number;
  mode?: Mode;
  /** The MCP tool that was called. */
  tool?: 'search' | 'fetch';
  /** The question, only where that was asked for. */
  q?: string;
  /** How many results. */
  results?: number;
  answered?: boolean;
  /** Confidence of the first result. */
  topConfidence?: number;
  embedMs?: number;
  searchMs?: number;
  /** Why a request failed, with the stack. */
  error?: string;
}

/**
 * A request in the log. `timestamp`, `level` and `requestId` are the names that Lambda's own JSON lines have, by
 * which it filters: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
 */
export interface LogEntry extends LogFacts {
  /** RFC 3339, UTC. */
  timestamp: string;
  level: 'INFO' | 'ERROR';
  requestId: string;
  method: string;
  /** The route's pattern; `/*` where there is none. */
  route: string;
  status: number;
  /** Milliseconds from request to answer. */
  ms: number;
}

/** Writes a line of JSON to standard output. Not by `console.log`, whose lines Lambda's runtime wraps. */
export function writeEntry(entry: object): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}
