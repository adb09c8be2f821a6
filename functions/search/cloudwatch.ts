import type { LogEntry } from './log.ts';

/**
 * A log entry from which CloudWatch takes metrics (embedded metric format), or the entry itself where it has none:
 * `Unanswered` (0 or 1) for each search, and `ColdStart` where it is given. Each metric costs, so there are no others.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 * @param coldStart milliseconds from the start of the process until the index was open, for a process's first entry
 */
export function withMetrics(entry: LogEntry, functionName: string, coldStart?: number): object {
  const metrics: { Name: string; Unit: string; value: number }[] = [];
  if (coldStart !== undefined) metrics.push({ Name: 'ColdStart', Unit: 'Milliseconds', value: coldStart });
  if (entry.answered !== undefined) {
    metrics.push({ Name: 'Unanswered', Unit: 'Count', value: entry.answered ? 0 : 1 });
  }
  if (metrics.length === 0) return entry;
  return {
    ...entry,
    function: functionName,
    ...Object.fromEntries(metrics.map(({ Name, value }) => [Name, value])),
    _aws: {
      Timestamp: Date.parse(entry.timestamp),
      CloudWatchMetrics: [
        {
          Namespace: 'polyseek',
          Dimensions: [['function']],
          Metrics: metrics.map(({ Name, Unit }) => ({ Name, Unit })),
        },
      ],
    },
  };
}
