import { Annotations, RemovalPolicy, Token } from 'aws-cdk-lib';
import { DomainName, type HttpApi, type HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Distribution } from 'aws-cdk-lib/aws-cloudfront';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { Builder } from './builder-function.ts';
import { addRecords, makeApi, makeDistribution, makeStage } from './http-endpoint.ts';
import { addAlarms, addDashboard, type EndpointMetrics, endpointMetrics } from './monitoring.ts';
import { builderCode } from './packaging.ts';
import { generatedName, readProps, type SemanticSearchProps } from './props.ts';
import { readsElsewhere, type Settings } from './schema.ts';
import { makeAlias, makeSearchFunction } from './search-function.ts';
import {
  DOCUMENTS_FOLDER,
  type DocumentsPlace,
  makeDataBucket,
  parseDocuments,
  VectorStore,
} from './storage.ts';

/** Dollars a month for a GB of a started instance, of 730 hours: https://aws.amazon.com/lambda/pricing/, 2026-05. */
const STARTED_GIGABYTE = { x86_64: 10.95, arm64: 8.76 };

/**
 * A search endpoint: a Lambda function that contains the model and by default the index, behind an HTTP API, with logs, and on request
 * with alarms and a dashboard. With `documents`, another function builds the index.
 *
 * ```ts
 * const search = new SemanticSearch(this, 'Search', { auth: 'iam' });
 * search.grantInvokeUrl(role);
 * new CfnOutput(this, 'Url', { value: search.url });
 * ```
 */
export class SemanticSearch extends Construct {
  /** The function. Invoke `live` instead, as `$LATEST` may be in the middle of an update. */
  readonly function: lambda.Function;
  /** The alias that the API invokes. `npx polyseek push` and `rollback` move it. */
  readonly live: lambda.Alias;
  readonly logGroup: LogGroup;
  readonly api: HttpApi;
  readonly stage: HttpStage;
  /** With `distribution`: CloudFront's distribution in front of `api`. */
  readonly distribution: Distribution | undefined;
  /** Address of the endpoint, without a final slash: `domainName`, the distribution or the API. */
  readonly url: string;
  /** With `documents` or `store: 's3vectors'`: the bucket of this construct. */
  readonly bucket: Bucket | undefined;
  /** With `store: 's3vectors'`: the index in S3 Vectors. */
  readonly vectorStore: VectorStore | undefined;
  /** With `documents`: what builds the index. */
  readonly builder: Builder | undefined;
  readonly #metrics: EndpointMetrics;

