import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { CfnFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeAlias, readStackVersion } from '../../functions/deployed/version-description.ts';
import { packageFunction } from '../../functions/package/package-function.ts';
import { withMetrics } from '../../functions/search/cloudwatch.ts';
import type { LogEntry } from '../../functions/search/log.ts';
import type { Architecture } from '../../index/engine/architecture.ts';
import type { Auth } from '../../infra/props.ts';
import type { SettingsInput } from '../../infra/schema.ts';
import { SemanticSearch } from '../../infra/semantic-search.ts';
import { SearchStack } from '../../infra/stack.ts';
import { root, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { missingTools, tools } from '../fixtures/tools.ts';
import { only } from './templates.ts';

const folder = temporaryFolder();
const architectures: Architecture[] = missingTools('aarch64-linux-gnu-g++')
  ? ['x86_64']
  : ['x86_64', 'arm64'];
const packaged = (architecture: Architecture) => join(folder, architecture);
/** The settings of cdk.json for every app. */
const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as {
  context: Record<string, unknown>;
};
const rules = {
  '@aws-cdk/core:validateAgainstDefaultRules': context['@aws-cdk/core:validateAgainstDefaultRules'],
};

beforeAll(async () => {
  const index = join(folder, 'index');
  writeRandomIndex(index, 50);
  for (const architecture of architectures)
    await packageFunction(index, packaged(architecture), { architecture });
});

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
const cases = architectures.flatMap((architecture) =>
  Object.keys(modes).map((auth) => [auth as Auth, architecture] as const),
);

/** Creates an app that writes into this test's folder, and refers to the packaged function instead of copying 100 MB. */
function newApp(outdir = mkdtempSync(join(folder, 'cdk-'))): App {
  return new App({ outdir, context: { ...rules, [DISABLE_ASSET_STAGING_CONTEXT]: true } });
}

function makeStack(props: SettingsInput): Stack {
  const { architecture = 'x86_64' } = props;
  return new SearchStack(newApp(), 'docs', { code: packaged(architecture), ...props });
}
const templateOf = (props: SettingsInput) => Template.fromStack(makeStack(props));

describe.each(cases)('with auth %s on %s', (auth, architecture) => {
  const make = () => templateOf({ ...modes[auth], architecture });

  test('the stack has exactly these resources', () => {
    const found: Record<string, number> = {};
    for (const { Type } of Object.values(make().toJSON().Resources as Record<string, { Type: string }>))
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

  test('the function runs the packaged code on the right processor', () => {
    const { properties } = only(make(), 'AWS::Lambda::Function');
    expect(properties).toMatchObject({
      FunctionName: 'docs',
      Runtime: 'nodejs24.x',
      Architectures: [architecture],
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
    const template = make();
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
    const template = make();
    const fn = only(template, 'AWS::Lambda::Function');
    const version = only(template, 'AWS::Lambda::Version');
    const alias = only(template, 'AWS::Lambda::Alias');
    expect(version.properties.FunctionName).toEqual({ Ref: fn.name });
    expect(version.properties.Description).toContain('50');
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
    const template = make();
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
    const stack = makeStack({ ...modes[auth], architecture });
    const template = Template.fromStack(stack);
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
    const warnings = Annotations.fromStack(stack).findWarning(
      '*',
      Match.stringLikeRegexp('costs up to \\$\\d'),
    );
    expect(warnings).toHaveLength(open ? 1 : 0);
  });

  test('CloudFormation’s rules (as errors) and cdk-nag’s AWS Solutions find no problems', () => {
    const outdir = join(folder, `cdk-${auth}-${architecture}`);
    const app = newApp(outdir);
    new SearchStack(app, 'docs', { ...modes[auth], architecture, code: packaged(architecture) });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
  });
});

describe('the checks above are in force', () => {
  function synthesize(outdir: string, spoil: (fn: LambdaFunction) => void) {
    const app = newApp(join(folder, outdir));
    const stack = new SearchStack(app, 'docs', { ...modes.iam, code: packaged('x86_64') });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    spoil(stack.search.function);
    app.synth();
  }

  test('cdk-nag', () => {
    const all = new PolicyStatement({ actions: ['s3:*'], resources: ['*'] });
    expect(() => synthesize('nag', (fn) => fn.addToRolePolicy(all))).toThrow('AwsSolutions-IAM5');
  });

  test('CloudFormation', () => {
    const spoil = (fn: LambdaFunction) =>
      (fn.node.defaultChild as CfnFunction).addPropertyOverride('MemorySize', 'much');
    expect(() => synthesize('cloudformation', spoil)).toThrow('MemorySize');
  });
});

test.skipIf(missingTools('cfn-lint'))('cfn-lint finds no problems in any template', async () => {
  const templates = cases.map(([auth, architecture]) => {
    const file = join(folder, `${auth}-${architecture}.json`);
    const props = {
      ...modes[auth],
      architecture,
      cors: ['https://example.com'],
      alarmEmail: 'ops@example.com',
      dashboard: true,
      tracing: true,
    };
    writeFileSync(file, JSON.stringify(templateOf(props).toJSON()));
    return file;
  });
  const bad = join(folder, 'bad.json');
  writeFileSync(
    bad,
    JSON.stringify({ Resources: { One: { Type: 'AWS::Lambda::Function', Properties: {} } } }),
  );
  // W3005: CDK adds a dependency on the role, which the function's reference already implies.
  const lint = (files: string[]) =>
    promisify(execFile)(tools['cfn-lint'], ['--ignore-checks', 'W3005', '--', ...files]);
  await expect(lint([bad])).rejects.toHaveProperty('stdout', expect.stringContaining('E3003'));
  expect((await lint(templates)).stdout).toBe('');
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
  const { _aws } = withMetrics(entry, 'docs', 200) as {
    _aws: { CloudWatchMetrics: { Metrics: { Name: string }[] }[] };
  };
  const written = _aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name));
  expect([...new Set(names)].sort()).toEqual(written.sort());
});

test.each([
  [true, undefined],
  [false, { Variables: { PAGE: '0' } }],
])('page %s is passed to the function', (page, environment) => {
  const { Environment } = only(templateOf({ ...modes.iam, page }), 'AWS::Lambda::Function').properties;
  expect(Environment).toEqual(environment);
});

test('another app can use the construct twice and extend it', () => {
  const stack = new Stack(newApp(), 'mine');
  const [first] = ['One', 'Two'].map(
    (id) => new SemanticSearch(stack, id, { auth: 'iam', code: packaged('x86_64') }),
  );
  first!.function.addEnvironment('LOG_QUESTIONS', '1');
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Lambda::Function', 2);
  template.resourcePropertiesCountIs('AWS::Lambda::Function', { FunctionName: Match.anyValue() }, 0);
});

test('the asset is the packaged folder', () => {
  const outdir = join(folder, 'assets');
  const app = new App({ outdir });
  new SearchStack(app, 'docs', { ...modes.iam, code: packaged('x86_64') });
  app.synth();
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
  expect(list(staged)).toEqual(list(packaged('x86_64')));
  for (const file of list(staged))
    expect(readFileSync(join(staged, file)).equals(readFileSync(join(packaged('x86_64'), file)))).toBe(true);
});
