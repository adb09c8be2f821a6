import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  CreateAliasCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  ListFunctionsCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import {
  DeleteObjectCommand,
  type EventBridgeConfiguration,
  ListBucketsCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import {
  DeleteMessageCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Aws, startAws } from '../fixtures/aws.ts';
import { createBucket } from '../fixtures/aws-setup.ts';
import { ASSETS_BUCKET, cdk, writeProject } from '../fixtures/cdk.ts';
import { temporaryFolder } from '../fixtures/index.ts';
import { missingTools } from '../fixtures/tools.ts';

const EXISTING = 'someone-elses-bucket';
const PLACE = '123456789012-eu-central-1';

interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown>; DeletionPolicy?: string }>;
}

/** Types that moto creates, and this test counts. Only the tests of the template cover the others. */
const COUNTED = [
  'AWS::Events::Rule',
  'AWS::IAM::Role',
  'AWS::Lambda::Function',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
  'AWS::SQS::Queue',
] as const;

// moto sends every event to rules that only have a schedule.
const DOCUMENTS = { documents: 'true', buildSchedule: 'none' };
/** Stacks by their names, with their settings. */
export const STACKS: Record<string, Record<string, string>> = {
  own: DOCUMENTS,
  other: { ...DOCUMENTS, documents: `s3://${EXISTING}/manuals` },
  vectors: { store: 's3vectors' },
  both: { store: 's3vectors', documents: 'true' },
};

