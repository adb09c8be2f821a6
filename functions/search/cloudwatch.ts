import type { LogEntry } from './log.ts';

/**
 * Adds metrics to a log entry in CloudWatch's embedded metric format: `Possible` and `Unanswered` (0 or 1) for the verdicts
 * `possible` and `none` of each search, and `ColdStart` if given. Each metric costs money, so there are no others.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 * @param coldStart milliseconds from the start of the process until the index was open; for a process's first entry only
 * @returns the entry itself if it has no metrics
 */
export function withMetrics(entry: LogEntry, functionName: string, coldStart?: number): object {
  const metrics: { Name: string; Unit: string; value: number }[] = [];
  if (coldStart !== undefined) metrics.push({ Name: 'ColdStart', Unit: 'Milliseconds', value: coldStart });
  if (entry.verdict !== undefined) {
    const counted = { Possible: 'possible', Unanswered: 'none' };
    for (const [Name, verdict] of Object.entries(counted)) {
      metrics.push({ Name, Unit: 'Count', value: entry.verdict === verdict ? 1 : 0 });
    }
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
