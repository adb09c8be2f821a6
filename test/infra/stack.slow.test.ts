import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeAlias, readStackVersion } from '../../functions/deployed/version-description.ts';
import { packageFunction } from '../../functions/package/package-function.ts';
import { type LogEntry, metricsOf } from '../../functions/search/log.ts';
import type { Auth } from '../../infra/props.ts';
import type { SettingsInput } from '../../infra/schema.ts';
import { SemanticSearch } from '../../infra/semantic-search.ts';
import { SearchStack } from '../../infra/stack.ts';
import { temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { only, ownStack, stackOf, templateOf as synthesized } from './templates.ts';

const folder = temporaryFolder();
const templateOf = (settings: SettingsInput) => synthesized(folder, settings);

const modes: Record<Auth, SettingsInput> = {
  none: { auth: 'none' },
  'api-key': { apiKeys: { chatbot: 'a'.repeat(64), 'chatbot-2': 'b'.repeat(64) } },
  iam: { auth: 'iam' },
  jwt: {
    auth: 'jwt',
    jwtIssuer: 'https://id.example.com',
    jwtAudience: ['search', 'mcp'],
    jwtScope: 'read',
  },
};
describe.each(Object.keys(modes) as Auth[])('with auth %s', (auth) => {
  const template = templateOf(modes[auth]);

  test('the stack has exactly these resources', () => {
    const found: Record<string, number> = {};
    for (const { Type } of Object.values(template.toJSON().Resources as Record<string, { Type: string }>))
      found[Type] = (found[Type] ?? 0) + 1;
    expect(found).toEqual({
      'AWS::ApiGatewayV2::Api': 1,
      'AWS::ApiGatewayV2::Integration': 1,
      'AWS::ApiGatewayV2::Route': auth === 'iam' ? 1 : 2,
      'AWS::ApiGatewayV2::Stage': 1,
      'AWS::IAM::Role': 1,
      'AWS::Lambda::Alias': 1,
      'AWS::Lambda::Function': 1,
      'AWS::Lambda::Permission': auth === 'iam' ? 1 : 2,
      'AWS::Lambda::Version': 1,
      'AWS::Logs::LogGroup': 2,
    });
  });

  test('the function has the settings of the stack', () => {
    const { properties } = only(template, 'AWS::Lambda::Function');
    expect(properties).toMatchObject({
      FunctionName: 'docs',
      Runtime: 'nodejs24.x',
      Architectures: ['x86_64'],
      Handler: 'lambda.handler',
      MemorySize: 1769,
      Timeout: 10,
      LoggingConfig: { LogFormat: 'JSON' },
    });
    expect(Object.keys(properties.Environment ?? {})).toEqual(
      auth === 'api-key' || auth === 'jwt' ? ['Variables'] : [],
    );
  });

  test('its role can only write its own log', () => {
    const { properties } = only(template, 'AWS::IAM::Role');
    const [log] = Object.keys(
      template.findResources('AWS::Logs::LogGroup', { Properties: { LogGroupName: '/aws/lambda/docs' } }),
    );
    expect(properties).toEqual({
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } },
        ],
      },
      Description: expect.any(String),
      Policies: [
        {
          PolicyName: 'log',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
                Resource: { 'Fn::GetAtt': [log, 'Arn'] },
              },
            ],
          },
        },
      ],
    });
    template.resourceCountIs('AWS::IAM::Policy', 0);
  });

  test('the endpoint invokes the alias live of a retained version', () => {
    const fn = only(template, 'AWS::Lambda::Function');
    const version = only(template, 'AWS::Lambda::Version');
    const alias = only(template, 'AWS::Lambda::Alias');
    expect(version.properties.FunctionName).toEqual({ Ref: fn.name });
    // A failed deploy deletes its version, so that the next one can publish it.
    expect(version.deletionPolicy).toBe('RetainExceptOnCreate');
    const number = { 'Fn::GetAtt': [version.name, 'Version'] };
    expect(alias.properties).toEqual({
      Name: 'live',
      // Commands recognize CloudFormation's own version by it.
      Description: { 'Fn::Join': ['', ['cdk deploy published version ', number]] },
      FunctionName: { Ref: fn.name },
      FunctionVersion: number,
    });
    expect(readStackVersion(describeAlias('12'))).toBe('12');
    expect([undefined, 'mine', 'cdk deploy published version 1?'].map(readStackVersion)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(only(template, 'AWS::ApiGatewayV2::Integration').properties).toMatchObject({
      IntegrationType: 'AWS_PROXY',
      PayloadFormatVersion: '2.0',
      IntegrationUri: { Ref: alias.name },
    });
    template.allResourcesProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunction',
      FunctionName: { Ref: alias.name },
      Principal: 'apigateway.amazonaws.com',
    });
  });

  test('only authorized callers may call', () => {
    const type = auth === 'iam' ? 'AWS_IAM' : 'NONE';
    const routes = template.findResources('AWS::ApiGatewayV2::Route');
    expect(Object.values(routes).map(({ Properties }) => Properties)).toEqual(
      ['$default', ...(auth === 'iam' ? [] : ['ANY /browser/{proxy+}'])].map((RouteKey) =>
        expect.objectContaining({ RouteKey, AuthorizationType: type }),
      ),
    );
    const { Environment = { Variables: {} } } = only(template, 'AWS::Lambda::Function').properties;
    const { API_KEYS, ...others } = (Environment as { Variables: Record<string, string> }).Variables;
    expect(API_KEYS && JSON.parse(API_KEYS)).toEqual(
      auth === 'api-key' ? modes['api-key'].apiKeys : undefined,
    );
    // The function verifies tokens itself.
    expect(others).toEqual(
      auth === 'jwt'
        ? { JWT_ISSUER: 'https://id.example.com', JWT_AUDIENCE: 'search,mcp', JWT_SCOPE: 'read' }
        : {},
    );
  });

  test('the endpoint is throttled and logged without questions, and an open endpoint has bounded costs', () => {
    const open = auth === 'none';
    const { properties } = only(template, 'AWS::ApiGatewayV2::Stage');
    expect(properties).toMatchObject({
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: open ? 5 : 50, ThrottlingBurstLimit: open ? 10 : 100 },
    });
    const browser = open
      ? { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 10 }
      : { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 };
    expect(properties.RouteSettings).toEqual(
      auth === 'iam' ? undefined : { 'ANY /browser/{proxy+}': browser },
    );
    const { Format } = properties.AccessLogSettings as unknown as { Format: string };
    expect(Object.values(JSON.parse(Format))).not.toContainEqual(expect.stringMatching(/query|header|body/i));
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    expect(only(template, 'AWS::Lambda::Function').properties.ReservedConcurrentExecutions).toBe(
      open ? 5 : undefined,
    );
    const warning = Match.stringLikeRegexp(
      'everyone can call the endpoint, up to 10 times a second, with at most 5',
    );
    const warnings = Annotations.fromStack(stackOf(folder, modes[auth])).findWarning('*', warning);
    expect(warnings).toHaveLength(open ? 1 : 0);
  });
});

