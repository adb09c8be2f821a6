import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { CfnFunction, IFunction } from 'aws-cdk-lib/aws-lambda';
import { acknowledgeWildcard } from './nag.ts';

/** What `npx polyseek push` calls on the function and its versions. */
const FUNCTION_ACTIONS = [
  'lambda:GetAlias',
  'lambda:GetFunction',
  'lambda:GetFunctionConfiguration',
  'lambda:InvokeFunction',
  'lambda:ListAliases',
  'lambda:ListVersionsByFunction',
  'lambda:PublishVersion',
  'lambda:UpdateAlias',
  'lambda:UpdateFunctionCode',
];
/** What it calls on its uploads. `UpdateFunctionCode` reads them with the caller's rights. */
export const UPLOAD_ACTIONS = ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'];

/** Allows publishing, testing and deleting versions of a function, and moving its alias. */
export function functionStatements(fn: IFunction): PolicyStatement[] {
  const versions = versionsOf(fn);
  return [
    new PolicyStatement({ actions: FUNCTION_ACTIONS, resources: [fn.functionArn, versions] }),
    // Only versions: without the function's own ARN, nobody can delete the function.
    new PolicyStatement({ actions: ['lambda:DeleteFunction'], resources: [versions] }),
  ];
}

/** Explains the wildcard of `functionStatements` to cdk-nag. */
export function acknowledgeVersions(role: Role, fn: IFunction): void {
  const name = Stack.of(fn).getLogicalId(fn.node.defaultChild as CfnFunction);
  acknowledgeWildcard(role, `<${name}.Arn>:*`, 'All versions of one function.');
}

const versionsOf = (fn: IFunction) => `${fn.functionArn}:*`;
