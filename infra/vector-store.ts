import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { CfnIndex, CfnVectorBucket } from 'aws-cdk-lib/aws-s3vectors';
import { Construct } from 'constructs';
import { acknowledgeObjects } from './nag.ts';
import { VECTOR_INDEX } from './names.ts';
import { inOwnAccount } from './own-account.ts';

/** Numbers of a vector of the default model, which the function is packaged with. */
const DIMENSION = 384;
/** Metadata that queries return but cannot filter by; see index/store/s3vectors/FORMAT.md. */
const NOT_FILTERABLE = ['row'];

/** A query that filters or returns metadata needs `GetVectors` too. */
const READ = ['s3vectors:GetVectors', 's3vectors:QueryVectors'];
const WRITE = [
  's3vectors:DeleteVectors',
  's3vectors:GetIndex',
  's3vectors:ListVectors',
  's3vectors:PutVectors',
];

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

  /** What a search needs. */
  readStatements(): PolicyStatement[] {
    return [
      this.#allow(READ, this.index.attrIndexArn),
      this.#allowOwn(['s3:GetObject'], this.#bucket.arnForObjects(`${VECTOR_INDEX}/*`)),
      // Otherwise S3 answers 403 instead of 404 for an object that does not exist. A condition on the prefix would change nothing.
      this.#allowOwn(['s3:ListBucket'], this.#bucket.bucketArn),
    ];
  }

  /** What a publication needs. */
  writeStatements(): PolicyStatement[] {
    return [
      this.#allow([...READ, ...WRITE], this.index.attrIndexArn),
      this.#allowOwn(
        ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'],
        this.#bucket.arnForObjects(`${VECTOR_INDEX}/*`),
      ),
      this.#allowOwn(['s3:ListBucket'], this.#bucket.bucketArn),
    ];
  }

  /** Explains the wildcard in these statements to cdk-nag. */
  acknowledge(role: Role): void {
    acknowledgeObjects(role, this.#bucket, [`${VECTOR_INDEX}/`], 'All objects of one index.');
  }

  #allow(actions: string[], resource: string): PolicyStatement {
    return new PolicyStatement({ actions, resources: [resource] });
  }

  #allowOwn(actions: string[], resource: string): PolicyStatement {
    return new PolicyStatement({ actions, resources: [resource], conditions: inOwnAccount(this) });
  }
}
