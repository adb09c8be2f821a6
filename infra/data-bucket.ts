import { Annotations, Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { UPLOADS } from '../functions/deployed/resource-names.ts';
import { acknowledge } from './nag.ts';
import { bucketName, DOCUMENTS_FOLDER } from './names.ts';
import type { Settings } from './schema.ts';

/** CDK's id of the function that empties buckets, one for each stack. */
const EMPTYING = 'Custom::S3AutoDeleteObjectsCustomResourceProvider';

/**
 * The stack's own bucket: documents, the builder's state, the segments of an index in S3 Vectors, and uploaded zips.
 *
 * With `documents: true`, `cdk destroy` keeps it, as nothing else may have the documents. Otherwise it contains only what a build can
 * make again, and is deleted with its objects.
 */
export function makeDataBucket(
  scope: Construct,
  functionName: string,
  { documents }: Pick<Settings, 'documents'>,
): Bucket {
  const { account, region } = Stack.of(scope);
  const keeps = documents === true;
  const bucket = new Bucket(scope, 'Bucket', {
    bucketName: bucketName(functionName, account, region),
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    // A first deploy that fails deletes the bucket, as its name would be taken at the next one.
    removalPolicy: keeps ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    autoDeleteObjects: !keeps,
    lifecycleRules: [
      { id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
      // Lambda copies the code as soon as it is uploaded.
      { id: 'uploads', prefix: UPLOADS, expiration: Duration.days(1) },
    ],
  });
  if (keeps) {
    // The property of CloudFormation. CDK's own prop adds a function that calls S3.
    const resource = bucket.node.defaultChild as CfnBucket;
    resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
    const place = (token: string, name: string) => (Token.isUnresolved(token) ? name : token);
    const shown = bucketName(functionName, place(account, 'ACCOUNT'), place(region, 'REGION'));
    Annotations.of(scope).addInfoV2(
      'polyseek:keeps-documents',
      `documents is true: the documents are below s3://${shown}/${DOCUMENTS_FOLDER}. ` +
        `cdk destroy keeps this bucket. Delete it with aws s3 rb s3://${shown} --force`,
    );
  }
  acknowledge(bucket, 'S1', 'The bucket has one or two readers, both functions of this stack.');
  const emptying = Stack.of(scope).node.tryFindChild(EMPTYING);
  if (emptying) {
    acknowledge(
      emptying,
      'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      LOGS,
    );
  }
  return bucket;
}

const LOGS = "CDK's function that empties the bucket on deletion may write its log with AWS's own policy.";
