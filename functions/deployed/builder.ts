import { GetFunctionConfigurationCommand, InvokeCommand } from '@aws-sdk/client-lambda';
import { GetBucketNotificationConfigurationCommand } from '@aws-sdk/client-s3';
import type { Remote } from './connect.ts';
import { builderName } from './resource-names.ts';

/** The function that builds the index of a search function. */
export interface DeployedBuilder {
  name: string;
  /** The stack's own bucket, with the records of builds. */
  bucket: string;
  /** Address of the documents, such as `s3://bucket/prefix`. */
  documents: string;
}

/**
 * Finds the builder of a function.
 * @throws if it has none, or it cannot be read
 */
export async function readBuilder({ lambda, functionName }: Remote): Promise<DeployedBuilder> {
  const name = builderName(functionName);
  const { Environment } = await lambda
    .send(new GetFunctionConfigurationCommand({ FunctionName: name }))
    .catch((error: Error) => {
      if (!(error.cause instanceof Error && error.cause.name === 'ResourceNotFoundException')) throw error;
      throw new Error(
        `${functionName} has no builder: there is no function ${name}. Set documents in cdk.json, and deploy. If the function has another name, pass it with --function.`,
        { cause: error },
      );
    });
  const { BUCKET = '', DOCUMENTS = '' } = Environment?.Variables ?? {};
  return { name, bucket: BUCKET, documents: DOCUMENTS };
}

/** Starts a build, without waiting for it. */
export async function startBuild(
  { lambda }: Remote,
  { name }: DeployedBuilder,
  build: string,
): Promise<void> {
  const Payload = JSON.stringify({ build });
  await lambda.send(new InvokeCommand({ FunctionName: name, InvocationType: 'Event', Payload }));
}

/** Whether a bucket sends its events to EventBridge. */
export async function sendsEvents({ s3 }: Remote, bucket: string): Promise<boolean> {
  const { EventBridgeConfiguration } = await s3.send(
    new GetBucketNotificationConfigurationCommand({ Bucket: bucket }),
  );
  return EventBridgeConfiguration !== undefined;
}
