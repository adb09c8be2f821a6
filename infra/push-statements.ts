import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { BUILDER_ACTIONS } from './builder-actions.ts';

const versionsOf = (fn: IFunction) => `${fn.functionArn}:*`;

/** Allows publishing, testing and deleting versions of a function, and moving its alias. `npx polyseek push` and the builder do that. */
export function functionStatements(fn: IFunction): PolicyStatement[] {
  const { searchFunction, searchVersions } = BUILDER_ACTIONS;
  return [
    new PolicyStatement({ actions: [...searchFunction], resources: [fn.functionArn, versionsOf(fn)] }),
    // Only versions: without the function's own ARN, nobody can delete the function.
    new PolicyStatement({ actions: [...searchVersions], resources: [versionsOf(fn)] }),
  ];
}