/** Tests that deploy, update and destroy some of `STACKS`; the first of them is `own`. */
export function testLifeCycle(names: string[]): void {
  const stacks = names.map((name): [string, Record<string, string>] => [name, STACKS[name]!]);
  const project = join(temporaryFolder(), 'project');
  describe.skipIf(missingTools('moto', 'Node 24', 'aws-lambda-ric'))('the life cycle of a stack', () => {
    let aws: Aws;
    let sqs: SQSClient;
    let events: EventBridgeClient;
    let deploys = 0;

    async function run(args: string[], context: Record<string, string>): Promise<string> {
      const { code, stdout, stderr } = await cdk(aws, project, args, {
        auth: 'iam',
        assetsBucket: ASSETS_BUCKET,
        ...context,
      });
      if (code !== 0) throw new Error(stdout + stderr);
      return stdout + stderr;
    }
    const deploy = async (context: Record<string, string>): Promise<Template> => {
      // moto confuses change sets with the same name in different stacks.
      await run(
        ['deploy', '--require-approval', 'never', '--change-set-name', `change-${++deploys}`],
        context,
      );
      return JSON.parse(readFileSync(join(project, 'cdk.out', `${context.stack}.template.json`), 'utf8'));
    };

    beforeAll(async () => {
      writeProject(project);
      aws = await startAws();
      const common = {
        endpoint: aws.url,
        region: 'eu-central-1',
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      };
      sqs = new SQSClient(common);
      events = new EventBridgeClient(common);
      await createBucket(aws, EXISTING);
      await createBucket(aws, ASSETS_BUCKET);
    });
    afterAll(() => aws.stop());

    /** The resources of a stack by their names or ARNs, as the services report them. */
    async function made(stack: string): Promise<Record<(typeof COUNTED)[number], string[]>> {
      const names = async (service: string, body: string, target: string, found: RegExp) => {
        const authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/${service}/aws4_request`;
        const type = target ? 'application/x-amz-json-1.1' : 'application/x-www-form-urlencoded';
        const headers = { authorization, 'x-amz-target': target, 'content-type': type };
        const response = await fetch(aws.url, { method: 'POST', body, headers });
        return [...(await response.text()).matchAll(found)].map(([, name]) => name!);
      };
      const { Functions = [] } = await aws.lambda.send(new ListFunctionsCommand());
      const { Buckets = [] } = await aws.s3.send(new ListBucketsCommand());
      const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand());
      const { Rules = [] } = await events.send(new ListRulesCommand());
      const all = {
        'AWS::Events::Rule': Rules.map(({ Name }) => Name!),
        'AWS::IAM::Role': await names('iam', 'Action=ListRoles&Version=2010-05-08', '', /<RoleName>([^<]+)/g),
        'AWS::Lambda::Function': Functions.map(({ FunctionName }) => FunctionName!),
        'AWS::Logs::LogGroup': await names(
          'logs',
          '{}',
          'Logs_20140328.DescribeLogGroups',
          /"logGroupName": ?"([^"]+)/g,
        ),
        'AWS::S3::Bucket': Buckets.map(({ Name }) => Name!),
        'AWS::SQS::Queue': QueueUrls,
      };
      return Object.fromEntries(
        Object.entries(all).map(([type, list]) => [
          type,
          list.filter((name) => new RegExp(`(^|[/-])${stack}(-|$)`).test(name)),
        ]),
      ) as Record<(typeof COUNTED)[number], string[]>;
    }

    const counts = (lists: Record<string, string[]>) =>
      Object.fromEntries(Object.entries(lists).map(([type, list]) => [type, list.length]));
    const countsIn = ({ Resources }: Template) =>
      Object.fromEntries(
        COUNTED.map((type) => [type, Object.values(Resources).filter(({ Type }) => Type === type).length]),
      );

    /** Sets up the bucket's notifications as its resource in the template says, which moto ignores. */
    async function notify(Bucket: string, { Resources }: Template): Promise<void> {
      const { Properties } = Object.values(Resources).find(({ Type }) => Type === 'AWS::S3::Bucket')!;
      const { EventBridgeConfiguration: on } = (Properties.NotificationConfiguration ?? {}) as {
        EventBridgeConfiguration?: { EventBridgeEnabled: boolean };
      };
      if (on?.EventBridgeEnabled) await sendEvents(Bucket);
    }
    const sendEvents = (Bucket: string) => {
      const EventBridgeConfiguration: EventBridgeConfiguration = {};
      return aws.s3.send(
        new PutBucketNotificationConfigurationCommand({
          Bucket,
          NotificationConfiguration: { EventBridgeConfiguration },
        }),
      );
    };

    /** Takes all messages out of the queue of a stack: what happened to which object, or with which stack. */
    async function received(stack: string): Promise<string[]> {
      const QueueUrl = (await made(stack))['AWS::SQS::Queue'].find((url) => /BuilderQueue/.test(url));
      const found: string[] = [];
      for (;;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
        );
        if (Messages.length === 0) return found.sort();
        for (const { Body, ReceiptHandle } of Messages) {
          const event = JSON.parse(Body!);
          found.push(
            `${event['detail-type']} ${event.detail.object?.key ?? event.detail['status-details'].status}`,
          );
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
    }
    const put = (Bucket: string, Key: string) =>
      aws.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const remove = (Bucket: string, Key: string) => aws.s3.send(new DeleteObjectCommand({ Bucket, Key }));

    const templates = new Map<string, Template>();

    test.each(stacks)(
      'deploy creates the resources of the template: %s %j',
      async (stack, settings) => {
        const template = await deploy({ stack, ...settings });
        templates.set(stack, template);
        expect(counts(await made(stack))).toEqual(countsIn(template));
        expect((await made(stack))['AWS::S3::Bucket']).toEqual([`polyseek-${stack}-${PLACE}`]);
        const { Environment } = await aws.lambda.send(
          new GetFunctionConfigurationCommand({ FunctionName: stack }),
        );
        const index = settings.store ? `s3vectors://polyseek-${stack}-${PLACE}/passages` : undefined;
        expect(Environment?.Variables?.INDEX).toBe(index);
        if (!settings.documents) return;
        const builder = await aws.lambda.send(
          new GetFunctionConfigurationCommand({ FunctionName: `${stack}-builder` }),
        );
        expect(builder).toMatchObject({
          Handler: 'builder.handler',
          Timeout: 900,
          MemorySize: 3008,
          Environment: {
            Variables: {
              FUNCTION_NAME: stack,
              DOCUMENTS:
                settings.documents === 'true'
                  ? `s3://polyseek-${stack}-${PLACE}/documents`
                  : settings.documents,
              BUCKET: `polyseek-${stack}-${PLACE}`,
              STORE: index ?? 'bundle',
            },
          },
        });
      },
      400_000,
    );

    test('documents of the stack’s own bucket start builds, and what the builder writes does not', async () => {
      const bucket = `polyseek-own-${PLACE}`;
      await notify(bucket, templates.get('own')!);
      await received('own');
      for (const key of ['documents/a.pdf', 'builder/lock.json', 'polyseek/a.zip', 'documents2/b.pdf'])
        await put(bucket, key);
      await remove(bucket, 'documents/a.pdf');
      expect(await received('own')).toEqual([
        'Object Created documents/a.pdf',
        'Object Deleted documents/a.pdf',
      ]);
    });

    test.runIf(names.includes('other'))(
      'documents of another bucket start builds if they are below the prefix',
      async () => {
        await sendEvents(EXISTING);
        for (const key of ['manuals/b.pdf', 'manuals', 'manuals2/c.pdf', 'd.pdf']) await put(EXISTING, key);
        expect(await received('other')).toEqual(['Object Created manuals', 'Object Created manuals/b.pdf']);
        expect(await received('own')).toEqual([]);
      },
    );

    test('a deploy of the stack starts a build, and other stacks do not', async () => {
      const { Rules = [] } = await events.send(new ListRulesCommand());
      const patterns = Rules.map(({ EventPattern = '{}' }) => JSON.parse(EventPattern));
      const ids = patterns.flatMap(({ detail }) => detail?.['stack-id'] ?? []) as string[];
      const own = ids.find((id) => id.includes(':stack/own/'))!;
      const changed = (stack: string, status: string) => ({
        Source: 'aws.cloudformation',
        DetailType: 'CloudFormation Stack Status Change',
        Detail: JSON.stringify({ 'stack-id': stack, 'status-details': { status } }),
      });
      await events.send(
        new PutEventsCommand({
          Entries: [
            changed(own, 'UPDATE_IN_PROGRESS'),
            changed(own, 'UPDATE_COMPLETE'),
            changed(`${own}-other`, 'UPDATE_COMPLETE'),
          ],
        }),
      );
      expect(await received('own')).toEqual(['CloudFormation Stack Status Change UPDATE_COMPLETE']);
    });

    test('every rule sends to the queue of its stack', async () => {
      for (const [stack] of stacks) {
        for (const Rule of (await made(stack))['AWS::Events::Rule']) {
          const { Targets = [] } = await events.send(new ListTargetsByRuleCommand({ Rule }));
          expect(Targets.map(({ Arn }) => Arn)).toEqual([
            expect.stringMatching(`:${stack}-SearchBuilderQueue`),
          ]);
        }
      }
    });

    test('another deploy with other settings leaves the alias where the builder has moved it', async () => {
      const named = { FunctionName: 'own' };
      const before = templates.get('own')!;
      const ofType = ({ Resources }: Template, type: string) =>
        Object.entries(Resources).filter(([, { Type }]) => Type === type);
      // As CloudFormation does: the alias of the template points at the version of the template, which is the first one.
      await aws.lambda.send(new CreateAliasCommand({ ...named, Name: 'live', FunctionVersion: '1' }));
      const ZipFile = zipSync({ 'lambda.mjs': new TextEncoder().encode('// with an index') });
      await aws.lambda.send(new UpdateFunctionCodeCommand({ ...named, ZipFile }));
      const { Version } = await aws.lambda.send(
        new PublishVersionCommand({ ...named, Description: 'built' }),
      );
      await aws.lambda.send(new UpdateAliasCommand({ ...named, Name: 'live', FunctionVersion: Version }));

      const after = await deploy({ stack: 'own', ...DOCUMENTS, memorySize: '1024', logQuestions: 'true' });
      const latest = await aws.lambda.send(new GetFunctionConfigurationCommand(named));
      expect(latest).toMatchObject({ MemorySize: 1024, Environment: { Variables: { LOG_QUESTIONS: '1' } } });
      // CloudFormation changes no resource whose part of the template is the same.
      for (const type of ['AWS::Lambda::Version', 'AWS::Lambda::Alias'])
        expect(ofType(after, type)).toEqual(ofType(before, type));
      const { FunctionVersion } = await aws.lambda.send(new GetAliasCommand({ ...named, Name: 'live' }));
      expect(FunctionVersion).toBe(Version);
      expect(Version).not.toBe('1');
    }, 400_000);

    test.each(stacks)('destroy leaves only the documents: %s %j', async (stack, settings) => {
      const bucket = `polyseek-${stack}-${PLACE}`;
      const keeps = settings.documents === 'true';
      if (keeps) await put(bucket, 'documents/e.pdf');
      // CloudFormation empties the other buckets with a function, which moto does not run.
      await run(['destroy', '--force'], { stack, ...settings });
      const left = await made(stack);
      expect(left).toEqual({
        ...Object.fromEntries(COUNTED.map((type) => [type, []])),
        ...(keeps && { 'AWS::S3::Bucket': [bucket] }),
      });
    });
  });
}
