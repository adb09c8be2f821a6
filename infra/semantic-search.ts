import { Annotations, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  CorsHttpMethod,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { CORS } from '../functions/search/cors.ts';
import { checkAsset } from './asset.ts';
import { openEndpointCost } from './cost.ts';
import { watch } from './monitoring.ts';
import { readProps, type SemanticSearchProps, type Settings } from './props.ts';
import { describeVersion } from './version-description.ts';

/**
 * The search endpoint: a Lambda function with index and model in it, behind an HTTP API.
 *
 * `url` is where to ask; `live` is the alias that answers; `api`, `function` and the rest can be extended as any CDK construct.
 */
export class SemanticSearch extends Construct {
  readonly function: lambda.Function;
  readonly live: lambda.Alias;
  readonly api: HttpApi;
  readonly url: string;

  /** @throws one sentence for each wrong prop, and where the packaged function would not run in Lambda */
  constructor(scope: Construct, id: string, props: SemanticSearchProps = {}) {
    super(scope, id);
    const settings = readProps(props);
    this.function = this.makeFunction(settings);
    this.live = new lambda.Alias(this, 'Live', { aliasName: 'live', version: this.function.currentVersion });
    this.api = this.makeApi(settings);
    const stage = this.makeStage(settings);
    this.url = stage.url.replace(/\/$/, '');
    watch(this, this.function, this.api, settings);
    if (settings.auth === 'none') {
      const { throttleRate: rate, reservedConcurrency: copies } = settings;
      const cost = openEndpointCost({ ...settings, ratePerSecond: rate, memoryMb: settings.memory });
      Annotations.of(this).addWarningV2(
        'polyseek:open-endpoint',
        `Anyone who knows the address may ask (auth is none): ${rate} questions a second without pause` +
          `${copies === 'none' ? '' : `, answered by at most ${copies} copies of the function,`} cost up to ` +
          `$${Math.ceil(cost)} a month; -c auth=api-key lets in only who has a key.`,
      );
    }
  }

  private makeFunction(settings: Settings): lambda.Function {
    const {
      folder,
      functionName,
      memory,
      timeout,
      logQuestions,
      page,
      auth,
      apiKeys,
      cors,
      reservedConcurrency,
    } = settings;
    const { index } = checkAsset(folder, settings.architecture);
    const logGroup = new LogGroup(this, 'Log', {
      ...(functionName && { logGroupName: `/aws/lambda/${functionName}` }),
      retention: settings.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'Writes the log of the search function, and may do nothing else.',
      inlinePolicies: {
        log: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [logGroup.logGroupArn],
            }),
          ],
        }),
      },
    });
    return new lambda.Function(this, 'Function', {
      functionName,
      description: 'Semantic search (polyseek)',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture:
        settings.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
      handler: 'lambda.handler',
      code: lambda.Code.fromAsset(folder),
      memorySize: memory,
      timeout: Duration.seconds(timeout),
      reservedConcurrentExecutions: reservedConcurrency === 'none' ? undefined : reservedConcurrency,
      environment: {
        ...(auth === 'api-key' && { API_KEYS: JSON.stringify(apiKeys) }),
        ...(logQuestions && { LOG_QUESTIONS: '1' }),
        ...(!page && { PAGE: '0' }),
        ...(cors.length > 0 && { CORS_ORIGINS: cors.join(',') }),
      },
      role,
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      currentVersionOptions: {
        description: describeVersion(index),
        // What was live before stays, for `npm run remote -- rollback`; deleting the function deletes all.
        removalPolicy: RemovalPolicy.RETAIN,
      },
    });
  }

  private makeApi({ auth, cors, jwtIssuer = '', jwtAudience }: Settings): HttpApi {
    const integration = new HttpLambdaIntegration('Integration', this.live);
    const authorizers: Record<Settings['auth'], () => IHttpRouteAuthorizer> = {
      none: () => new HttpNoneAuthorizer(),
      // The function compares keys itself: an HTTP API has none, and an authorizer function would be a second cold start.
      'api-key': () => new HttpNoneAuthorizer(),
      iam: () => new HttpIamAuthorizer(),
      jwt: () => new HttpJwtAuthorizer('Tokens', jwtIssuer, { jwtAudience }),
    };
    const api = new HttpApi(this, 'Api', {
      description: 'Semantic search (polyseek)',
      createDefaultStage: false,
      defaultIntegration: integration,
      defaultAuthorizer: authorizers[auth](),
      ...(cors.length > 0 && {
        corsPreflight: {
          allowOrigins: cors,
          allowMethods: CORS.methods.map((method) => CorsHttpMethod[method]),
          allowHeaders: [...CORS.requestHeaders],
          exposeHeaders: [...CORS.responseHeaders],
          maxAge: Duration.seconds(CORS.maxAgeSeconds),
        },
      }),
    });
    const unauthorized: Partial<Record<Settings['auth'], string>> = {
      none: 'The endpoint is open by choice, with a low throttle and few copies of the function.',
      'api-key': 'The function compares the key of every request.',
    };
    const reason = unauthorized[auth];
    if (reason) Validations.of(api).acknowledge({ id: 'AwsSolutions::AwsSolutions-APIG4', reason });
    // The $default route takes a browser's preflight too, which carries no credentials: this route lets it pass.
    if (cors.length > 0) {
      const options = { path: '/{proxy+}', methods: [HttpMethod.OPTIONS], integration };
      const routes = api.addRoutes({ ...options, authorizer: new HttpNoneAuthorizer() });
      const preflight = {
        id: 'AwsSolutions::AwsSolutions-APIG4',
        reason: 'A preflight carries no credentials.',
      };
      for (const route of routes) Validations.of(route).acknowledge(preflight);
    }
    return api;
  }

  private makeStage({ functionName, throttleRate, throttleBurst, logRetention }: Settings): HttpStage {
    const logGroup = new LogGroup(this, 'AccessLog', {
      // Groups named so need no line each in the account's policy for logs, which has room for few.
      ...(functionName && { logGroupName: `/aws/vendedlogs/${functionName}` }),
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    return new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: throttleRate, burstLimit: throttleBurst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(logGroup),
        // The path has no query string, so that no question gets into this log.
        format: AccessLogFormat.custom(
          JSON.stringify({
            time: '$context.requestTime',
            requestId: '$context.requestId',
            ip: '$context.identity.sourceIp',
            method: '$context.httpMethod',
            path: '$context.path',
            status: '$context.status',
            ms: '$context.responseLatency',
            error: '$context.error.message',
          }),
        ),
      },
    });
  }
}
