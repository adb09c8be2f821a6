import { Duration } from 'aws-cdk-lib';
import type { IHttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';

export const PERIOD = Duration.minutes(5);

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

  /** The builder writes `BuildFailed` at the end of every build, 0 or 1 (functions/builder/metrics.ts). */
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
