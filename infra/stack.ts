import { CfnOutput, CliCredentialsStackSynthesizer, Duration, Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { OidcProviderNative } from 'aws-cdk-lib/aws-iam';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { BucketDocuments } from './props.ts';
import { PushRole } from './push-role.ts';
import { checkSettings, type SettingsInput } from './schema.ts';
import { SemanticSearch } from './semantic-search.ts';
import { documentsAddress, parseDocuments } from './storage.ts';

/**
 * A stack with one `SemanticSearch`, from settings as in cdk.json. Its function has the stack's name, so that `npx polyseek push` finds it.
 *
 * Outputs: `Url` of a public endpoint, `FunctionName`, with `githubRepository` the ARN `PushRole`, and the addresses `Documents` and `Index` if there are any.
 */
export class SearchStack extends Stack {
  readonly search: SemanticSearch;

  /** @throws one sentence for each wrong setting */
  constructor(scope: Construct, name: string, input: SettingsInput) {
    const {
      architecture,
      timeout,
      cacheTtl,
      certificateArn,
      hostedZoneId,
      githubRepository: repository,
      githubOidcProviderArn,
      documents,
      buildSchedule,
      vpcId,
      subnetIds,
      assetsBucket,
      ...rest
    } = checkSettings(input);
    super(scope, name, {
      description: 'Semantic search over documents (polyseek)',
      // The template then needs nothing that cdk bootstrap creates.
      ...(assetsBucket && {
        synthesizer: new CliCredentialsStackSynthesizer({ fileAssetsBucketName: assetsBucket }),
      }),
    });
    this.search = new SemanticSearch(this, 'Search', {
      functionName: name,
      ...rest,
      architecture: architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      timeout: Duration.seconds(timeout),
      cacheTtl: Duration.seconds(cacheTtl),
      certificate: certificateArn
        ? Certificate.fromCertificateArn(this, 'Certificate', certificateArn)
        : undefined,
      vpc: vpcId
        ? Vpc.fromVpcAttributes(this, 'Vpc', {
            vpcId,
            privateSubnetIds: subnetIds,
            // Nothing here depends on the zones, and reading them would need credentials.
            availabilityZones: subnetIds.map(() => 'unknown'),
          })
        : undefined,
      documents: typeof documents === 'string' ? this.documentsAt(documents) : documents,
      buildSchedule: buildSchedule === 'none' ? buildSchedule : Schedule.expression(buildSchedule),
      hostedZone: hostedZoneId ? HostedZone.fromHostedZoneId(this, 'HostedZone', hostedZoneId) : undefined,
    });
    const { url, function: fn, builder, vectorStore } = this.search;
    if (rest.endpoint === 'public')
      new CfnOutput(this, 'Url', {
        value: url,
        description: 'URL of the endpoint. Ask a question with /search?q=',
      });
    new CfnOutput(this, 'FunctionName', { value: fn.functionName });
    if (builder)
      new CfnOutput(this, 'Documents', {
        value: documentsAddress(builder.documents),
        description: 'Where the documents are. The index follows each change.',
      });
    if (vectorStore)
      new CfnOutput(this, 'Index', {
        value: vectorStore.address,
        description: 'Address of the index, for npx polyseek index --to',
      });
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

  private documentsAt(address: string): BucketDocuments {
    const { bucketName, prefix } = parseDocuments(address);
    return { bucket: Bucket.fromBucketName(this, 'DocumentsBucket', bucketName), prefix };
  }
}
