import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { type Address, isAddress, parseAddress } from '../../index/store/s3vectors/address.ts';
import type { Remote } from './connect.ts';

/**
 * The address of the index that a deployed function searches.
 * @throws if the function does not exist, or its index is in its own package
 */
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
