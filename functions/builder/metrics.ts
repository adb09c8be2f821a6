import type { BuildRecord } from './builds.ts';

/**
 * Adds metrics to a log entry in CloudWatch's embedded metric format, like functions/search/log.ts: `BuildFailed` (1 or 0),
 * `BuildSeconds`, and `BuildPassages` of a build that succeeded.
 * @param functionName name of the builder
 */
export function withBuildMetrics(record: BuildRecord, functionName: string, now: Date): object {
  const metrics: { Name: string; Unit: string; value: number }[] = [
    { Name: 'BuildFailed', Unit: 'Count', value: record.status === 'failed' ? 1 : 0 },
    { Name: 'BuildSeconds', Unit: 'Seconds', value: (now.getTime() - Date.parse(record.started)) / 1000 },
  ];
  if (record.status !== 'failed' && record.passages !== undefined)
    metrics.push({ Name: 'BuildPassages', Unit: 'Count', value: record.passages });
  return {
    function: functionName,
    ...Object.fromEntries(metrics.map(({ Name, value }) => [Name, value])),
    _aws: {
      Timestamp: now.getTime(),
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