  /**
   * Packages the index only where CDK needs the code, so that `cdk ls` and `cdk destroy` work without index, key and compiler. If
   * packaging fails, the stack can be compared, and deploying it fails with the reason.
   * @throws one sentence for each wrong prop, or if the packaged function would not run in Lambda
   */
  constructor(scope: Construct, id: string, props: SemanticSearchProps = {}) {
    super(scope, id);
    const given = readProps(props);
    // Other resources are named after the function.
    const name = given.functionName ?? (readsElsewhere(given) ? generatedName(this) : undefined);
    const settings = { ...given, functionName: name };
    const { removalPolicy = RemovalPolicy.DESTROY, apiProps, certificate } = props;
    const { functionName, logRetention: retention, domainName, distribution } = settings;
    this.logGroup = new LogGroup(this, 'Log', {
      ...(functionName && { logGroupName: `/aws/lambda/${functionName}` }),
      retention,
      removalPolicy,
    });
    this.bucket = readsElsewhere(settings) ? makeDataBucket(this, functionName!, settings) : undefined;
    this.vectorStore =
      this.bucket && settings.store === 's3vectors' ? new VectorStore(this, 'Store', this.bucket) : undefined;
    this.function = makeSearchFunction(this, settings, props, this.logGroup, this.vectorStore);
    this.live = makeAlias(this, this.function, settings);
    this.builder = this.makeBuilder(settings, props, removalPolicy);
    this.api = makeApi(this, this.live, settings, apiProps);
    // With a distribution, the domain name belongs to the distribution.
    const domain =
      domainName && certificate && !distribution
        ? new DomainName(this, 'DomainName', { domainName, certificate })
        : undefined;
    this.stage = makeStage(this, this.api, settings, removalPolicy, domain);
    this.distribution = distribution ? makeDistribution(this, this.api, settings, props) : undefined;
    const target = this.distribution ?? domain;
    if (domainName && props.hostedZone && target) addRecords(this, domainName, props.hostedZone, target);
    const host = domainName ?? this.distribution?.distributionDomainName;
    this.url = host ? `https://${host}` : this.stage.url.replace(/\/$/, '');
    this.#metrics = endpointMetrics(this.function, this.api);
    if (settings.alarmEmail)
      addAlarms(this, this.#metrics, settings, settings.alarmEmail, this.builder?.metrics);
    if (settings.dashboard) addDashboard(this, this.#metrics, this.builder?.metrics);
    this.warnOfCosts(settings);
  }

  /** Allows an identity to invoke the function directly, bypassing the HTTP endpoint. The identity needs no API key. */
  grantInvoke(grantee: IGrantable): Grant {
    return this.live.grantInvoke(grantee);
  }

  /** Allows an AWS identity to call the endpoint with signed requests, for `auth: 'iam'`. */
  grantInvokeUrl(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({
      grantee,
      actions: ['execute-api:Invoke'],
      resourceArns: [this.api.arnForExecuteApi()],
    });
  }

  /** Number of questions. Default: the sum over 5 minutes, as for all counts. */
  metricQuestions = (options?: MetricOptions): Metric => this.#metrics.questions(options);

  /** Number of questions without an answer (verdict `none`). */
  metricUnanswered = (options?: MetricOptions): Metric => this.#metrics.unanswered(options);

  /** Number of questions without a sure answer (verdict `possible`). */
  metricPossible = (options?: MetricOptions): Metric => this.#metrics.possible(options);

  /** Number of cold starts. Other statistics describe the milliseconds until the index was open. */
  metricColdStarts = (options?: MetricOptions): Metric => this.#metrics.coldStarts(options);

  /** Number of invocations that failed. */
  metricErrors = (options?: MetricOptions): Metric => this.#metrics.errors(options);

  /** Milliseconds from a request's arrival at the API to its answer. Default: the average over 5 minutes. */
  metricLatency = (options?: MetricOptions): Metric => this.#metrics.latency(options);

  private makeBuilder(
    settings: Settings,
    { documents }: SemanticSearchProps,
    removalPolicy: RemovalPolicy,
  ): Builder | undefined {
    const { bucket, vectorStore, function: search } = this;
    if (!settings.documents || !bucket) return undefined;
    const own = { bucketName: bucket.bucketName, prefix: DOCUMENTS_FOLDER.replace('/', '') };
    const place: DocumentsPlace = settings.documents === true ? own : parseDocuments(settings.documents);
    const builder = new Builder(this, 'Builder', {
      settings,
      code: builderCode(this, settings),
      functionName: settings.functionName!,
      search,
      documents: place,
      bucket,
      store: vectorStore,
      removalPolicy,
    });
    if (typeof documents === 'object') documents.bucket.encryptionKey?.grantDecrypt(builder.function);
    if (settings.documents !== true)
      Annotations.of(this).addInfoV2(
        'polyseek:bucket-events',
        `documents: the bucket${Token.isUnresolved(place.bucketName) ? '' : ` ${place.bucketName}`} must send its events to EventBridge. ` +
          'Turn on Amazon EventBridge in the properties of the bucket, once. npx polyseek doctor checks it.',
      );
    return builder;
  }

  /** Says what an open endpoint and started instances may cost. */
  private warnOfCosts(settings: Settings): void {
    const { auth, throttleRate, browserThrottleRate, reservedConcurrency, provisionedConcurrency } = settings;
    if (auth === 'none') {
      const instances =
        reservedConcurrency === 'none' ? '' : `, with at most ${reservedConcurrency} instances`;
      Annotations.of(this).addWarningV2(
        'polyseek:open-endpoint',
        `auth is none: everyone can call the endpoint, up to ${throttleRate + browserThrottleRate} times a second${instances}. ` +
          'Use -c auth=api-key to require an API key.',
      );
    }
    if (!provisionedConcurrency) return;
    const { memorySize, architecture } = settings;
    const cost = provisionedConcurrency * (memorySize / 1024) * STARTED_GIGABYTE[architecture];
    Annotations.of(this).addInfoV2(
      'polyseek:provisioned-concurrency',
      `provisionedConcurrency is ${provisionedConcurrency}: instances that are always started cost ` +
        `$${cost.toFixed(2)} a month (list price in us-east-1), in addition to their requests.`,
    );
  }
}
