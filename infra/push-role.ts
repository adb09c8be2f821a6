import { Stack, Validations } from 'aws-cdk-lib';
import {
  type IOidcProvider,
  OidcProviderNative,
  PolicyDocument,
  PolicyStatement,
  Role,
  WebIdentityPrincipal,
} from 'aws-cdk-lib/aws-iam';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { SemanticSearch } from './semantic-search.ts';
import { bootstrapBucket, UPLOADS } from './uploads.ts';

const GITHUB = 'token.actions.githubusercontent.com';

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
const UPLOAD_ACTIONS = ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'];

export interface PushRoleProps {
  /** The endpoint whose function the role may update. */
  readonly search: SemanticSearch;
  /** Repository on GitHub as in its tokens: `owner/name`, or with IDs `owner-123/name-456`. */
  readonly repository: string;
  /** The only branch whose workflows may assume the role. Default: `main`. */
  readonly branch?: string | undefined;
  /** GitHub's provider in this account, of which there can be only one. Default: a new one. */
  readonly provider?: IOidcProvider | undefined;
}

/** A role for GitHub Actions that may do what `npx polyseek push` needs, and nothing else. GitHub stores no secret. */
export class PushRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, props: PushRoleProps) {
    super(scope, id);
    const {
      search: { function: fn },
      repository,
      branch = 'main',
    } = props;
    const provider =
      props.provider ??
      new OidcProviderNative(this, 'Provider', {
        url: `https://${GITHUB}`,
        clientIds: ['sts.amazonaws.com'],
      });
    const { account, region, synthesizer } = Stack.of(this);
    const resource = bootstrapBucket(account, region, synthesizer.bootstrapQualifier);
    const bucket = Stack.of(this).formatArn({ service: 's3', region: '', account: '', resource });
    const versions = `${fn.functionArn}:*`;
    this.role = new Role(this, 'Role', {
      description: `Lets GitHub Actions of ${repository} run npx polyseek push.`,
      assumedBy: new WebIdentityPrincipal(provider.oidcProviderArn, {
        StringEquals: {
          [`${GITHUB}:aud`]: 'sts.amazonaws.com',
          [`${GITHUB}:sub`]: `repo:${repository}:ref:refs/heads/${branch}`,
        },
      }),
      inlinePolicies: {
        push: new PolicyDocument({
          statements: [
            new PolicyStatement({ actions: FUNCTION_ACTIONS, resources: [fn.functionArn, versions] }),
            // Only versions: without the function's own ARN, nobody can delete the function.
            new PolicyStatement({ actions: ['lambda:DeleteFunction'], resources: [versions] }),
            new PolicyStatement({ actions: UPLOAD_ACTIONS, resources: [`${bucket}/${UPLOADS}*`] }),
            new PolicyStatement({
              actions: ['s3:ListBucket'],
              resources: [bucket],
              conditions: { StringLike: { 's3:prefix': `${UPLOADS}*` } },
            }),
          ],
        }),
      },
    });
    const name = Stack.of(fn).getLogicalId(fn.node.defaultChild as CfnFunction);
    this.acknowledge(`<${name}.Arn>:*`, 'All versions of one function.');
    const uploads = bootstrapBucket('<AWS::AccountId>', '<AWS::Region>', synthesizer.bootstrapQualifier);
    this.acknowledge(`arn:<AWS::Partition>:s3:::${uploads}/${UPLOADS}*`, 'All uploads below one prefix.');
  }

  /** Explains a wildcard to cdk-nag. */
  private acknowledge(resource: string, reason: string): void {
    const id = `AwsSolutions::AwsSolutions-IAM5[Resource::${resource}]`;
    Validations.of(this.role).acknowledge({ id, reason });
  }
}
