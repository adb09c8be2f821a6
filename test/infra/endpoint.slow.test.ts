import { runInNewContext } from 'node:vm';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Annotations, Match, type Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { PriceClass } from 'aws-cdk-lib/aws-cloudfront';
import { IpAddresses, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { describe, expect, test } from 'vitest';
import { FORWARD_HOST } from '../../infra/http-endpoint.ts';
import type { SettingsInput } from '../../infra/schema.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { only, ownStack, stackOf, templateOf as synthesized } from './templates.ts';

const outdir = temporaryFolder();
const templateOf = (settings: SettingsInput) => synthesized(outdir, settings);

const domain = {
  domainName: 'search.example.com',
  certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/0a0a0a0a-0000-4000-8000-000000000000',
  hostedZoneId: 'Z0123456789ABCDEFGHIJ',
};
const webAclArn =
  'arn:aws:wafv2:us-east-1:123456789012:global/webacl/search/0a0a0a0a-0000-4000-8000-000000000000';
const keys = { apiKeys: { chatbot: 'a'.repeat(64) } };

/** Settings that add resources. */
const cases = {
  domain: { ...keys, ...domain },
  distribution: { ...keys, distribution: true },
  'distribution with a domain': { ...keys, ...domain, distribution: true, webAclArn },
  provisioned: { ...keys, provisionedConcurrency: 2 },
  network: { ...keys, vpcId: 'vpc-0123abcd', subnetIds: ['subnet-0a', 'subnet-0b'] },
  'without an address': { auth: 'iam', endpoint: 'none' },
} satisfies Record<string, SettingsInput>;

describe('browser keys', () => {
  const origins = ['https://www.example.com', 'https://docs.example.com'];
  const apiKeys = {
    chatbot: 'a'.repeat(64),
    site: { sha256: 'b'.repeat(64), origins },
    hr: { sha256: 'c'.repeat(64), origins: origins.slice(0, 1), collections: ['hr'] },
  };

  test('their origins may call, and have a throttle of their own', () => {
    const template = templateOf({ apiKeys, cors: ['https://app.example.com'], browserThrottleRate: 7 });
    expect(only(template, 'AWS::ApiGatewayV2::Api').properties).toMatchObject({
      CorsConfiguration: { AllowOrigins: ['https://app.example.com', ...origins] },
    });
    const stage = only(template, 'AWS::ApiGatewayV2::Stage');
    expect(stage.properties).toMatchObject({
      RouteSettings: { 'ANY /browser/{proxy+}': { ThrottlingRateLimit: 7, ThrottlingBurstLimit: 14 } },
    });
    // API Gateway refuses settings of a route that does not exist yet.
    const routes = template.findResources('AWS::ApiGatewayV2::Route', {
      Properties: { RouteKey: 'ANY /browser/{proxy+}' },
    });
    expect(stage.dependsOn).toContain(Object.keys(routes)[0]);
    expect(only(template, 'AWS::Lambda::Function').properties.Environment).toEqual({
      // The function itself accepts the origins of a key only with the key.
      Variables: { API_KEYS: JSON.stringify(apiKeys), CORS_ORIGINS: 'https://app.example.com' },
    });
  });

  test('any origin stays any origin', () => {
    expect(only(templateOf({ apiKeys, cors: ['*'] }), 'AWS::ApiGatewayV2::Api').properties).toMatchObject({
      CorsConfiguration: { AllowOrigins: ['*'] },
    });
  });

  test('keys also work beside tokens', () => {
    const jwt: SettingsInput = {
      auth: 'jwt',
      jwtIssuer: 'https://id.example.com',
      jwtAudience: ['search'],
    };
    expect(only(templateOf({ ...jwt, apiKeys }), 'AWS::Lambda::Function').properties).toMatchObject({
      Environment: {
        Variables: { API_KEYS: JSON.stringify(apiKeys), JWT_ISSUER: jwt.jwtIssuer, JWT_AUDIENCE: 'search' },
      },
    });
  });

  test('are refused if Lambda’s environment is too small', () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`key${i}`, 'a'.repeat(64)]));
    expect(() => templateOf({ apiKeys: many })).toThrow(
      /environment has \d+ bytes, but Lambda's limit is 4096/,
    );
  });
});

