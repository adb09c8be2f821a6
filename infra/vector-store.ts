import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { CfnIndex, CfnVectorBucket } from 'aws-cdk-lib/aws-s3vectors';
import { Construct } from 'constructs';
import { compileModel, DEFAULT_MODEL } from '../index/compile/compile.ts';
import { readCompiledModel } from '../index/format/compiled-model.ts';
import { VECTOR_INDEX } from './names.ts';

/** Metadata that queries return but cannot filter by; see index/store/s3vectors/FORMAT.md. */
const NOT_FILTERABLE = ['row'];

/** An empty index in S3 Vectors, beside its folder in the stack's bucket. CloudFormation deletes it with all vectors. */
export class VectorStore extends Construct {
  /** Address of the index: `s3vectors://BUCKET/NAME`. */
  readonly address: string;
  readonly #bucket: Bucket;
  readonly #indexArn: string;

  /** @param bucket the vector bucket gets the same name */
  constructor(scope: Construct, id: string, bucket: Bucket, name: string) {
    super(scope, id);
    const vectorBucket = new CfnVectorBucket(this, 'Bucket', { vectorBucketName: name });
    const index = new CfnIndex(this, 'Index', {
      vectorBucketArn: vectorBucket.attrVectorBucketArn,
      indexName: VECTOR_INDEX,
      dataType: 'float32',
      dimension: readCompiledModel(compileModel(DEFAULT_MODEL), false).dimensions,
      distanceMetric: 'cosine',
      metadataConfiguration: { nonFilterableMetadataKeys: NOT_FILTERABLE },
    });
    this.address = `s3vectors://${name}/${VECTOR_INDEX}`;
    this.#bucket = bucket;
    this.#indexArn = index.attrIndexArn;
  }

  /** What reading needs. A query that filters or returns metadata needs `GetVectors` too. */
  readStatements(): PolicyStatement[] {
    return [
      new PolicyStatement({
        actions: ['s3vectors:GetVectors', 's3vectors:QueryVectors'],
        resources: [this.#indexArn],
      }),
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [this.#bucket.arnForObjects(`${VECTOR_INDEX}/*`)],
      }),
      // Without it, S3 answers 403 for an object that does not exist. A condition on the prefix would never match such a request.
      new PolicyStatement({ actions: ['s3:ListBucket'], resources: [this.#bucket.bucketArn] }),
    ];
  }
}