test('pages of listed origins may call, and their preflights need no authorization', () => {
  const template = templateOf({ ...modes.iam, cors: ['https://example.com'] });
  expect(only(template, 'AWS::ApiGatewayV2::Api').properties).toMatchObject({
    CorsConfiguration: {
      AllowOrigins: ['https://example.com'],
      AllowMethods: ['GET', 'POST'],
      // MCP repeats fields of a message in headers.
      AllowHeaders: expect.arrayContaining(['x-api-key', 'mcp-protocol-version', 'mcp-method', 'mcp-name']),
    },
  });
  expect(only(template, 'AWS::Lambda::Function').properties.Environment).toEqual({
    Variables: { CORS_ORIGINS: 'https://example.com' },
  });
  const routes = Object.values(template.findResources('AWS::ApiGatewayV2::Route')).map(
    ({ Properties }) => Properties,
  );
  expect(routes).toEqual([
    expect.objectContaining({ RouteKey: '$default', AuthorizationType: 'AWS_IAM' }),
    expect.objectContaining({ RouteKey: 'OPTIONS /{proxy+}', AuthorizationType: 'NONE' }),
  ]);
  expect(only(templateOf(modes.iam), 'AWS::ApiGatewayV2::Api').properties.CorsConfiguration).toBeUndefined();
});