describe('a domain name', () => {
  test('belongs to the API, which gets a record', () => {
    const template = templateOf(cases.domain);
    const { name } = only(template, 'AWS::ApiGatewayV2::DomainName');
    expect(only(template, 'AWS::ApiGatewayV2::ApiMapping').properties).toMatchObject({
      DomainName: { Ref: name },
    });
    expect(only(template, 'AWS::Route53::RecordSet').properties).toMatchObject({
      Name: 'search.example.com.',
      Type: 'A',
      HostedZoneId: domain.hostedZoneId,
      AliasTarget: { DNSName: { 'Fn::GetAtt': [name, 'RegionalDomainName'] } },
    });
    template.hasOutput('Url', { Value: 'https://search.example.com' });
  });

  test('belongs to the distribution if there is one, with records for IPv4 and IPv6', () => {
    const template = templateOf(cases['distribution with a domain']);
    template.resourceCountIs('AWS::ApiGatewayV2::DomainName', 0);
    const { name, properties } = only(template, 'AWS::CloudFront::Distribution');
    expect(properties.DistributionConfig).toMatchObject({
      Aliases: ['search.example.com'],
      ViewerCertificate: { AcmCertificateArn: domain.certificateArn, MinimumProtocolVersion: 'TLSv1.2_2021' },
      WebACLId: webAclArn,
    });
    const records = Object.values(template.findResources('AWS::Route53::RecordSet'));
    expect(records.map(({ Properties }) => Properties.Type).sort()).toEqual(['A', 'AAAA']);
    for (const { Properties } of records)
      expect(Properties.AliasTarget.DNSName).toEqual({ 'Fn::GetAtt': [name, 'DomainName'] });
    template.hasOutput('Url', { Value: 'https://search.example.com' });
  });
});

describe('a distribution', () => {
  test('keeps answers apart by query, key, token, origin, kind and host', () => {
    const { properties } = only(
      templateOf({ ...cases.distribution, cacheTtl: 300 }),
      'AWS::CloudFront::CachePolicy',
    );
    const config = properties.CachePolicyConfig as unknown as Record<string, unknown>;
    expect(config).toMatchObject({ MinTTL: 300, DefaultTTL: 300, MaxTTL: 300 });
    expect(config.ParametersInCacheKeyAndForwardedToOrigin).toMatchObject({
      QueryStringsConfig: { QueryStringBehavior: 'all' },
      CookiesConfig: { CookieBehavior: 'none' },
      HeadersConfig: {
        HeaderBehavior: 'whitelist',
        Headers: ['x-api-key', 'authorization', 'origin', 'sec-fetch-site', 'accept', 'x-polyseek-host'],
      },
    });
  });

  test('sends all methods to the API, and caches GET, but no errors of a moment', () => {
    const template = templateOf(cases.distribution);
    const { properties } = only(template, 'AWS::CloudFront::Distribution');
    const config = properties.DistributionConfig as unknown as Record<string, unknown>;
    expect(config.DefaultCacheBehavior).toMatchObject({
      AllowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'],
      // AWS's policy AllViewerExceptHostHeader.
      OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
      ViewerProtocolPolicy: 'redirect-to-https',
      FunctionAssociations: [{ EventType: 'viewer-request' }],
    });
    expect(config.CustomErrorResponses).toEqual(
      [500, 502, 503, 504].map((ErrorCode) => ({ ErrorCode, ErrorCachingMinTTL: 0 })),
    );
    const distribution = only(template, 'AWS::CloudFront::Distribution').name;
    template.hasOutput('Url', {
      Value: { 'Fn::Join': ['', ['https://', { 'Fn::GetAtt': [distribution, 'DomainName'] }]] },
    });
  });

  test('replaces a forwarded host and address that a viewer sends', () => {
    const request = {
      headers: {
        host: { value: 'search.example.com' },
        'x-polyseek-host': { value: 'evil.example' },
        'x-polyseek-viewer': { value: '192.0.2.1' },
      },
    };
    const sent = runInNewContext(`${FORWARD_HOST}; handler(event)`, {
      event: { request, viewer: { ip: '2001:db8::1' } },
    });
    expect(sent.headers['x-polyseek-host']).toEqual({ value: 'search.example.com' });
    expect(sent.headers['x-polyseek-viewer']).toEqual({ value: '2001:db8::1' });
    expect(only(templateOf(cases.distribution), 'AWS::CloudFront::Function').properties).toMatchObject({
      FunctionCode: FORWARD_HOST,
      AutoPublish: true,
    });
  });
});

