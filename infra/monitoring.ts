import { Duration, Stack } from 'aws-cdk-lib';
import type { IHttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  type MetricOptions,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { Settings } from './schema.ts';

const PERIOD = Duration.minutes(5);

/** A metric that a function writes into its log. */
const ownMetric = (fn: IFunction, metricName: string, options: MetricOptions) =>
  new Metric({
    namespace: 'polyseek',
    metricName,
    dimensionsMap: { function: fn.functionName },
    period: PERIOD,
    ...options,
  });

/** Metrics of an endpoint, each a sum or average over 5 minutes by default. */
export function endpointMetrics(fn: IFunction, api: IHttpApi) {
  const own = (name: string, defaults: MetricOptions) => (options?: MetricOptions) =>
    ownMetric(fn, name, { ...defaults, ...options });
  return {
    /** The function writes `Unanswered` for every search, 0 or 1. */
    questions: own('Unanswered', { statistic: Stats.SAMPLE_COUNT, label: 'questions' }),
    unanswered: own('Unanswered', { statistic: Stats.SUM, label: 'no answer' }),
    possible: own('Possible', { statistic: Stats.SUM, label: 'no sure answer' }),
    coldStarts: own('ColdStart', { statistic: Stats.SAMPLE_COUNT, label: 'cold starts' }),
    errors: (options?: MetricOptions) => fn.metricErrors({ period: PERIOD, ...options }),
    throttles: (options?: MetricOptions) => fn.metricThrottles({ period: PERIOD, ...options }),
    duration: (options?: MetricOptions) => fn.metricDuration({ period: PERIOD, ...options }),
    requests: (options?: MetricOptions) => api.metricCount({ period: PERIOD, ...options }),
    clientErrors: (options?: MetricOptions) => api.metricClientError({ period: PERIOD, ...options }),
    serverErrors: (options?: MetricOptions) => api.metricServerError({ period: PERIOD, ...options }),
    latency: (options?: MetricOptions) => api.metricLatency({ period: PERIOD, ...options }),
  };
}

export type EndpointMetrics = ReturnType<typeof endpointMetrics>;

/**
 * Metrics of a builder, each a sum or average over 5 minutes by default.
 * @param deadLetters the dead-letter queue of `queue`
 */
export function buildMetrics(builder: IFunction, queue: IQueue, deadLetters: IQueue) {
  return {
    /** The builder writes `BuildFailed` at the end of every build, 0 or 1 (functions/builder/builds.ts). */
    failed: (options?: MetricOptions) =>
      ownMetric(builder, 'BuildFailed', { statistic: Stats.SUM, ...options }),
    runs: (options?: MetricOptions) => builder.metricInvocations({ period: PERIOD, ...options }),
    errors: (options?: MetricOptions) => builder.metricErrors({ period: PERIOD, ...options }),
    duration: (options?: MetricOptions) => builder.metricDuration({ period: PERIOD, ...options }),
    /** Changes that no build has indexed after several tries. */
    deadLetters: (options?: MetricOptions) =>
      deadLetters.metricApproximateNumberOfMessagesVisible({ period: PERIOD, ...options }),
    /** Seconds that the oldest change has waited for a build. SQS leaves out messages that it has delivered three times. */
    oldestMessage: (options?: MetricOptions) =>
      queue.metricApproximateAgeOfOldestMessage({ period: PERIOD, ...options }),
  };
}

export type BuildMetrics = ReturnType<typeof buildMetrics>;

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
  const alarms: [name: string, metric: IMetric, description: string, threshold?: number][] = [
    ['Errors', metrics.errors(), 'The search function failed. The cause is in its log.'],
    [
      'Throttles',
      metrics.throttles(),
      'Requests were rejected because all allowed instances of the function were busy.',
    ],
    [
      'Slow',
      metrics.duration({ statistic: Stats.p(99) }),
      'The slowest 1 % of requests took at least half of the timeout.',
      (timeout * 1000) / 2,
    ],
    ['ServerErrors', metrics.serverErrors(), 'The endpoint returned a status of 500 or above.'],
  ];
  if (builds)
    alarms.push(
      [
        'BuildFailed',
        builds.failed(),
        'A build failed, so the old index stays live. npx polyseek remote builds shows why.',
      ],
      [
        'BuilderErrors',
        builds.errors(),
        'A run of the builder failed, or Lambda stopped it, for example for lack of memory. The cause is in its log.',
      ],
      [
        'Waiting',
        builds.oldestMessage(),
        'Changes of documents have waited for an hour. npx polyseek remote builds shows why.',
        MAX_WAIT.toSeconds(),
      ],
      [
        'DeadLetters',
        builds.deadLetters(),
        'Changes of documents started five builds, and none of them indexed the changes. The next build includes them. npx polyseek remote builds shows why.',
      ],
    );
  const added = alarms.map(
    ([name, metric, alarmDescription, threshold = 1]) =>
      new Alarm(scope, `${name}Alarm`, {
        metric,
        threshold,
        alarmDescription,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: 1,
        // No traffic is not a fault.
        treatMissingData: TreatMissingData.NOT_BREACHING,
      }),
  );
  const topic = new Topic(scope, 'Alarms', { enforceSSL: true });
  // The policy of enforceSSL replaces AWS's own, which lets CloudWatch of this account publish.
  const conditions = { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } };
  topic.grantPublish(new ServicePrincipal('cloudwatch.amazonaws.com', { conditions }));
  topic.addSubscription(new EmailSubscription(alarmEmail));
  for (const one of added) one.addAlarmAction(new SnsAction(topic));
}

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
      ...(builds
        ? [
            [
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
            ],
          ]
        : []),
    ],
  });
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, width: 12, leftYAxis: { min: 0 }, rightYAxis: { min: 0 } });
}
