import { GetFunctionConfigurationCommand, InvokeCommand } from '@aws-sdk/client-lambda';
import { failureOf } from '../../index/aws/describe-error.ts';
import { type Address, isAddress, parseAddress } from '../../index/store/s3vectors/address.ts';
import type { Remote } from './connect.ts';
import { builderName } from './settings.ts';

/** The address of the index that a deployed function searches. Throws if the index is in its own package. */
export async function readIndexAddress({ lambda, functionName }: Remote): Promise<Address> {
  const input = { FunctionName: functionName };
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand(input));
  const index = Environment?.Variables?.INDEX ?? '';
  if (!isAddress(index))
    throw new Error(
      `The function ${functionName} has its index in its own package. Deploy it with "store": "s3vectors" in cdk.json, or name an address with --to s3vectors://BUCKET/NAME.`,
    );
  return parseAddress(index);
}

/** The function that builds the index of a search function. */
interface DeployedBuilder {
  name: string;
  /** The stack's own bucket, with the records of builds. */
  bucket: string;
  /** Address of the documents, such as `s3://bucket/prefix`. */
  documents: string;
}

/** Finds the builder of a function. Throws if it has none. */
export async function readBuilder({ lambda, functionName }: Remote): Promise<DeployedBuilder> {
  const name = builderName(functionName);
  const { Environment } = await lambda
    .send(new GetFunctionConfigurationCommand({ FunctionName: name }))
    .catch((error) => {
      if (failureOf(error) !== 'no function') throw error;
      throw new Error(
        `${functionName} has no builder: there is no function ${name}. Set documents in cdk.json, and deploy. If the function has another name, pass it with --function.`,
        { cause: error },
      );
    });
  const { BUCKET = '', DOCUMENTS = '' } = Environment?.Variables ?? {};
  return { name, bucket: BUCKET, documents: DOCUMENTS };
}

/** Invokes a builder, without waiting for it: to start a build, or to go on with one in another run. */
export async function invokeBuilder(
  { lambda }: Remote,
  name: string,
  event: { build: string; cause?: 'events' } | { continue: string },
): Promise<void> {
  const Payload = JSON.stringify(event);
  await lambda.send(new InvokeCommand({ FunctionName: name, InvocationType: 'Event', Payload }));
}