test('CloudWatch may publish to the topic of the alarms', () => {
  const template = templateOf({ auth: 'iam', alarmEmail: 'ops@example.com' });
  const { name } = only(template, 'AWS::SNS::Topic');
  // A policy with only the Deny of enforceSSL would replace AWS's default policy, which lets CloudWatch publish.
  expect(only(template, 'AWS::SNS::TopicPolicy').properties.PolicyDocument).toMatchObject({
    Statement: expect.arrayContaining([
      expect.objectContaining({
        Effect: 'Allow',
        Action: 'sns:Publish',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Resource: { Ref: name },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      }),
    ]),
  });
});

test('the function runs in a network that exists, without a look-up in AWS', () => {
  const template = templateOf(cases.network);
  const { name, properties } = only(template, 'AWS::EC2::SecurityGroup');
  expect(properties.VpcId).toBe('vpc-0123abcd');
  expect(only(template, 'AWS::Lambda::Function').properties.VpcConfig).toEqual({
    SubnetIds: ['subnet-0a', 'subnet-0b'],
    SecurityGroupIds: [{ 'Fn::GetAtt': [name, 'GroupId'] }],
  });
});

test('invocations are traced on request', () => {
  const traced = (settings: SettingsInput) =>
    only(templateOf(settings), 'AWS::Lambda::Function').properties.TracingConfig;
  expect(traced({ ...keys, tracing: true })).toEqual({ Mode: 'Active' });
  expect(traced(keys)).toBeUndefined();
});

test('without an endpoint, only AWS identities can invoke the function', () => {
  const template = templateOf(cases['without an address']);
  expect(only(template, 'AWS::ApiGatewayV2::Api').properties.DisableExecuteApiEndpoint).toBe(true);
  expect(Object.keys(template.toJSON().Outputs)).toEqual(['FunctionName']);
});

test('a template for another bucket needs nothing that cdk bootstrap creates', () => {
  const template = templateOf({ auth: 'iam', assetsBucket: 'my-bucket' });
  const { S3Bucket } = only(template, 'AWS::Lambda::Function').properties.Code as unknown as {
    S3Bucket: string;
  };
  expect(S3Bucket).toBe('my-bucket');
  expect(JSON.stringify(template.toJSON())).not.toMatch(/cdk-hnb659fds|BootstrapVersion/);
});

test('an API has the name of its function, or one like its construct', () => {
  const nameIn = (template: Template) => only(template, 'AWS::ApiGatewayV2::Api').properties.Name;
  expect(nameIn(templateOf({ auth: 'iam' }))).toBe('docs');
  expect(nameIn(ownStack(outdir, () => ({})).template())).toMatch(/^mine-Search-\w+$/);
});

test('the access log is JSON whatever callers send, and says why an integration failed', () => {
  const { AccessLogSettings } = only(templateOf({ auth: 'iam' }), 'AWS::ApiGatewayV2::Stage').properties;
  const values = Object.values(
    JSON.parse((AccessLogSettings as unknown as { Format: string }).Format) as Record<string, string>,
  );
  expect(values).toContain('$context.integrationErrorMessage');
  // API Gateway escapes no quotes, and callers choose the path.
  expect(values.join()).not.toMatch(
    /context\.(path|error\.message|domainName|identity\.userAgent|routeKey\.)/,
  );
});

test('provisioned concurrency starts instances of the alias, and its price is printed', () => {
  const stack = stackOf(outdir, cases.provisioned);
  expect(only(templateOf(cases.provisioned), 'AWS::Lambda::Alias').properties).toMatchObject({
    ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 2 },
  });
  // 2 instances × 1,769 MB × a month × $0.0000041667.
  Annotations.fromStack(stack).hasInfo('*', Match.stringLikeRegexp('cost \\$37\\.83 a month'));
});

