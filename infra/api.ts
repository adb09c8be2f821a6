import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  type CfnStage,
  CorsHttpMethod,
  type DomainName,
  HttpApi,
  type HttpApiProps,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpRoute,
  HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { browserOrigins, toApiKeys } from '../functions/search/auth.ts';
import { CORS } from '../functions/search/cors.ts';
import { BROWSER_PREFIX } from '../functions/search/paths.ts';
import { generatedName } from './names.ts';
import type { Settings } from './schema.ts';

/** The rule of cdk-nag for routes without an authorizer. */
const WITHOUT_AUTHORIZER = 'AwsSolutions::AwsSolutions-APIG4';

/** Why API Gateway lets requests through. */
const OPEN: Record<Exclude<Settings['auth'], 'iam'>, string> = {
  none: 'The endpoint is open by choice, with a low throttle and few instances of the function.',
  // An HTTP API cannot check keys, and an authorizer function would add a cold start.
  'api-key': 'The function checks the key of every request.',
  // API Gateway would refuse keys beside tokens, and its 401 does not name the issuer, which MCP clients look for.
  jwt: 'The function checks the token or key of every request.',
};

/** The HTTP API. It sends every request to `target`. */
export function makeApi(
  scope: Construct,
  target: IFunction,
  settings: Settings,
  apiProps: Partial<HttpApiProps> = {},
): HttpApi {
  const { auth } = settings;
  const origins = allowedOrigins(settings);
  const authorizer: IHttpRouteAuthorizer =
    auth === 'iam' ? new HttpIamAuthorizer() : new HttpNoneAuthorizer();
  const integration = new HttpLambdaIntegration('Integration', target);
  const api = new HttpApi(scope, 'Api', {
    apiName: settings.functionName ?? generatedName(scope),
    description: 'Semantic search (polyseek)',
    createDefaultStage: false,
    ...(settings.endpoint === 'none' && { disableExecuteApiEndpoint: true }),
    defaultIntegration: integration,
    defaultAuthorizer: authorizer,
    ...(origins.length > 0 && {
      corsPreflight: {
        allowOrigins: origins,
        allowMethods: CORS.methods.map((method) => CorsHttpMethod[method]),
        allowHeaders: [...CORS.requestHeaders],
        exposeHeaders: [...CORS.responseHeaders],
        maxAge: Duration.seconds(CORS.maxAgeSeconds),
      },
    }),
    ...apiProps,
  });
  if (auth !== 'iam') {
    acknowledge(api, OPEN[auth]);
    const path = `${BROWSER_PREFIX}/{proxy+}`;
    // A route of its own has a throttle of its own, so that pages cannot use up the requests of programs.
    for (const route of api.addRoutes({ path, integration })) acknowledge(route, OPEN[auth]);
  } else if (origins.length > 0) {
    // A browser's preflight carries no credentials, so the $default route would reject it. This route accepts it.
    const preflight = { path: '/{proxy+}', methods: [HttpMethod.OPTIONS], integration };
    for (const route of api.addRoutes({ ...preflight, authorizer: new HttpNoneAuthorizer() }))
      acknowledge(route, 'A preflight carries no credentials.');
  }
  return api;
}

/** Origins that API Gateway allows. It replaces the function's own CORS headers, so all of them must be here. */
function allowedOrigins({ cors, apiKeys }: Settings): string[] {
  if (cors.includes('*')) return ['*'];
  return [...new Set([...cors, ...browserOrigins(toApiKeys(apiKeys, 'apiKeys'))])];
}

function acknowledge(construct: Construct, reason: string): void {
  Validations.of(construct).acknowledge({ id: WITHOUT_AUTHORIZER, reason });
}

/** The stage `$default`, with throttles and an access log. */
export function makeStage(
  scope: Construct,
  api: HttpApi,
  { auth, functionName, throttleRate, throttleBurst, browserThrottleRate, logRetention }: Settings,
  removalPolicy: RemovalPolicy,
  domainName: DomainName | undefined,
): HttpStage {
  const logGroup = new LogGroup(scope, 'AccessLog', {
    // With this prefix, groups need no entry of their own in the account's log policy, whose size is limited.
    ...(functionName && { logGroupName: `/aws/vendedlogs/${functionName}` }),
    retention: logRetention,
    removalPolicy,
  });
  const stage = new HttpStage(scope, 'Stage', {
    httpApi: api,
    stageName: '$default',
    autoDeploy: true,
    throttle: { rateLimit: throttleRate, burstLimit: throttleBurst },
    ...(domainName && { domainMapping: { domainName } }),
    accessLogSettings: {
      destination: new LogGroupLogDestination(logGroup),
      // API Gateway escapes nothing, so no value is one that a caller may choose. The log of the function contains the rest.
      format: AccessLogFormat.custom(
        JSON.stringify({
          time: '$context.requestTime',
          requestId: '$context.requestId',
          functionRequestId: '$context.integration.requestId',
          ip: '$context.identity.sourceIp',
          method: '$context.httpMethod',
          route: '$context.routeKey',
          status: '$context.status',
          ms: '$context.responseLatency',
          error: '$context.error.responseType',
          integrationStatus: '$context.integration.integrationStatus',
          integrationError: '$context.integrationErrorMessage',
        }),
      ),
    },
  });
  if (auth !== 'iam') {
    const route = `ANY ${BROWSER_PREFIX}/{proxy+}`;
    (stage.node.defaultChild as CfnStage).routeSettings = {
      [route]: { ThrottlingRateLimit: browserThrottleRate, ThrottlingBurstLimit: 2 * browserThrottleRate },
    };
    // API Gateway refuses settings of a route that does not exist yet.
    stage.node.addDependency(...api.node.children.filter((child) => child instanceof HttpRoute));
  }
  return stage;
}
