import { Duration, Fn, Validations } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
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
import type { Construct } from 'constructs';
import type { SemanticSearchProps } from './props.ts';
import type { Settings } from './schema.ts';

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
  for (const [rule, reason] of Object.entries(ACKNOWLEDGED))
    Validations.of(distribution).acknowledge({ id: `AwsSolutions::AwsSolutions-${rule}`, reason });
  return distribution;
}