describe('in another app', () => {
  test('the function runs in a network, and may join it', () => {
    const { template } = ownStack(outdir, (stack) => {
      const vpc = new Vpc(stack, 'Vpc', {
        ipAddresses: IpAddresses.cidr('10.0.0.0/16'),
        natGateways: 0,
        subnetConfiguration: [{ name: 'inner', subnetType: SubnetType.PRIVATE_ISOLATED }],
      });
      return { vpc, vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED } };
    });
    const { properties } = only(template(), 'AWS::Lambda::Function');
    expect(properties.VpcConfig).toMatchObject({ SubnetIds: [expect.anything(), expect.anything()] });
    const [role] = Object.values(
      template().findResources('AWS::IAM::Role', {
        Properties: { Description: Match.stringLikeRegexp('network') },
      }),
    );
    expect(role!.Properties.Policies[1].PolicyDocument.Statement[0].Action).toContain(
      'ec2:CreateNetworkInterface',
    );
  });

  test('functionProps and apiProps replace props, and variables are added', () => {
    const { template } = ownStack(outdir, () => ({
      auth: 'api-key',
      ...keys,
      functionProps: { ephemeralStorageSize: undefined, description: 'Mine', environment: { MINE: '1' } },
      apiProps: { apiName: 'mine', disableExecuteApiEndpoint: true },
    }));
    const { properties } = only(template(), 'AWS::Lambda::Function');
    expect(properties).toMatchObject({
      Description: 'Mine',
      // Without the keys, the endpoint would be open.
      Environment: { Variables: { MINE: '1', API_KEYS: JSON.stringify(keys.apiKeys) } },
    });
    expect(only(template(), 'AWS::ApiGatewayV2::Api').properties).toMatchObject({
      Name: 'mine',
      DisableExecuteApiEndpoint: true,
    });
  });

  test('certificates, zones, retention and distributionProps are CDK’s own', () => {
    const { template } = ownStack(outdir, (stack) => ({
      auth: 'none',
      domainName: 'search.example.com',
      certificate: Certificate.fromCertificateArn(stack, 'Certificate', domain.certificateArn),
      hostedZone: HostedZone.fromHostedZoneAttributes(stack, 'Zone', {
        hostedZoneId: 'Z1',
        zoneName: 'example.com',
      }),
      distribution: true,
      cacheTtl: Duration.hours(1),
      distributionProps: { priceClass: PriceClass.PRICE_CLASS_100 },
      logRetention: RetentionDays.INFINITE,
      removalPolicy: RemovalPolicy.RETAIN,
    }));
    const { properties } = only(template(), 'AWS::CloudFront::Distribution');
    expect(properties.DistributionConfig).toMatchObject({ PriceClass: 'PriceClass_100' });
    for (const group of Object.values(template().findResources('AWS::Logs::LogGroup'))) {
      expect(group.DeletionPolicy).toBe('Retain');
      expect(group.Properties?.RetentionInDays).toBeUndefined();
    }
  });

  test('grants name the alias and the API', () => {
    const { stack, search, template } = ownStack(outdir, () => ({}));
    const role = new Role(stack, 'Caller', { assumedBy: new AccountPrincipal('123456789012') });
    search.grantInvoke(role);
    search.grantInvokeUrl(role);
    const { Statement } = only(template(), 'AWS::IAM::Policy').properties.PolicyDocument as unknown as {
      Statement: { Action: string; Resource: unknown }[];
    };
    const alias = only(template(), 'AWS::Lambda::Alias').name;
    const api = only(template(), 'AWS::ApiGatewayV2::Api').name;
    expect(Statement.map(({ Action }) => Action)).toEqual(['lambda:InvokeFunction', 'execute-api:Invoke']);
    expect(Statement[0]!.Resource).toEqual({ Ref: alias });
    expect(JSON.stringify(Statement[1]!.Resource)).toContain(`{"Ref":"${api}"},"/*/*/*"`);
  });

  test('metrics describe questions, errors and latency', () => {
    const { search } = ownStack(outdir, () => ({}));
    const described = [
      search.metricQuestions(),
      search.metricUnanswered(),
      search.metricPossible(),
      search.metricColdStarts(),
      search.metricErrors(),
      search.metricLatency({ statistic: 'p99' }),
    ].map(({ namespace, metricName, statistic }) => [namespace, metricName, statistic]);
    expect(described).toEqual([
      ['polyseek', 'Unanswered', 'SampleCount'],
      ['polyseek', 'Unanswered', 'Sum'],
      ['polyseek', 'Possible', 'Sum'],
      ['polyseek', 'ColdStart', 'SampleCount'],
      ['AWS/Lambda', 'Errors', 'Sum'],
      ['AWS/ApiGateway', 'Latency', 'p99'],
    ]);
  });
});
