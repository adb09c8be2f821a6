import { Annotations, Match, type Template } from 'aws-cdk-lib/assertions';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, test } from 'vitest';
import { BUILDER_ACTIONS } from '../../infra/rights.ts';
import type { SettingsInput } from '../../infra/schema.ts';
import { SemanticSearch } from '../../infra/semantic-search.ts';
import { defaultModel, temporaryFolder } from '../fixtures/index.ts';
import { only, ownStack, rightsOf, stackOf, templateOf as synthesized, textOf } from './templates.ts';

const folder = temporaryFolder();
const EXISTING = 's3://my-docs/manuals';
const stores: Record<string, SettingsInput> = {
  'documents of its own': { documents: true },
  'documents in a bucket': { documents: EXISTING },
  'S3 Vectors': { store: 's3vectors' },
  'S3 Vectors and documents': { store: 's3vectors', documents: EXISTING },
};
const cases = Object.keys(stores);
const settingsOf = (name: string, more: SettingsInput = {}): SettingsInput => ({
  auth: 'iam',
  ...stores[name],
  ...more,
});
const templateOf = (name: string, more?: SettingsInput) => synthesized(folder, settingsOf(name, more));

/** The number of resources of each type that an endpoint with an index in its package does not have. */
function additions(name: string): Record<string, number> {
  const count = (template: Template) => {
    const found = new Map<string, number>();
    for (const { Type } of Object.values(template.toJSON().Resources as Record<string, { Type: string }>))
      found.set(Type, (found.get(Type) ?? 0) + 1);
    return found;
  };
  const plain = count(synthesized(folder, { auth: 'iam' }));
  const all = [...count(templateOf(name))].map(
    ([type, number]) => [type, number - (plain.get(type) ?? 0)] as const,
  );
  return Object.fromEntries(all.filter(([, number]) => number !== 0));
}

const bucket = { 'AWS::S3::Bucket': 1, 'AWS::S3::BucketPolicy': 1 };
const emptying = { 'Custom::S3AutoDeleteObjects': 1, 'AWS::Lambda::Function': 1, 'AWS::IAM::Role': 1 };
const vectors = { 'AWS::S3Vectors::VectorBucket': 1, 'AWS::S3Vectors::Index': 1 };
const builder = {
  'AWS::Lambda::Function': 1,
  'AWS::IAM::Role': 1,
  'AWS::Logs::LogGroup': 1,
  'AWS::SQS::Queue': 2,
  'AWS::SQS::QueuePolicy': 2,
  'AWS::Lambda::EventSourceMapping': 1,
  'AWS::Events::Rule': 3,
};
const sum = (...parts: Record<string, number>[]) => {
  const total: Record<string, number> = {};
  for (const [type, number] of parts.flatMap((part) => Object.entries(part)))
    total[type] = (total[type] ?? 0) + number;
  return total;
};

test.each([
  ['documents of its own', sum(bucket, builder)],
  ['documents in a bucket', sum(bucket, emptying, builder)],
  ['S3 Vectors', sum(bucket, emptying, vectors)],
  ['S3 Vectors and documents', sum(bucket, emptying, vectors, builder)],
])('%s adds exactly these resources', (name, expected) => {
  expect(additions(name)).toEqual(expected);
});

const LOG = (log: string) => [`logs:CreateLogStream <${log}.Arn>`, `logs:PutLogEvents <${log}.Arn>`];
const FUNCTION = '<SearchFunction.Arn>';
const BUCKET = '<SearchBucket.Arn>';
const INDEX = '<SearchStoreIndex.IndexArn>';
const objects = (actions: readonly string[], ...resources: string[]) =>
  actions.flatMap((action) => resources.map((resource) => `${action} ${resource}`)).sort();

/** The condition of rights on a bucket whose name everyone can compute. */
const OWN = ' if {"StringEquals":{"aws:ResourceAccount":{"Ref":"AWS::AccountId"}}}';
const own = (rights: string[]) => rights.map((right) => right + OWN);

