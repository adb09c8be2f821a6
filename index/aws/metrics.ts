/** A metric of CloudWatch. Each costs money, so there are few. */
export interface Metric {
  unit: 'Count' | 'Seconds' | 'Milliseconds';
  value: number;
}

/**
 * Adds metrics to a log entry in CloudWatch's embedded metric format.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 * @param functionName the dimension of all metrics
 * @param metrics by their names
 * @param timestamp milliseconds since 1970
 * @returns the entry itself if there are no metrics
 */
export function withMetrics(
  entry: object,
  functionName: string,
  metrics: Record<string, Metric>,
  timestamp: number,
): object {
  const all = Object.entries(metrics);
  if (all.length === 0) return entry;
  return {
    ...entry,
    function: functionName,
    ...Object.fromEntries(all.map(([name, { value }]) => [name, value])),
    _aws: {
      Timestamp: timestamp,
      CloudWatchMetrics: [
        {
          Namespace: 'polyseek',
          Dimensions: [['function']],
          Metrics: all.map(([Name, { unit }]) => ({ Name, Unit: unit })),
        },
      ],
    },
  };
}
