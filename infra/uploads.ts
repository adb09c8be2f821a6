/** Folder of CDK's bucket that `npx polyseek push` uploads to. */
export const UPLOADS = 'polyseek/';

/** Name of the bucket that `cdk bootstrap` creates. */
export function bootstrapBucket(account: string, region: string): string {
  return `cdk-hnb659fds-assets-${account}-${region}`;
}
