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
export class EndpointMetrics {
  readonly #fn: IFunction;
  readonly #api: IHttpApi;

  constructor(fn: IFunction, api: IHttpApi) {
    this.#fn = fn;
    this.#api = api;
  }

  /** The function writes `Unanswered` for every search, 0 or 1. */
  questions = (options?: MetricOptions) =>
    ownMetric(this.#fn, 'Unanswered', { statistic: Stats.SAMPLE_COUNT, label: 'questions', ...options });
  unanswered = (options?: MetricOptions) =>
    ownMetric(this.#fn, 'Unanswered', { statistic: Stats.SUM, label: 'no answer', ...options });
  possible = (options?: MetricOptions) =>
    ownMetric(this.#fn, 'Possible', { statistic: Stats.SUM, label: 'no sure answer', ...options });
  coldStarts = (options?: MetricOptions) =>
    ownMetric(this.#fn, 'ColdStart', { statistic: Stats.SAMPLE_COUNT, label: 'cold starts', ...options });
  errors = (options?: MetricOptions) => this.#fn.metricErrors({ period: PERIOD, ...options });
  throttles = (options?: MetricOptions) => this.#fn.metricThrottles({ period: PERIOD, ...options });
  duration = (options?: MetricOptions) => this.#fn.metricDuration({ period: PERIOD, ...options });
  requests = (options?: MetricOptions) => this.#api.metricCount({ period: PERIOD, ...options });
  clientErrors = (options?: MetricOptions) => this.#api.metricClientError({ period: PERIOD, ...options });
  serverErrors = (options?: MetricOptions) => this.#api.metricServerError({ period: PERIOD, ...options });
  latency = (options?: MetricOptions) => this.#api.metricLatency({ period: PERIOD, ...options });
}

/** Metrics of a builder, each a sum or average over 5 minutes by default. */
export class BuildMetrics {
  readonly #builder: IFunction;
  readonly #queue: IQueue;
  readonly #failed: IQueue;

  /** @param failed the dead-letter queue of `queue` */
  constructor(builder: IFunction, queue: IQueue, failed: IQueue) {
    this.#builder = builder;
    this.#queue = queue;
    this.#failed = failed;
  }

  /** The builder writes `BuildFailed` at the end of every build, 0 or 1 (functions/builder/builds.ts). */
  failed = (options?: MetricOptions) =>
    ownMetric(this.#builder, 'BuildFailed', { statistic: Stats.SUM, ...options });
  runs = (options?: MetricOptions) => this.#builder.metricInvocations({ period: PERIOD, ...options });
  errors = (options?: MetricOptions) => this.#builder.metricErrors({ period: PERIOD, ...options });
  duration = (options?: MetricOptions) => this.#builder.metricDuration({ period: PERIOD, ...options });
  /** Changes that no build has indexed after several tries. */
  deadLetters = (options?: MetricOptions) =>
    this.#failed.metricApproximateNumberOfMessagesVisible({ period: PERIOD, ...options });
  /** Seconds that the oldest change has waited for a build. SQS leaves out messages that it has delivered three times. */
  oldestMessage = (options?: MetricOptions) =>
    this.#queue.metricApproximateAgeOfOldestMessage({ period: PERIOD, ...options });
}

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
