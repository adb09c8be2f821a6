import { Annotations, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  type IOidcProvider,
  OidcProviderNative,
  PolicyDocument,
  Role,
  WebIdentityPrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { bootstrapBucket, UPLOADS } from '../functions/deployed/settings.ts';
import {
  acknowledgeObjects,
  acknowledgeVersions,
  allowOwn,
  BUILDER_ACTIONS,
  bucketArn,
  functionStatements,
} from './rights.ts';
import type { SemanticSearch } from './semantic-search.ts';

const GITHUB = 'token.actions.githubusercontent.com';

export interface PushRoleProps {
  /** The endpoint whose function the role may update. */
  readonly search: SemanticSearch;
  /** Repository on GitHub as in its tokens: `owner/name`, or with IDs `owner@123/name@456`. */
  readonly repository: string;
  /** The only branch whose workflows may assume the role. Default: `main`. */
  readonly branch?: string | undefined;
  /** GitHub's provider in this account, of which there can be only one. Default: a new one, which deleting the stack keeps. */
  readonly provider?: IOidcProvider | undefined;
}

/**
 * A role for GitHub Actions that may do what `npx polyseek push` needs, or with `store: 's3vectors'` what `npx polyseek index --store` needs,
 * and nothing else. GitHub stores no secret.
 */
export class PushRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, props: PushRoleProps) {
    super(scope, id);
    const {
      search: { function: fn, vectorStore: store },
      repository,
      branch = 'main',
    } = props;
    const provider =
      props.provider ??
      new OidcProviderNative(this, 'Provider', {
        url: `https://${GITHUB}`,
        clientIds: ['sts.amazonaws.com'],
        // Other stacks and repositories of the account may use it.
        removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      });
    const [owner = '', name = ''] = repository.split('/').map((part) => part.replace(/@.*/, ''));
    Annotations.of(this).addInfoV2(
      'polyseek:github',
      `Only ${repository} may push. This must be the name in GitHub's tokens, which for repositories since 2026-07-15 contains IDs. ` +
        `This command shows it, after repo: gh api repos/${owner}/${name}/actions/oidc/customization/sub --jq .sub_claim_prefix` +
        (props.provider
          ? ''
          : `\nThe stack creates GitHub's OIDC provider, and cdk destroy keeps it. If the account has one, from another stack or a destroyed one, ` +
            `set githubOidcProviderArn to arn:aws:iam::ACCOUNT:oidc-provider/${GITHUB}`),
    );
    const { account, region, synthesizer } = Stack.of(this);
    const resource = bootstrapBucket(account, region, synthesizer.bootstrapQualifier);
    const bucket = bucketArn(this, resource);
    this.role = new Role(this, 'Role', {
      description: `Lets GitHub Actions of ${repository} ${store ? 'publish the index in S3 Vectors' : 'run npx polyseek push'}.`,
      assumedBy: new WebIdentityPrincipal(provider.oidcProviderArn, {
        StringEquals: {
          [`${GITHUB}:aud`]: 'sts.amazonaws.com',
          [`${GITHUB}:sub`]: `repo:${repository}:ref:refs/heads/${branch}`,
        },
      }),
      inlinePolicies: {
        push: new PolicyDocument({
          statements: store
            ? store.writeStatements()
            : [
                ...functionStatements(fn),
                allowOwn(this, BUILDER_ACTIONS.ownObjects, [`${bucket}/${UPLOADS}*`]),
              ],
        }),
      },
    });
    if (store) {
      store.acknowledge(this.role);
      return;
    }
    acknowledgeVersions(this.role, fn);
    const uploads = bootstrapBucket('<AWS::AccountId>', '<AWS::Region>', synthesizer.bootstrapQualifier);
    acknowledgeObjects(this.role, uploads, [UPLOADS], 'All uploads below one prefix.');
  }
}
