import { writeSync } from 'node:fs';
import type { Metric } from '../../index/aws/metrics.ts';
import type { Mode, Verdict } from '../../index/search/answer.ts';

/** Fields that a request adds to its log entry. */
export interface LogFields {
  /** Name of the caller's API key; never the key. */
  key?: string;
  collection?: string;
  /** The `sub` of the caller's token, which identifies a user or a program at the issuer. */
  subject?: string;
  k?: number;
  mode?: Mode;
  tool?: string;
  q?: string;
  results?: number;
  verdict?: Verdict;
  answered?: boolean;
  topConfidence?: number;
  /** What a person said about the answer to `q`. */
  helpful?: boolean;
  embedMs?: number;
  searchMs?: number;
  /** Why the request failed, with the stack. */
  error?: string;
}

/**
 * A request in the log. `timestamp`, `level` and `requestId` have the names that Lambda uses in its own JSON lines, so
 * that its log level filter works: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
 */
export interface LogEntry extends LogFields {
  /** RFC 3339, UTC. */
  timestamp: string;
  level: 'INFO' | 'ERROR';
  requestId: string;
  method: string;
  /** The route's pattern; `/*` for an unknown path. */
  route: string;
  /** HTTP status; 499 where the client closed the connection before its request was complete. */
  status: number;
  /** Milliseconds from request to answer. */
  ms: number;
  /** Address of the viewer behind CloudFront, whose own address the log of the API contains. Other callers can send any. */
  viewer?: string;
}

/**
 * Writes one line of JSON to standard output. Lambda's runtime would wrap the lines of `console.log`, and `process.stdout` loads streams:
 * 2 ms of a cold start. Escapes C1 codes, which may be commands of a terminal, and line ends that JSON allows.
 */
export function writeEntry(entry: object, out = 1): void {
  const json = JSON.stringify(entry).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (code) => `\\u${code.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const line = `${json}\n`;
  try {
    writeSync(out, line);
  } catch {
    // Such as a full pipe that does not block.
    process.stdout.write(line);
  }
}

/**
 * The metrics of a search: `Possible` and `Unanswered`, 0 or 1. With `ColdStart` if given: milliseconds from the start of the process
 * until the index was open. Each metric costs money, so there are no others.
 */
export function metricsOf({ verdict }: LogEntry, coldStart?: number): Record<string, Metric> {
  const count = (counted: Verdict): Metric => ({ unit: 'Count', value: Number(verdict === counted) });
  return {
    ...(coldStart !== undefined && { ColdStart: { unit: 'Milliseconds', value: coldStart } }),
    ...(verdict && { Possible: count('possible'), Unanswered: count('none') }),
  };
}
