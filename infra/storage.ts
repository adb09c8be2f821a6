import { createHash } from 'node:crypto';
import { Annotations, Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import type { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket } from 'aws-cdk-lib/aws-s3';
import { CfnIndex, CfnVectorBucket } from 'aws-cdk-lib/aws-s3vectors';
import { Construct } from 'constructs';
import { UPLOADS } from '../functions/deployed/settings.ts';
import { acknowledge, acknowledgeObjects, allow, allowOwn, BUILDER_ACTIONS } from './rights.ts';
import type { Settings } from './schema.ts';

/** Longest name of a bucket, in S3 and in S3 Vectors. */
const MAX_BUCKET = 63;
/** Length reserved for account and region: 12 digits and up to 14 characters, such as ap-southeast-1, each after a hyphen. */
const PLACE = 28;
const START = 'polyseek-';

/** Name of a stack's vector index, and its folder in the bucket of the stack. */
const VECTOR_INDEX = 'passages';

/** Folders of the stack's own bucket. `UPLOADS` and `VECTOR_INDEX` are others. */
export const DOCUMENTS_FOLDER = 'documents/';
/** The builder's lock, cache and records. */
export const BUILDER_FOLDER = 'builder/';

/**
 * Name of a stack's own bucket, and of its vector bucket: at most 63 lower-case letters, digits and hyphens. Long names of functions are
 * cut, and end with a hash.
 * @param account and
 * @param region may be tokens of CDK
 */
function bucketName(functionName: string, account: string, region: string): string {
  const name = functionName.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const space = MAX_BUCKET - START.length - PLACE;
  const hash = createHash('sha256').update(functionName).digest('hex').slice(0, 8);
  // A changed name gets a hash too, as other functions may have the same changed name.
  const isKept = name === functionName && name.length <= space;
  const own = isKept ? name : `${name.slice(0, space - hash.length - 1)}-${hash}`;
  return `${START}${own}-${account}-${region}`;
}

/** Where documents are in S3. */
export interface DocumentsPlace {
  /** May be a token of CDK. */
  bucketName: string;
  /** A folder or the key of one object, without a final slash. Empty: the whole bucket. */
  prefix: string;
}

/** Reads an address `s3://bucket/prefix`, which the schema has checked. */
export function parseDocuments(address: string): DocumentsPlace {
  const [bucketName = '', ...rest] = address.slice('s3://'.length).split('/');
  return { bucketName, prefix: rest.join('/').replace(/\/+$/, '') };
}

export function documentsAddress({ bucketName, prefix }: DocumentsPlace): string {
  return `s3://${bucketName}${prefix && `/${prefix}`}`;
}

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
      "CDK's function that empties the bucket on deletion may write its log with AWS's own policy.",
    );
  }
  return bucket;
}

/** Numbers of a vector of the default model, which the function is packaged with. */
const DIMENSION = 384;
/** Metadata that queries return but cannot filter by; see index/store/s3vectors/FORMAT.md. */
const NOT_FILTERABLE = ['row'];

/** A query that filters or returns metadata needs `GetVectors` too. */
const READ = ['s3vectors:GetVectors', 's3vectors:QueryVectors'];
const WRITE = ['DeleteVectors', 'GetIndex', 'ListVectors', 'PutVectors'].map((name) => `s3vectors:${name}`);

/** An index in S3 Vectors, and its folder in the stack's bucket. CloudFormation creates it empty, and deletes it with all vectors. */
export class VectorStore extends Construct {
  /** `s3vectors://BUCKET/NAME`, as commands and both functions name the index. */
  readonly address: string;
  readonly vectorBucket: CfnVectorBucket;
  readonly index: CfnIndex;
  readonly #bucket: Bucket;

  /** @param bucket the vector bucket gets its name */
  constructor(scope: Construct, id: string, bucket: Bucket) {
    super(scope, id);
    this.vectorBucket = new CfnVectorBucket(this, 'Vectors', { vectorBucketName: bucket.bucketName });
    this.index = new CfnIndex(this, 'Index', {
      vectorBucketArn: this.vectorBucket.attrVectorBucketArn,
      indexName: VECTOR_INDEX,
      dataType: 'float32',
      dimension: DIMENSION,
      distanceMetric: 'cosine',
      metadataConfiguration: { nonFilterableMetadataKeys: NOT_FILTERABLE },
    });
    this.address = `s3vectors://${bucket.bucketName}/${VECTOR_INDEX}`;
    this.#bucket = bucket;
  }

  readStatements(): PolicyStatement[] {
    return this.#statements(READ, ['s3:GetObject']);
  }

  writeStatements(): PolicyStatement[] {
    return this.#statements([...READ, ...WRITE], BUILDER_ACTIONS.ownObjects);
  }

  /** Explains the wildcard in these statements to cdk-nag. */
  acknowledge(role: Role): void {
    acknowledgeObjects(role, this.#bucket, [`${VECTOR_INDEX}/`], 'All objects of one index.');
  }

  #statements(onVectors: string[], onObjects: readonly string[]): PolicyStatement[] {
    return [
      allow(onVectors, this.index.attrIndexArn),
      allowOwn(this, onObjects, [this.#bucket.arnForObjects(`${VECTOR_INDEX}/*`)]),
      // Otherwise S3 answers 403 instead of 404 for an object that does not exist. A condition on the prefix would change nothing.
      allowOwn(this, ['s3:ListBucket'], [this.#bucket.bucketArn]),
    ];
  }
}
