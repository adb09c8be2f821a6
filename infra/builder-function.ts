import { ArnFormat, Duration, type RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { Rule, type RuleProps, Schedule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { builderName, UPLOADS } from '../functions/deployed/settings.ts';
import { type BuildMetrics, buildMetrics } from './monitoring.ts';
import {
  acknowledgeObjects,
  acknowledgeVersions,
  allow,
  allowOwn,
  BUILDER_ACTIONS,
  bucketArn,
  functionStatements,
} from './rights.ts';
import type { Settings } from './schema.ts';
import { BUILDER_FOLDER, type DocumentsPlace, documentsAddress, type VectorStore } from './storage.ts';

const TIMEOUT = Duration.minutes(15);
/** Lambda's largest disk. A build keeps documents, caches and indexes there. */
const DISK = Size.mebibytes(10_240);
/** How long Lambda waits for more changes, before it starts a build. */
const WINDOW = Duration.seconds(20);
/**
 * When changes start a build again whose first build failed, died or was not their own. It must be longer than timeout and window. AWS
 * advises six timeouts, so that Lambda can try a throttled function again. Here they would only be a delay: as messages contain nothing
 * but the news of a change, it does no harm if one arrives twice.
 */
const RETRY = Duration.minutes(16);
/** How often a message may start a build that fails, before it goes to the queue of failed ones. */
const MAX_TRIES = 5;
/**
 * Nobody reads failed messages, as the next build includes their changes. They only raise an alarm, which ends with them. SQS counts the
 * time from the change on.
 */
const FAILED_STAY = Duration.days(1);
const SAFE = { enforceSSL: true, encryption: QueueEncryption.SQS_MANAGED };
/** What Lambda calls on the queue with the rights of the function. */
const QUEUE_ACTIONS = ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'];
/** Statuses after which the search function may have new code or settings. */
const DEPLOYED = ['CREATE_COMPLETE', 'UPDATE_COMPLETE'];

interface BuilderProps {
  settings: Settings;
  code: lambda.Code;
  removalPolicy: RemovalPolicy;
  functionName: string;
  search: lambda.IFunction;
  documents: DocumentsPlace;
  /** The stack's own bucket, which has the builder's state. */
  bucket: Bucket;
  /** The index in S3 Vectors. Without it, the index becomes part of the search function. */
  store: VectorStore | undefined;
}

/** A function that builds the index in AWS whenever documents change, on a schedule, and after each deploy. */
export class Builder extends Construct {
  readonly function: lambda.Function;
  readonly logGroup: LogGroup;
  /** Collects changes, so that many of them are one build. */
  readonly queue: Queue;
  readonly documents: DocumentsPlace;
  /** Changes whose builds failed several times. The next build includes them too. */
  readonly failed: Queue;

  readonly metrics: BuildMetrics;

  constructor(scope: Construct, id: string, props: BuilderProps) {
    super(scope, id);
    const { settings, documents, removalPolicy } = props;
    this.documents = documents;
    this.logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${builderName(props.functionName)}`,
      retention: settings.logRetention,
      removalPolicy,
    });
    this.failed = new Queue(this, 'Failed', { ...SAFE, retentionPeriod: FAILED_STAY });
    this.queue = new Queue(this, 'Queue', {
      ...SAFE,
      visibilityTimeout: RETRY,
      deadLetterQueue: { queue: this.failed, maxReceiveCount: MAX_TRIES },
    });
    this.function = this.makeFunction(props);
    this.function.addEventSourceMapping('Changes', {
      eventSourceArn: this.queue.queueArn,
      batchSize: 10_000,
      maxBatchingWindow: WINDOW,
      // Lambda's minimum. A lock in the bucket lets one of them build.
      maxConcurrency: 2,
      reportBatchItemFailures: true,
    });
    this.addRules(props);
    this.metrics = buildMetrics(this.function, this.queue, this.failed);
  }

  private makeFunction(props: BuilderProps): lambda.Function {
    const { settings, code, functionName, bucket, documents, store } = props;
    const fn = new lambda.Function(this, 'Function', {
      functionName: builderName(functionName),
      description: `Builds the index of ${functionName} (polyseek)`,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture:
        settings.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
      handler: 'builder.handler',
      code,
      memorySize: settings.builderMemory,
      ephemeralStorageSize: DISK,
      timeout: TIMEOUT,
      // The builder invokes itself until a long build is done. By default, Lambda stops such chains.
      recursiveLoop: lambda.RecursiveLoop.ALLOW,
      role: makeBuilderRole(this, props, this.logGroup, this.queue),
      logGroup: this.logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      environment: {
        FUNCTION_NAME: functionName,
        DOCUMENTS: documentsAddress(documents),
        BUCKET: bucket.bucketName,
        STORE: store?.address ?? 'bundle',
      },
    });
    // So that no build writes into the bucket while it is emptied.
    fn.node.addDependency(bucket);
    return fn;
  }

  private addRules({ settings: { buildSchedule }, documents: { bucketName, prefix } }: BuilderProps): void {
    const targets = [new SqsQueue(this.queue)];
    const add = (name: string, rule: RuleProps) => new Rule(this, name, { ...rule, targets });
    add('DocumentsChanged', {
      description: 'Documents were written or deleted.',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created', 'Object Deleted'],
        detail: {
          bucket: { name: [bucketName] },
          ...(prefix && { object: { key: [prefix, { prefix: `${prefix}/` }] } }),
        },
      },
    });
    add('Deployed', {
      description: 'CloudFormation has deployed this stack.',
      eventPattern: {
        source: ['aws.cloudformation'],
        detailType: ['CloudFormation Stack Status Change'],
        detail: { 'stack-id': [Stack.of(this).stackId], 'status-details': { status: DEPLOYED } },
      },
    });
    if (buildSchedule !== 'none')
      add('Schedule', {
        description: 'Finds changes whose events were lost.',
        schedule: Schedule.expression(buildSchedule),
      });
  }
}

/** The role of the builder: it reads the documents, keeps its state in the stack's bucket, and updates one index. */
function makeBuilderRole(
  scope: Construct,
  { functionName, search, documents, bucket, store }: BuilderProps,
  logGroup: LogGroup,
  queue: IQueue,
): Role {
  const itself = Stack.of(scope).formatArn({
    service: 'lambda',
    resource: 'function',
    // The name instead of the function's attribute, as the function depends on this role.
    resourceName: builderName(functionName),
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const folders = [BUILDER_FOLDER, ...(store ? [] : [UPLOADS])];
  const isOwn = documents.bucketName === bucket.bucketName;
  const from = isOwn ? bucket.bucketArn : bucketArn(scope, documents.bucketName);
  const { prefix } = documents;
  const objects = prefix ? [`${from}/${prefix}`, `${from}/${prefix}/*`] : [`${from}/*`];
  const own = (actions: readonly string[], ...resources: string[]) => allowOwn(scope, actions, resources);
  const statements = {
    log: [allow(['logs:CreateLogStream', 'logs:PutLogEvents'], logGroup.logGroupArn)],
    queue: [allow(QUEUE_ACTIONS, queue.queueArn)],
    documents: [
      // A bucket of someone's own may belong to another account.
      (isOwn ? own : allow)(BUILDER_ACTIONS.documents, ...objects),
      // The stack's own bucket may be listed anyway.
      ...(isOwn
        ? []
        : [
            new PolicyStatement({
              actions: [...BUILDER_ACTIONS.documentsBucket],
              resources: [from],
              ...(prefix && { conditions: { StringEquals: { 's3:prefix': prefix } } }),
            }),
          ]),
    ],
    state: [
      own(BUILDER_ACTIONS.ownObjects, ...folders.map((folder) => bucket.arnForObjects(`${folder}*`))),
      // Without a condition, as S3 otherwise answers 403 instead of 404 for an object that does not exist.
      own(BUILDER_ACTIONS.ownBucket, bucket.bucketArn),
      allow(BUILDER_ACTIONS.itself, itself),
    ],
    index: store ? store.writeStatements() : functionStatements(search),
  };
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `Lets the builder read the documents and update the index of ${functionName}, and nothing else.`,
    inlinePolicies: Object.fromEntries(
      Object.entries(statements).map(([name, list]) => [name, new PolicyDocument({ statements: list })]),
    ),
  });
  acknowledgeObjects(role, bucket, folders, 'All objects of one folder.');
  acknowledgeObjects(role, isOwn ? bucket : documents.bucketName, [prefix && `${prefix}/`], 'All documents.');
  if (store) store.acknowledge(role);
  else acknowledgeVersions(role, search);
  return role;
}
