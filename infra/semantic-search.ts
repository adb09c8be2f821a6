import { Annotations, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { DomainName, type HttpApi, type HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Distribution } from 'aws-cdk-lib/aws-cloudfront';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import {
  Grant,
  type IGrantable,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type BundleSpace, describeBundle, isNearlyFull } from '../index/bundle-space.ts';
import { addRecords } from './alias-records.ts';
import { makeApi, makeStage } from './api.ts';
import { checkAsset, requireIndex } from './asset.ts';
import { openEndpointCost, provisionedCost } from './cost.ts';
import { makeDistribution } from './distribution.ts';
import { environmentOf } from './environment.ts';
import { EndpointMetrics } from './metrics.ts';
import { addAlarms } from './monitoring.ts';
import { packageIndex } from './package-index.ts';
import { readProps, type SemanticSearchProps } from './props.ts';
import { requireApiKey, type Settings } from './schema.ts';
import { UnpackagedCode } from './unpackaged-code.ts';
import { describeVersion } from './version-description.ts';

/** Code of the function, and the description of the version that runs it. */
interface PackagedCode {
  code: lambda.Code;
  description: string;
}

const unpackaged = (reason: string): PackagedCode => ({
  code: new UnpackagedCode(reason),
  description: 'not packaged',
});

/** What a function in a VPC needs to create its network interfaces. None of these actions can be limited to a resource. */
const NETWORK_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * A search endpoint: a Lambda function that contains index and model, behind an HTTP API, with logs, alarms and a dashboard.
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
  /** The log of the function. */
  readonly logGroup: LogGroup;
  readonly api: HttpApi;
  readonly stage: HttpStage;
  /** With `distribution`: CloudFront's distribution in front of `api`. */
  readonly distribution: Distribution | undefined;
  /** Address of the endpoint, without a final slash: `domainName`, the distribution or the API. */
  readonly url: string;
  readonly #metrics: EndpointMetrics;

  /**
   * Packages the index only where CDK needs the code, so that `cdk ls` and `cdk destroy` work without index, key and compiler. If
   * packaging fails, the stack can be compared, and deploying it fails with the reason.
   * @throws one sentence for each wrong prop, or if the packaged function would not run in Lambda
   */
  constructor(scope: Construct, id: string, props: SemanticSearchProps = {}) {
    super(scope, id);
    const settings = readProps(props);
    const { removalPolicy = RemovalPolicy.DESTROY, apiProps } = props;
    const { functionName, logRetention: retention, domainName, provisionedConcurrency } = settings;
    this.logGroup = new LogGroup(this, 'Log', {
      ...(functionName && { logGroupName: `/aws/lambda/${functionName}` }),
      retention,
      removalPolicy,
    });
    this.function = this.makeFunction(settings, props);
    this.live = new lambda.Alias(this, 'Live', {
      aliasName: 'live',
      version: this.function.currentVersion,
      ...(provisionedConcurrency && { provisionedConcurrentExecutions: provisionedConcurrency }),
    });
    this.api = makeApi(this, this.live, settings, apiProps);
    const domain = this.makeDomain(settings, props);
    this.stage = makeStage(this, this.api, settings, removalPolicy, domain);
    this.distribution = settings.distribution ? makeDistribution(this, this.api, settings, props) : undefined;
    if (domainName && props.hostedZone)
      addRecords(this, domainName, props.hostedZone, this.distribution ?? domain);
    this.url = this.distribution
      ? `https://${domainName ?? this.distribution.distributionDomainName}`
      : domainName
        ? `https://${domainName}`
        : this.stage.url.replace(/\/$/, '');
    this.#metrics = new EndpointMetrics(this.function, this.api);
    addAlarms(this, this.#metrics, settings);
    this.annotateCosts(settings);
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
  metricQuestions(options?: MetricOptions): Metric {
    return this.#metrics.questions(options);
  }

  /** Number of questions without an answer (verdict `none`). */
  metricUnanswered(options?: MetricOptions): Metric {
    return this.#metrics.unanswered(options);
  }

  /** Number of questions without a sure answer (verdict `possible`). */
  metricPossible(options?: MetricOptions): Metric {
    return this.#metrics.possible(options);
  }

  /** Number of cold starts. Other statistics describe the milliseconds until the index was open. */
  metricColdStarts(options?: MetricOptions): Metric {
    return this.#metrics.coldStarts(options);
  }

  /** Number of invocations that failed. */
  metricErrors(options?: MetricOptions): Metric {
    return this.#metrics.errors(options);
  }

  /** Milliseconds from a request's arrival at the API to its answer. Default: the average over 5 minutes. */
  metricLatency(options?: MetricOptions): Metric {
    return this.#metrics.latency(options);
  }

  private makeCode(settings: Settings): PackagedCode {
    if (!Stack.of(this).bundlingRequired) return unpackaged('This command packages no code.');
    let folder: string;
    try {
      requireApiKey(settings);
      folder = settings.code ?? packageIndex(settings);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const warning = `${reason} Until then, cdk diff shows the code as changed, and cdk deploy fails.`;
      Annotations.of(this).addWarningV2('polyseek:not-packaged', warning);
      return unpackaged(reason);
    }
    const asset = checkAsset(folder, settings.architecture);
    const index = requireIndex(folder, asset);
    if (asset.space) this.annotateSpace(asset.space);
    return { code: lambda.Code.fromAsset(folder), description: describeVersion(index) };
  }

  private makeFunction(settings: Settings, props: SemanticSearchProps): lambda.Function {
    const { functionName, memorySize, timeout, reservedConcurrency } = settings;
    const { vpc, vpcSubnets, securityGroups, functionProps } = props;
    const { code, description } = this.makeCode(settings);
    return new lambda.Function(this, 'Function', {
      functionName,
      description: 'Semantic search (polyseek)',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture:
        settings.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
      handler: 'lambda.handler',
      code,
      memorySize,
      timeout: Duration.seconds(timeout),
      reservedConcurrentExecutions: reservedConcurrency === 'none' ? undefined : reservedConcurrency,
      vpc,
      vpcSubnets,
      securityGroups,
      role: this.makeRole(vpc !== undefined),
      logGroup: this.logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      ...functionProps,
      environment: { ...environmentOf(settings), ...functionProps?.environment },
      currentVersionOptions: {
        description,
        // Old versions stay for `npx polyseek rollback`. Deleting the function deletes them.
        removalPolicy: RemovalPolicy.RETAIN,
        ...functionProps?.currentVersionOptions,
      },
    });
  }

  private makeRole(inVpc: boolean): Role {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Lets the search function write its log${inVpc ? ' and join its network' : ''}, and nothing else.`,
      inlinePolicies: {
        log: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [this.logGroup.logGroupArn],
            }),
          ],
        }),
        ...(inVpc && {
          network: new PolicyDocument({
            statements: [new PolicyStatement({ actions: NETWORK_ACTIONS, resources: ['*'] })],
          }),
        }),
      },
    });
    if (inVpc)
      Validations.of(role).acknowledge({
        id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
        reason:
          'Lambda needs these actions for the network interfaces of the function, which have no names yet.',
      });
    return role;
  }

  /** The domain name of the API. With a distribution, the name belongs to the distribution. */
  private makeDomain(
    { domainName, distribution }: Settings,
    { certificate }: SemanticSearchProps,
  ): DomainName | undefined {
    if (!domainName || !certificate || distribution) return undefined;
    return new DomainName(this, 'DomainName', { domainName, certificate });
  }

  private annotateSpace(space: BundleSpace): void {
    const text = describeBundle(space);
    if (isNearlyFull(space)) Annotations.of(this).addWarningV2('polyseek:bundle-nearly-full', text);
    else Annotations.of(this).addInfoV2('polyseek:bundle', text);
  }

  private annotateCosts(settings: Settings): void {
    const {
      auth,
      architecture,
      memorySize,
      reservedConcurrency: instances,
      provisionedConcurrency,
    } = settings;
    if (auth === 'none') {
      const rate = settings.throttleRate + settings.browserThrottleRate;
      const cost = openEndpointCost({
        ratePerSecond: rate,
        reservedConcurrency: instances,
        memoryMb: memorySize,
        architecture,
      });
      Annotations.of(this).addWarningV2(
        'polyseek:open-endpoint',
        `auth is none: everyone can call the endpoint. At ${rate} questions per second, day and night, ` +
          `${instances === 'none' ? '' : `with at most ${instances} instances of the function, `}it costs up to ` +
          `$${Math.ceil(cost)} a month. Use -c auth=api-key to require an API key.`,
      );
    }
    if (provisionedConcurrency) {
      const cost = provisionedCost(provisionedConcurrency, memorySize, architecture);
      Annotations.of(this).addInfoV2(
        'polyseek:provisioned-concurrency',
        `provisionedConcurrency is ${provisionedConcurrency}: instances that are always started cost ` +
          `$${cost.toFixed(2)} a month (list price in us-east-1), in addition to their requests.`,
      );
    }
  }
}
