import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Settings } from './props.ts';

const period = Duration.minutes(5);

/** Adds the dashboard and the alarms. Alarms are sent to `alarmEmail` if it is set. */
export function addAlarms(
  scope: Construct,
  fn: LambdaFunction,
  api: HttpApi,
  { alarmEmail, timeout }: Settings,
): void {
  const errors = fn.metricErrors({ period });
  const throttles = fn.metricThrottles({ period });
  const slowest = fn.metricDuration({ period, statistic: Stats.p(99) });
  const failures = api.metricServerError({ period });

  const alarms = [
    alarm(scope, 'Errors', errors, 1, 'The search function failed. The cause is in its log.'),
    alarm(
      scope,
      'Throttles',
      throttles,
      1,
      'Requests were rejected because all allowed instances of the function were busy.',
    ),
    alarm(
      scope,
      'Slow',
      slowest,
      (timeout * 1000) / 2,
      'The slowest 1 % of requests took at least half of the timeout.',
    ),
    alarm(scope, 'ServerErrors', failures, 1, 'The endpoint returned a status of 500 or above.'),
  ];
  if (alarmEmail) {
    const topic = new Topic(scope, 'Alarms', { enforceSSL: true });
    topic.addSubscription(new EmailSubscription(alarmEmail));
    for (const one of alarms) one.addAlarmAction(new SnsAction(topic));
  }

  /** A metric that the function writes into its log (functions/search/cloudwatch.ts). */
  const own = (metricName: string, statistic: string, label: string) =>
    new Metric({
      namespace: 'polyseek',
      metricName,
      dimensionsMap: { function: fn.functionName },
      statistic,
      label,
      period,
    });
  const latency = (statistic: string) =>
    api.metricLatency({ period, statistic, label: `endpoint ${statistic}` });
  const duration = (statistic: string) =>
    fn.metricDuration({ period, statistic, label: `function ${statistic}` });

  new Dashboard(scope, 'Dashboard', {
    widgets: [
      [
        graph('Traffic', [
          api.metricCount({ period, label: 'requests' }),
          api.metricClientError({ period, label: '4xx' }),
          api.metricServerError({ period, label: '5xx' }),
          fn.metricThrottles({ period, label: 'throttled' }),
        ]),
        graph('Latency, ms', [...['p50', 'p99'].map(latency), ...['p50', 'p99'].map(duration)]),
      ],
      [
        graph(
          'Cold starts',
          [own('ColdStart', Stats.SAMPLE_COUNT, 'cold starts')],
          [own('ColdStart', Stats.p(50), 'ms until the index is open, p50')],
        ),
        graph(
          'Questions without a sure answer',
          [own('Possible', Stats.SUM, 'possible'), own('Unanswered', Stats.SUM, 'none')],
          [own('Possible', Stats.AVERAGE, 'share possible'), own('Unanswered', Stats.AVERAGE, 'share none')],
        ),
      ],
    ],
  });
}

function alarm(
  scope: Construct,
  name: string,
  metric: IMetric,
  threshold: number,
  alarmDescription: string,
): Alarm {
  return new Alarm(scope, `${name}Alarm`, {
    metric,
    threshold,
    alarmDescription,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: 1,
    // No traffic is not a fault.
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, width: 12, leftYAxis: { min: 0 }, rightYAxis: { min: 0 } });
}