test('alarms are sent to an e-mail address', () => {
  const template = templateOf({ ...modes.iam, alarmEmail: 'ops@example.com' });
  const topic = only(template, 'AWS::SNS::Topic');
  expect(only(template, 'AWS::SNS::Subscription').properties).toMatchObject({
    Protocol: 'email',
    Endpoint: 'ops@example.com',
  });
  template.resourceCountIs('AWS::CloudWatch::Alarm', 4);
  template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [{ Ref: topic.name }] });
});

test('the dashboard and the function use the same metrics', async () => {
  const { properties } = only(templateOf({ ...modes.iam, dashboard: true }), 'AWS::CloudWatch::Dashboard');
  const body = JSON.stringify(properties.DashboardBody);
  const names = [...body.matchAll(/\\"polyseek\\",\\"(\w+)\\"/g)].map((match) => match[1]);
  const entry = { timestamp: new Date().toISOString(), level: 'INFO', verdict: 'answered' } as LogEntry;
  expect([...new Set(names)].sort()).toEqual(Object.keys(metricsOf(entry, 200)).sort());
});

test.each([
  [{ page: true }, undefined],
  [{ page: false }, { Variables: { PAGE: '0' } }],
  [{ contracts: true }, { Variables: { CONTRACTS: '1' } }],
  [{ feedback: true }, { Variables: { FEEDBACK: '1' } }],
  [
    { chatSecrets: { TEAMS_SECRET: 'polyseek/teams' } },
    { Variables: { TEAMS_SECRET: '{{resolve:secretsmanager:polyseek/teams:SecretString}}' } },
  ],
])('%o is passed to the function', (setting, environment) => {
  const { Environment } = only(templateOf({ ...modes.iam, ...setting }), 'AWS::Lambda::Function').properties;
  expect(Environment).toEqual(environment);
});

test('the function runs on the processor of the settings', () => {
  const { properties } = only(templateOf({ auth: 'iam', architecture: 'arm64' }), 'AWS::Lambda::Function');
  expect(properties.Architectures).toEqual(['arm64']);
});

test('another app can use the construct twice and extend it', () => {
  const { stack, search, template } = ownStack(folder, () => ({}));
  new SemanticSearch(stack, 'Other', { auth: 'iam' });
  search.function.addEnvironment('LOG_QUESTIONS', '1');
  template().resourceCountIs('AWS::Lambda::Function', 2);
  template().resourcePropertiesCountIs('AWS::Lambda::Function', { FunctionName: Match.anyValue() }, 0);
});

describe('with a packaged function', () => {
  const [index, code, outdir] = ['index', 'packaged', 'assets'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  beforeAll(async () => {
    writeRandomIndex(index, 50);
    await packageFunction(index, code, { architecture });
  });
  const deployed = (out: string, more: SettingsInput = {}) =>
    Template.fromStack(
      new SearchStack(new App({ outdir: out }), 'docs', { auth: 'iam', architecture, code, ...more }),
    );

  test('the asset is the packaged folder, and the version names its index', () => {
    const { properties } = only(deployed(outdir), 'AWS::Lambda::Version');
    expect(properties.Description).toContain('50');
    const manifest = JSON.parse(readFileSync(join(outdir, 'docs.assets.json'), 'utf8'));
    const sources = Object.values(
      manifest.files as Record<string, { source: { path: string; packaging: string } }>,
    );
    const zips = sources.map(({ source }) => source).filter(({ packaging }) => packaging === 'zip');
    expect(zips).toHaveLength(1);
    const list = (dir: string) =>
      readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
        .sort();
    const staged = join(outdir, zips[0]!.path);
    expect(list(staged)).toEqual(list(code));
    for (const file of list(staged))
      expect(readFileSync(join(staged, file)).equals(readFileSync(join(code, file)))).toBe(true);
  });

  test('a change of settings publishes a version of the current code, even if that was pushed', () => {
    const [before, after] = [
      deployed(join(folder, 'before')),
      deployed(join(folder, 'after'), { memorySize: 1024 }),
    ];
    const [{ properties: old }, { properties: changed }] = [before, after].map((one) =>
      only(one, 'AWS::Lambda::Function'),
    ) as [ReturnType<typeof only>, ReturnType<typeof only>];
    // CloudFormation does not update code that is equal in both templates.
    expect(changed).toMatchObject({ MemorySize: 1024, Code: old.Code });
    expect(only(after, 'AWS::Lambda::Version').name).not.toBe(only(before, 'AWS::Lambda::Version').name);
  });
});