describe('least rights', () => {
  test.each(['documents of its own', 'documents in a bucket'])(
    'the search function can only write its log with %s',
    (name) => {
      expect(rightsOf(templateOf(name), 'SearchRole')).toEqual({ log: LOG('SearchLog') });
    },
  );

  test.each(['S3 Vectors', 'S3 Vectors and documents'])(
    'the search function can also read its index with %s',
    (name) => {
      expect(rightsOf(templateOf(name), 'SearchRole')).toEqual({
        log: LOG('SearchLog'),
        index: [
          `s3:GetObject ${BUCKET}/passages/*${OWN}`,
          `s3:ListBucket ${BUCKET}${OWN}`,
          `s3vectors:GetVectors ${INDEX}`,
          `s3vectors:QueryVectors ${INDEX}`,
        ],
      });
    },
  );

  const common = {
    log: LOG('SearchBuilderLog'),
    queue: objects(
      ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
      '<SearchBuilderQueue.Arn>',
    ),
  };
  const itself = 'lambda:InvokeFunction arn:aws:lambda:<Region>:<AccountId>:function:docs-builder';
  const state = (...folders: string[]) =>
    [
      itself,
      ...own(objects(BUILDER_ACTIONS.ownObjects, ...folders.map((name) => `${BUCKET}/${name}/*`))),
      `s3:ListBucket ${BUCKET}${OWN}`,
    ].sort();
  const publish = [
    ...objects(BUILDER_ACTIONS.searchFunction, FUNCTION, `${FUNCTION}:*`),
    `lambda:DeleteFunction ${FUNCTION}:*`,
  ].sort();

  test('the builder reads its documents, keeps its state and publishes one function', () => {
    expect(rightsOf(templateOf('documents of its own'), 'SearchBuilderRole')).toEqual({
      ...common,
      documents: own(objects(['s3:GetObject'], `${BUCKET}/documents`, `${BUCKET}/documents/*`)),
      state: state('builder', 'polyseek'),
      index: publish,
    });
  });

  test('the builder reads a part of another bucket', () => {
    const listing = 's3:ListBucket arn:aws:s3:::my-docs if {"StringEquals":{"s3:prefix":"manuals"}}';
    expect(rightsOf(templateOf('documents in a bucket'), 'SearchBuilderRole')).toEqual({
      ...common,
      documents: [
        ...objects(['s3:GetObject'], 'arn:aws:s3:::my-docs/manuals', 'arn:aws:s3:::my-docs/manuals/*'),
        listing,
      ],
      state: state('builder', 'polyseek'),
      index: publish,
    });
  });

  test('the builder of an index in S3 Vectors cannot update the function', () => {
    const template = templateOf('S3 Vectors and documents', { documents: 's3://my-docs' });
    expect(rightsOf(template, 'SearchBuilderRole')).toEqual({
      ...common,
      documents: ['s3:GetObject arn:aws:s3:::my-docs/*', 's3:ListBucket arn:aws:s3:::my-docs'],
      state: state('builder'),
      index: [
        ...own(objects(BUILDER_ACTIONS.ownObjects, `${BUCKET}/passages/*`)),
        `s3:ListBucket ${BUCKET}${OWN}`,
        ...objects(
          ['DeleteVectors', 'GetIndex', 'GetVectors', 'ListVectors', 'PutVectors', 'QueryVectors'].map(
            (operation) => `s3vectors:${operation}`,
          ),
          INDEX,
        ),
      ].sort(),
    });
  });

  test('GitHub may publish an index in S3 Vectors, and not replace the function', () => {
    const template = templateOf('S3 Vectors', { githubRepository: 'someone/docs' });
    const index = rightsOf(templateOf('S3 Vectors and documents'), 'SearchBuilderRole').index;
    expect(rightsOf(template, 'PushRole')).toEqual({ push: index });
  });

  test('only the rules of the stack may send to the queue', () => {
    const policies = Object.values(templateOf('documents of its own').findResources('AWS::SQS::QueuePolicy'));
    const allowed = policies
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Effect }) => Effect === 'Allow');
    expect(allowed.map(({ Principal }) => Principal)).toEqual(
      Array.from({ length: 3 }, () => ({ Service: 'events.amazonaws.com' })),
    );
    expect(allowed.map(({ Condition }) => textOf(Condition.ArnEquals['aws:SourceArn'])).sort()).toEqual([
      '<SearchBuilderDeployed.Arn>',
      '<SearchBuilderDocumentsChanged.Arn>',
      '<SearchBuilderSchedule.Arn>',
    ]);
  });
});

