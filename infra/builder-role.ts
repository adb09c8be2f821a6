import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { builderName, UPLOADS } from '../functions/deployed/resource-names.ts';
import { BUILDER_ACTIONS } from './builder-actions.ts';
import type { DocumentsPlace } from './documents.ts';
import { acknowledgeObjects, acknowledgeVersions } from './nag.ts';
import { BUILDER_FOLDER } from './names.ts';
import { inOwnAccount } from './own-account.ts';
import { functionStatements } from './push-statements.ts';
import type { VectorStore } from './vector-store.ts';

/** What Lambda calls on the queue with the rights of the function. */
const QUEUE_ACTIONS = ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'];

/** What the builder works with. */
export interface Parts {
  /** Name of the search function. */
  functionName: string;
  search: IFunction;
  documents: DocumentsPlace;
  /** The stack's own bucket, which has the builder's state. */
  bucket: Bucket;
  /** The index in S3 Vectors. Without it, the index becomes part of the search function. */
  store: VectorStore | undefined;
}

interface RoleProps extends Parts {
  logGroup: LogGroup;
  queue: IQueue;
}

/** The role of the builder: it reads the documents, keeps its state in the stack's bucket, and updates one index. */
export function makeBuilderRole(scope: Construct, props: RoleProps): Role {
  const { functionName, search, documents, bucket, store, logGroup, queue } = props;
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
  const own = inOwnAccount(scope);
  const allowOwn = (actions: readonly string[], ...resources: string[]) =>
    new PolicyStatement({ actions: [...actions], resources, conditions: own });
  const statements = {
    log: [allow(['logs:CreateLogStream', 'logs:PutLogEvents'], logGroup.logGroupArn)],
    queue: [allow(QUEUE_ACTIONS, queue.queueArn)],
    documents: [
      // A bucket of someone's own may belong to another account.
      (isOwn ? allowOwn : allow)(BUILDER_ACTIONS.documents, ...objects),
      // The stack's own bucket may be listed anyway.
      ...(isOwn ? [] : [allowListing(from, prefix)]),
    ],
    state: [
      allowOwn(BUILDER_ACTIONS.ownObjects, ...folders.map((folder) => bucket.arnForObjects(`${folder}*`))),
      // Without a condition, as S3 otherwise answers 403 instead of 404 for an object that does not exist.
      allowOwn(BUILDER_ACTIONS.ownBucket, bucket.bucketArn),
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
  if (isOwn) acknowledgeObjects(role, bucket, [`${prefix}/`], 'All documents.');
  else acknowledgeObjects(role, documents.bucketName, [prefix && `${prefix}/`], 'All documents.');
  if (store) store.acknowledge(role);
  else acknowledgeVersions(role, search);
  return role;
}

const allow = (actions: readonly string[], ...resources: string[]) =>
  new PolicyStatement({ actions: [...actions], resources });

/** Allows listing a bucket below a prefix. */
function allowListing(arn: string, prefix: string): PolicyStatement {
  return new PolicyStatement({
    actions: [...BUILDER_ACTIONS.documentsBucket],
    resources: [arn],
    ...(prefix && { conditions: { StringEquals: { 's3:prefix': prefix } } }),
  });
}

function bucketArn(scope: Construct, resource: string): string {
  return Stack.of(scope).formatArn({ service: 's3', region: '', account: '', resource });
}
