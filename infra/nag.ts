import { Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Explains an exception to a rule of cdk-nag's AWS Solutions. */
export function acknowledge(construct: Construct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions::AwsSolutions-${rule}`, reason });
}

/**
 * Explains a wildcard in a policy.
 * @param resource as cdk-nag writes it, such as `<Function.Arn>:*`
 */
export function acknowledgeWildcard(construct: Construct, resource: string, reason: string): void {
  acknowledge(construct, `IAM5[Resource::${resource}]`, reason);
}