describe('the bucket of the stack', () => {
  test('is private, encrypted and named after the function, the account and the region', () => {
    for (const name of cases) {
      const { properties } = only(templateOf(name), 'AWS::S3::Bucket');
      expect(textOf(properties.BucketName)).toBe('polyseek-docs-<AccountId>-<Region>');
      expect(properties).toMatchObject({
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        LifecycleConfiguration: {
          Rules: [
            { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' },
            { Prefix: 'polyseek/', ExpirationInDays: 1, Status: 'Enabled' },
          ],
        },
      });
      expect(properties.VersioningConfiguration).toBeUndefined();
    }
  });

  test('stays with the documents, and the command that deletes it is printed', () => {
    const stack = stackOf(folder, settingsOf('documents of its own'));
    expect(only(templateOf('documents of its own'), 'AWS::S3::Bucket').deletionPolicy).toBe(
      'RetainExceptOnCreate',
    );
    expect(
      Annotations.fromStack(stack).findInfo('*', Match.stringLikeRegexp('cdk destroy keeps this bucket')),
    ).toEqual([
      expect.objectContaining({
        entry: expect.objectContaining({
          data: expect.stringContaining('aws s3 rb s3://polyseek-docs-ACCOUNT-REGION --force'),
        }),
      }),
    ]);
  });

  test.each(cases.slice(1))('is deleted with its objects with %s, after the builder', (name) => {
    const template = templateOf(name);
    expect(only(template, 'AWS::S3::Bucket').deletionPolicy).toBe('Delete');
    const { name: custom, properties } = only(template, 'Custom::S3AutoDeleteObjects');
    expect(textOf(properties.BucketName)).toBe('<SearchBucket>');
    const builders = template.findResources('AWS::Lambda::Function', {
      Properties: { FunctionName: 'docs-builder' },
    });
    for (const { DependsOn } of Object.values(builders)) expect(DependsOn).toContain(custom);
  });

  test('sends its events to EventBridge if it has the documents', () => {
    const configured = (name: string) =>
      only(templateOf(name), 'AWS::S3::Bucket').properties.NotificationConfiguration;
    expect(configured('documents of its own')).toEqual({
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    });
    expect(configured('documents in a bucket')).toBeUndefined();
    const stack = stackOf(folder, settingsOf('documents in a bucket'));
    const notes = Annotations.fromStack(stack).findInfo(
      '*',
      Match.stringLikeRegexp('bucket my-docs must send its events'),
    );
    expect(notes).toHaveLength(1);
  });
});

describe('S3 Vectors', () => {
  test('has an index for the model, which the search function reads', () => {
    const template = templateOf('S3 Vectors');
    expect(textOf(only(template, 'AWS::S3Vectors::VectorBucket').properties.VectorBucketName)).toBe(
      '<SearchBucket>',
    );
    const { properties, deletionPolicy } = only(template, 'AWS::S3Vectors::Index');
    expect(properties).toEqual({
      VectorBucketArn: expect.anything(),
      IndexName: 'passages',
      DataType: 'float32',
      Dimension: defaultModel().model.dimensions,
      DistanceMetric: 'cosine',
      MetadataConfiguration: { NonFilterableMetadataKeys: ['row'] },
    });
    expect(deletionPolicy).toBeUndefined();
    const { Variables } = functionNamed(template, 'docs').Environment;
    expect(textOf(Variables.INDEX)).toBe('s3vectors://<SearchBucket>/passages');
    expect(Variables.TIMEOUT).toBe('10');
    expect(textOf(template.toJSON().Outputs.Index.Value)).toBe('s3vectors://<SearchBucket>/passages');
  });
});

/** Properties of the function with this name. */
function functionNamed(template: Template, FunctionName: string) {
  const [one] = Object.values(
    template.findResources('AWS::Lambda::Function', { Properties: { FunctionName } }),
  );
  return one!.Properties;
}

describe('the builder', () => {
  test.each([
    ['documents of its own', 's3://<SearchBucket>/documents', 'bundle'],
    ['documents in a bucket', EXISTING, 'bundle'],
    ['S3 Vectors and documents', EXISTING, 's3vectors://<SearchBucket>/passages'],
  ])('is a large function that knows where everything is, with %s', (name, documents, store) => {
    const { Environment, ...properties } = functionNamed(templateOf(name), 'docs-builder');
    expect(properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['x86_64'],
      Handler: 'builder.handler',
      MemorySize: 3008,
      Timeout: 900,
      EphemeralStorage: { Size: 10_240 },
    });
    const { DOCUMENTS, BUCKET, STORE, ...others } = Environment.Variables;
    expect([DOCUMENTS, BUCKET, STORE].map(textOf)).toEqual([documents, '<SearchBucket>', store]);
    expect(others).toEqual({ FUNCTION_NAME: 'docs' });
  });

  test('has the architecture and memory of the settings', () => {
    const template = templateOf('documents of its own', { architecture: 'arm64', builderMemory: 10_240 });
    expect(functionNamed(template, 'docs-builder')).toMatchObject({
      Architectures: ['arm64'],
      MemorySize: 10_240,
    });
  });

  test('gets many changes at once, and messages that failed five times go to another queue', () => {
    const template = templateOf('documents of its own');
    expect(only(template, 'AWS::Lambda::EventSourceMapping').properties).toMatchObject({
      BatchSize: 10_000,
      MaximumBatchingWindowInSeconds: 20,
      ScalingConfig: { MaximumConcurrency: 2 },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    const queues = template.findResources('AWS::SQS::Queue');
    const [name] = Object.keys(queues).filter((id) => id.startsWith('SearchBuilderQueue'));
    const { VisibilityTimeout, RedrivePolicy } = queues[name!]!.Properties;
    expect(VisibilityTimeout).toBe(960);
    expect(textOf(RedrivePolicy.deadLetterTargetArn)).toBe('<SearchBuilderFailed.Arn>');
    expect(RedrivePolicy.maxReceiveCount).toBe(5);
  });

  test('runs on a schedule, unless there is none', () => {
    const schedules = (more: SettingsInput) =>
      Object.values(templateOf('documents of its own', more).findResources('AWS::Events::Rule')).flatMap(
        ({ Properties }) => Properties.ScheduleExpression ?? [],
      );
    expect(schedules({})).toEqual(['rate(1 day)']);
    expect(schedules({ buildSchedule: 'cron(0 3 * * ? *)' })).toEqual(['cron(0 3 * * ? *)']);
    expect(schedules({ buildSchedule: 'none' })).toEqual([]);
  });

  test('has alarms, which are sent to the e-mail address', () => {
    const template = templateOf('documents of its own', { alarmEmail: 'ops@example.com' });
    const topic = only(template, 'AWS::SNS::Topic');
    template.resourceCountIs('AWS::CloudWatch::Alarm', 8);
    template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [{ Ref: topic.name }] });
    for (const [MetricName, Threshold] of [
      ['BuildFailed', 1],
      ['ApproximateAgeOfOldestMessage', 3600],
    ] as const)
      template.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName, Threshold });
    // SQS leaves out messages that it has delivered three times, so that the age does not show builds that fail.
    const [failed] = Object.keys(template.findResources('AWS::SQS::Queue')).filter((id) =>
      id.startsWith('SearchBuilderFailed'),
    );
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Threshold: 1,
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [failed, 'QueueName'] } }],
    });
  });
});

