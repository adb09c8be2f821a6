import { Annotations, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
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
import { checkEnvironment } from './keys.ts';
import { addAlarms } from './monitoring.ts';
import { readProps, requireApiKey, type SemanticSearchProps, type Settings } from './props.ts';
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

/**
 * The search endpoint: a Lambda function that contains index and model, behind an HTTP API.
 *
 * `url` is the address of the endpoint, and `live` the alias that it invokes. Extend `api`, `function` and the rest like any CDK construct.
 */
export class SemanticSearch extends Construct {
  readonly function: lambda.Function;
  readonly live: lambda.Alias;
  readonly api: HttpApi;
  readonly url: string;

  /**
   * Checks key and code only where CDK needs the code, so that `cdk ls` and `cdk destroy` work without both.
   * @param problem why `folder` has no code: the stack can be compared, but not deployed
   * @throws one sentence for each wrong prop, or if the packaged function would not run in Lambda
   */
  constructor(scope: Construct, id: string, props: SemanticSearchProps = {}, problem?: string) {
    super(scope, id);
    const settings = readProps(props);
    this.function = this.makeFunction(settings, this.makeCode(settings, problem));
    this.live = new lambda.Alias(this, 'Live', { aliasName: 'live', version: this.function.currentVersion });
    this.api = this.makeApi(settings);
    const stage = this.makeStage(settings);
    this.url = stage.url.replace(/\/$/, '');
    addAlarms(this, this.function, this.api, settings);
    if (settings.auth === 'none') {
      const { throttleRate: rate, reservedConcurrency: instances } = settings;
      const cost = openEndpointCost({ ...settings, ratePerSecond: rate, memoryMb: settings.memory });
      Annotations.of(this).addWarningV2(
        'polyseek:open-endpoint',
        `auth is none: everyone can call the endpoint. At ${rate} questions per second, day and night, ` +
          `${instances === 'none' ? '' : `with at most ${instances} instances of the function, `}it costs up to ` +
          `$${Math.ceil(cost)} a month. Use -c auth=api-key to require an API key.`,
      );
    }
  }

  private makeCode(settings: Settings, problem: string | undefined): PackagedCode {
    const { folder, architecture } = settings;
    if (!Stack.of(this).bundlingRequired) return unpackaged('This command packages no code.');
    if (problem !== undefined) {
      const warning = `${problem} Until then, cdk diff shows the code as changed, and cdk deploy fails.`;
      Annotations.of(this).addWarningV2('polyseek:not-packaged', warning);
      return unpackaged(problem);
    }
    requireApiKey(settings);
    const { index } = checkAsset(folder, architecture);
    return { code: lambda.Code.fromAsset(folder), description: describeVersion(index) };
  }

  private makeFunction(settings: Settings, { code, description }: PackagedCode): lambda.Function {
    const { functionName, memory, timeout, logQuestions, page, auth, apiKeys, cors, reservedConcurrency } =
      settings;
    const logGroup = new LogGroup(this, 'Log', {
      ...(functionName && { logGroupName: `/aws/lambda/${functionName}` }),
      retention: settings.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'Lets the search function write its log, and nothing else.',
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
    const environment = {
      ...(auth === 'api-key' && { API_KEYS: JSON.stringify(apiKeys) }),
      ...(logQuestions && { LOG_QUESTIONS: '1' }),
      ...(!page && { PAGE: '0' }),
      ...(cors.length > 0 && { CORS_ORIGINS: cors.join(',') }),
    };
    checkEnvironment(environment);
    return new lambda.Function(this, 'Function', {
      functionName,
      description: 'Semantic search (polyseek)',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture:
        settings.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
      handler: 'lambda.handler',
      code,
      memorySize: memory,
      timeout: Duration.seconds(timeout),
      reservedConcurrentExecutions: reservedConcurrency === 'none' ? undefined : reservedConcurrency,
      environment,
      role,
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      currentVersionOptions: {
        description,
        // Old versions stay for `npx polyseek rollback`. Deleting the function deletes them.
        removalPolicy: RemovalPolicy.RETAIN,
      },
    });
  }

  private makeApi({ auth, cors, jwtIssuer = '', jwtAudience }: Settings): HttpApi {
    const integration = new HttpLambdaIntegration('Integration', this.live);
    const authorizers: Record<Settings['auth'], () => IHttpRouteAuthorizer> = {
      none: () => new HttpNoneAuthorizer(),
      // The function checks keys itself: an HTTP API cannot, and an authorizer function would add a cold start.
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
      none: 'The endpoint is open by choice, with a low throttle and few instances of the function.',
      'api-key': 'The function checks the key of every request.',
    };
    const reason = unauthorized[auth];
    if (reason) Validations.of(api).acknowledge({ id: 'AwsSolutions::AwsSolutions-APIG4', reason });
    // A browser's preflight carries no credentials, so the $default route would reject it. This route accepts it.
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
      // With this prefix, groups need no entry of their own in the account's log policy, whose size is limited.
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
        // The path has no query string, so this log contains no questions.
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
