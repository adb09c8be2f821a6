import * as v from 'valibot';

/** Lambda's report of an invocation. */
export interface Report {
  durationMs: number;
  billedMs: number;
  memoryMb: number;
  /** For a cold start only. */
  initMs?: number;
}

/** Lambda's record of an invocation in JSON log format (its "platform.report" event). */
const record = v.object({
  type: v.literal('platform.report'),
  record: v.object({
    metrics: v.object({
      durationMs: v.number(),
      billedDurationMs: v.number(),
      maxMemoryUsedMB: v.number(),
      initDurationMs: v.optional(v.number()),
    }),
  }),
});

/** Finds the report at the end of an invocation's log, in JSON or text format. Undefined if there is none, as with a system log level above INFO. */
export function readReport(log: string): Report | undefined {
  const lines = log.split('\n').reverse();
  for (const line of lines) {
    const report = fromJson(line) ?? fromText(line);
    if (report) return report;
  }
  return undefined;
}

function fromJson(line: string): Report | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { success, output } = v.safeParse(record, value);
  if (!success) return undefined;
  const { durationMs, billedDurationMs, maxMemoryUsedMB, initDurationMs } = output.record.metrics;
  return makeReport(durationMs, billedDurationMs, maxMemoryUsedMB, initDurationMs);
}

function fromText(line: string): Report | undefined {
  if (!line.startsWith('REPORT RequestId: ')) return undefined;
  const read = (name: string, unit: string) => {
    const [, number] = line.match(new RegExp(`\\t${name}: ([\\d.]+) ${unit}(?=\\t|\\s*$)`)) ?? [];
    return number === undefined ? undefined : Number(number);
  };
  const [duration, billed] = [read('Duration', 'ms'), read('Billed Duration', 'ms')];
  const memory = read('Max Memory Used', 'MB');
  if (duration === undefined || billed === undefined || memory === undefined) return undefined;
  return makeReport(duration, billed, memory, read('Init Duration', 'ms'));
}

function makeReport(durationMs: number, billedMs: number, memoryMb: number, initMs?: number): Report {
  return { durationMs, billedMs, memoryMb, ...(initMs !== undefined && { initMs }) };
}

/** A report as a line for people. */
export function describeReport(report: Report | undefined): string {
  if (!report) return 'Lambda reported no duration (its system log level is above INFO)';
  const { durationMs, billedMs, memoryMb, initMs } = report;
  const init = initMs === undefined ? '' : `, cold start with an init of ${initMs} ms`;
  return `Lambda: ${durationMs} ms, billed ${billedMs} ms, memory ${memoryMb} MB${init}`;
}
