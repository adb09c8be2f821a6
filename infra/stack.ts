import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { OidcProviderNative } from 'aws-cdk-lib/aws-iam';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { PushRole } from './push-role.ts';
import { checkSettings, type SettingsInput } from './schema.ts';
import { SemanticSearch } from './semantic-search.ts';

/**
 * A stack with one `SemanticSearch`, from settings as in cdk.json. Its function has the stack's name, so that `npx polyseek push` finds it.
 *
 * Outputs: `Url`, `FunctionName`, and with `githubRepository` the ARN `PushRole`.
 */
export class SearchStack extends Stack {
  readonly search: SemanticSearch;

  /** @throws one sentence for each wrong setting */
  constructor(scope: Construct, name: string, input: SettingsInput, props?: StackProps) {
    super(scope, name, { description: 'Semantic search over documents (polyseek)', ...props });
    const {
      architecture,
      timeout,
      cacheTtl,
      certificateArn,
      hostedZoneId,
      githubRepository: repository,
      githubOidcProviderArn,
      ...rest
    } = checkSettings(input);
    this.search = new SemanticSearch(this, 'Search', {
      functionName: name,
      ...rest,
      architecture: architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      timeout: Duration.seconds(timeout),
      cacheTtl: Duration.seconds(cacheTtl),
      certificate: certificateArn
        ? Certificate.fromCertificateArn(this, 'Certificate', certificateArn)
        : undefined,
      hostedZone: hostedZoneId ? HostedZone.fromHostedZoneId(this, 'HostedZone', hostedZoneId) : undefined,
    });
    const { url, function: fn } = this.search;
    new CfnOutput(this, 'Url', {
      value: url,
      description: 'URL of the endpoint. Ask a question with /search?q=',
    });
    new CfnOutput(this, 'FunctionName', { value: fn.functionName });
    if (repository) {
      const provider = githubOidcProviderArn
        ? OidcProviderNative.fromOidcProviderArn(this, 'GitHub', githubOidcProviderArn)
        : undefined;
      const { role } = new PushRole(this, 'Push', { search: this.search, repository, provider });
      new CfnOutput(this, 'PushRole', {
        value: role.roleArn,
        description: `ARN of the role for GitHub Actions of ${repository}`,
      });
    }
  }
}
