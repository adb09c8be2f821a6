import { Stack } from 'aws-cdk-lib';
import { Code, type CodeConfig } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

/** Run by CDK when it publishes the asset: prints its argument as the error. */
const REFUSAL = 'console.error(process.argv[1]); process.exit(1)';

/**
 * Code of a function that was not packaged. CDK can list, compare and destroy the stack; deploying it fails with the
 * reason before anything changes, because the asset is made by a command that fails.
 */
export class UnpackagedCode extends Code {
  readonly isInline = false;
  readonly #reason: string;

  constructor(reason: string) {
    super();
    this.#reason = reason;
  }

  override bind(scope: Construct): CodeConfig {
    const { bucketName, objectKey } = Stack.of(scope).synthesizer.addFileAsset({
      executable: ['node', '-e', REFUSAL, this.#reason],
      sourceHash: 'not-packaged',
    });
    return { s3Location: { bucketName, objectKey } };
  }
}