describe('versions', () => {
  /** The alias, and the version that it points at, as CloudFormation sees them. */
  const published = (name: string, more: SettingsInput) => {
    const template = templateOf(name, more);
    return [template.findResources('AWS::Lambda::Alias'), template.findResources('AWS::Lambda::Version')];
  };
  const changes: SettingsInput[] = [
    { memorySize: 1024 },
    { timeout: 5 },
    { architecture: 'arm64' },
    { auth: 'none' },
    { logQuestions: true, cors: ['https://example.com'] },
    { builderMemory: 4096, buildSchedule: 'none' },
  ];

  test.each(changes)(
    'CloudFormation publishes no version and leaves the alias, if a builder publishes (%j)',
    (change) => {
      expect(published('documents in a bucket', change)).toEqual(published('documents in a bucket', {}));
    },
  );

  test('CloudFormation publishes each change of a function that reads its index elsewhere', () => {
    const change = { memorySize: 1024 };
    expect(published('S3 Vectors and documents', change)).not.toEqual(
      published('S3 Vectors and documents', {}),
    );
  });
});

describe('in someone’s own app', () => {
  test('documents are in a bucket of the app, whose key the builder may use', () => {
    const { stack, template } = ownStack(folder, (scope) => ({
      documents: {
        bucket: new Bucket(scope, 'Docs', { encryptionKey: new Key(scope, 'Key') }),
        prefix: 'manuals/',
      },
      buildSchedule: Schedule.expression('rate(2 hours)'),
    }));
    const { Variables } = Object.values(
      template().findResources('AWS::Lambda::Function', { Properties: { Handler: 'builder.handler' } }),
    )[0]!.Properties.Environment;
    expect(textOf(Variables.DOCUMENTS)).toBe('s3://<Docs>/manuals');
    template().hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: [Match.objectLike({ Action: 'kms:Decrypt' })] },
    });
    template().hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(2 hours)' });
    expect(stack.node.tryFindChild('Search')).toBeDefined();
  });

  test('two endpoints of one stack have buckets and builders of their own', () => {
    const { stack, template } = ownStack(folder, () => ({ documents: true }));
    new SemanticSearch(stack, 'Other', { auth: 'iam', documents: true });
    const names = (type: string, property: string) =>
      Object.values(template().findResources(type)).map(({ Properties }) => textOf(Properties[property]));
    const functions = names('AWS::Lambda::Function', 'FunctionName');
    const searches = functions.filter((name) => !name.endsWith('-builder'));
    expect(new Set(searches).size).toBe(2);
    expect(functions.sort()).toEqual(searches.flatMap((name) => [name, `${name}-builder`]).sort());
    const buckets = names('AWS::S3::Bucket', 'BucketName');
    expect(new Set(buckets).size).toBe(2);
    for (const name of buckets) expect(name).toMatch(/^polyseek-[a-z0-9-]{1,26}-<AccountId>-<Region>$/);
  });
});
