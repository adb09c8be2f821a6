/** Folder of CDK's bucket that `npx polyseek push` uploads to. */
export const UPLOADS = 'polyseek/';

/**
 * Name of the bucket that `cdk bootstrap` creates.
 * @param qualifier of the bootstrap stack; default: CDK's own
 */
export function bootstrapBucket(account: string, region: string, qualifier = 'hnb659fds'): string {
  return `cdk-${qualifier}-assets-${account}-${region}`;
}

/** Name of the function that builds the index of a search function. */
export function builderName(functionName: string): string {
  return `${functionName}-builder`;
}
