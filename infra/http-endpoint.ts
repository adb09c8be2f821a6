import { Duration, Fn, type RemovalPolicy } from 'aws-cdk-lib';
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
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import {
  AllowedMethods,
  CacheCookieBehavior,
  CacheHeaderBehavior,
  CachePolicy,
  CacheQueryStringBehavior,
  Distribution,
  Function as EdgeFunction,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HttpVersion,
  OriginRequestPolicy,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { AaaaRecord, ARecord, type IHostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties, CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';
import { browserOrigins, toApiKeys } from '../functions/search/auth.ts';
import { CORS } from '../functions/search/origins.ts';
import { BROWSER_PREFIX } from '../functions/search/paths.ts';
import { generatedName, type SemanticSearchProps } from './props.ts';
import { acknowledge } from './rights.ts';
import type { Settings } from './schema.ts';

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
  const none = new HttpNoneAuthorizer();
  const integration = new HttpLambdaIntegration('Integration', target);
  const api = new HttpApi(scope, 'Api', {
    apiName: settings.functionName ?? generatedName(scope),
    description: 'Semantic search (polyseek)',
    createDefaultStage: false,
    ...(settings.endpoint === 'none' && { disableExecuteApiEndpoint: true }),
    defaultIntegration: integration,
    defaultAuthorizer: auth === 'iam' ? new HttpIamAuthorizer() : none,
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
    acknowledge(api, 'APIG4', OPEN[auth]);
    const path = `${BROWSER_PREFIX}/{proxy+}`;
    // A route of its own has a throttle of its own, so that pages cannot use up the requests of programs.
    for (const route of api.addRoutes({ path, integration })) acknowledge(route, 'APIG4', OPEN[auth]);
  } else if (origins.length > 0) {
    // A browser's preflight carries no credentials, so the $default route would reject it. This route accepts it.
    const preflight = { path: '/{proxy+}', methods: [HttpMethod.OPTIONS], integration, authorizer: none };
    for (const route of api.addRoutes(preflight))
      acknowledge(route, 'APIG4', 'A preflight carries no credentials.');
  }
  return api;
}

/** Origins that API Gateway allows. It replaces the function's own CORS headers, so all of them must be here. */
function allowedOrigins({ cors, apiKeys }: Settings): string[] {
  if (cors.includes('*')) return ['*'];
  return [...new Set([...cors, ...browserOrigins(toApiKeys(apiKeys, 'apiKeys'))])];
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

/**
 * Headers in the cache key. The first four decide who may read an answer, so no answer reaches a caller with another key or page. The
 * others change the answer: `/` is a page or JSON, and links contain the host.
 */
const CACHE_KEY_HEADERS = [
  'x-api-key',
  'authorization',
  'origin',
  // Browsers send no origin with GET from a page on the same host.
  'sec-fetch-site',
  'accept',
  'x-polyseek-host',
];

/**
 * Passes the viewer's host on, because API Gateway requires its own in `Host`, and the viewer's address, because API Gateway sees that of
 * CloudFront. They replace what a viewer sends under these names. functions/search reads them.
 */
export const FORWARD_HOST = `function handler(event) {
  event.request.headers['x-polyseek-viewer'] = { value: event.viewer.ip };
  event.request.headers['x-polyseek-host'] = { value: event.request.headers.host.value };
  return event.request;
}`;

/** Errors of a moment, which must not stay in the cache. */
const NOT_CACHED = [500, 502, 503, 504];

/** Rules of cdk-nag that need a choice by the user. */
const ACKNOWLEDGED = {
  CFR1: 'The endpoint has callers in all countries, unless distributionProps restricts them.',
  CFR2: 'A web ACL is optional (webAclArn). The API throttles requests.',
  CFR3: "The API's access log records the requests that reach it. distributionProps can add CloudFront's own log.",
  CFR4: "CloudFront's own domain name has no choice of TLS version. With domainName and certificate, it is TLS 1.2 or later.",
};

/** A distribution that caches answers to GET for `cacheTtl`, and sends other requests on to the API. */
export function makeDistribution(
  scope: Construct,
  api: HttpApi,
  { domainName, cacheTtl, webAclArn }: Settings,
  { certificate, distributionProps }: SemanticSearchProps,
): Distribution {
  const ttl = Duration.seconds(cacheTtl);
  const cachePolicy = new CachePolicy(scope, 'CachePolicy', {
    comment: 'Answers of polyseek, apart for each key and origin',
    headerBehavior: CacheHeaderBehavior.allowList(...CACHE_KEY_HEADERS),
    queryStringBehavior: CacheQueryStringBehavior.all(),
    cookieBehavior: CacheCookieBehavior.none(),
    // The function sends `cache-control: no-cache` for browsers. CloudFront then keeps an answer for the minimum.
    minTtl: ttl,
    defaultTtl: ttl,
    maxTtl: ttl,
    enableAcceptEncodingBrotli: true,
    enableAcceptEncodingGzip: true,
  });
  const forwardHost = new EdgeFunction(scope, 'ForwardHost', {
    comment: "Passes the viewer's host and address on",
    code: FunctionCode.fromInline(FORWARD_HOST),
    runtime: FunctionRuntime.JS_2_0,
  });
  const distribution = new Distribution(scope, 'Distribution', {
    comment: 'Semantic search (polyseek)',
    httpVersion: HttpVersion.HTTP2_AND_3,
    ...(domainName && { domainNames: [domainName], certificate }),
    ...(webAclArn && { webAclId: webAclArn }),
    defaultBehavior: {
      // The endpoint is https://HOST.
      origin: new HttpOrigin(Fn.select(2, Fn.split('/', api.apiEndpoint))),
      allowedMethods: AllowedMethods.ALLOW_ALL,
      cachePolicy,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      functionAssociations: [{ function: forwardHost, eventType: FunctionEventType.VIEWER_REQUEST }],
    },
    errorResponses: NOT_CACHED.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
    ...distributionProps,
  });
  for (const [rule, reason] of Object.entries(ACKNOWLEDGED)) acknowledge(distribution, rule, reason);
  return distribution;
}

/** Points a name of a hosted zone at a distribution (IPv4 and IPv6) or at an API's domain name (IPv4). */
export function addRecords(
  scope: Construct,
  domainName: string,
  zone: IHostedZone,
  target: Distribution | DomainName,
): void {
  // The final dot makes a full name, so that the zone's own name is not needed.
  const recordName = `${domainName}.`;
  if (target instanceof Distribution) {
    const alias = RecordTarget.fromAlias(new CloudFrontTarget(target));
    new ARecord(scope, 'Record', { zone, recordName, target: alias });
    new AaaaRecord(scope, 'Record6', { zone, recordName, target: alias });
    return;
  }
  const { regionalDomainName, regionalHostedZoneId } = target;
  const alias = new ApiGatewayv2DomainProperties(regionalDomainName, regionalHostedZoneId);
  new ARecord(scope, 'Record', { zone, recordName, target: RecordTarget.fromAlias(alias) });
}
