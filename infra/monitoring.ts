import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { BuildMetrics, EndpointMetrics } from './metrics.ts';
import type { Settings } from './schema.ts';

/** How long changes may wait for a build to start. Builds that fail raise other alarms: SQS leaves their changes out of the age. */
const MAX_WAIT = Duration.hours(1);

/** Adds alarms that are sent to an e-mail address. */
export function addAlarms(
  scope: Construct,
  metrics: EndpointMetrics,
  { timeout }: Settings,
  alarmEmail: string,
  builds?: BuildMetrics,
): void {
  const slowest = metrics.duration({ statistic: Stats.p(99) });
  const alarms = [
    alarm(scope, 'Errors', metrics.errors(), 1, 'The search function failed. The cause is in its log.'),
    alarm(
      scope,
      'Throttles',
      metrics.throttles(),
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
    alarm(
      scope,
      'ServerErrors',
      metrics.serverErrors(),
      1,
      'The endpoint returned a status of 500 or above.',
    ),
    ...(builds ? buildAlarms(scope, builds) : []),
  ];
  const topic = new Topic(scope, 'Alarms', { enforceSSL: true });
  // The policy of enforceSSL replaces AWS's own, which lets CloudWatch of this account publish.
  const conditions = { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } };
  topic.grantPublish(new ServicePrincipal('cloudwatch.amazonaws.com', { conditions }));
  topic.addSubscription(new EmailSubscription(alarmEmail));
  for (const one of alarms) one.addAlarmAction(new SnsAction(topic));
}

/** Adds a dashboard of the endpoint and its builds. */
export function addDashboard(scope: Construct, metrics: EndpointMetrics, builds?: BuildMetrics): void {
  const latency = (statistic: string) => metrics.latency({ statistic, label: `endpoint ${statistic}` });
  const duration = (statistic: string) => metrics.duration({ statistic, label: `function ${statistic}` });
  new Dashboard(scope, 'Dashboard', {
    widgets: [
      [
        graph('Traffic', [
          metrics.requests({ label: 'requests' }),
          metrics.clientErrors({ label: '4xx' }),
          metrics.serverErrors({ label: '5xx' }),
          metrics.throttles({ label: 'throttled' }),
        ]),
        graph('Latency, ms', [...['p50', 'p99'].map(latency), ...['p50', 'p99'].map(duration)]),
      ],
      [
        graph(
          'Cold starts',
          [metrics.coldStarts()],
          [metrics.coldStarts({ statistic: Stats.p(50), label: 'ms until the index is open, p50' })],
        ),
        graph(
          'Questions without a sure answer',
          [metrics.possible({ label: 'possible' }), metrics.unanswered({ label: 'none' })],
          [
            metrics.possible({ statistic: Stats.AVERAGE, label: 'share possible' }),
            metrics.unanswered({ statistic: Stats.AVERAGE, label: 'share none' }),
          ],
        ),
      ],
      ...(builds ? [buildGraphs(builds)] : []),
    ],
  });
}

function buildAlarms(scope: Construct, builds: BuildMetrics): Alarm[] {
  return [
    alarm(
      scope,
      'BuildFailed',
      builds.failed(),
      1,
      'A build failed, so the old index stays live. npx polyseek remote builds shows why.',
    ),
    alarm(
      scope,
      'BuilderErrors',
      builds.errors(),
      1,
      'A run of the builder failed, or Lambda stopped it, for example for lack of memory. The cause is in its log.',
    ),
    alarm(
      scope,
      'Waiting',
      builds.oldestMessage(),
      MAX_WAIT.toSeconds(),
      'Changes of documents have waited for an hour. npx polyseek remote builds shows why.',
    ),
    alarm(
      scope,
      'DeadLetters',
      builds.deadLetters(),
      1,
      'Changes of documents started five builds, and none of them indexed the changes. The next build includes them. npx polyseek remote builds shows why.',
    ),
  ];
}

function buildGraphs(builds: BuildMetrics): GraphWidget[] {
  return [
    graph(
      'Builds',
      [
        builds.runs({ label: 'runs of the builder' }),
        builds.failed({ label: 'failed builds' }),
        builds.errors({ label: 'stopped' }),
      ],
      [builds.duration({ statistic: Stats.MAXIMUM, label: 'longest run, ms' })],
    ),
    graph('Changes that wait', [builds.oldestMessage({ label: 'oldest, seconds' })]),
  ];
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
