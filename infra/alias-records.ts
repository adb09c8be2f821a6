import type { DomainName } from 'aws-cdk-lib/aws-apigatewayv2';
import { Distribution } from 'aws-cdk-lib/aws-cloudfront';
import { AaaaRecord, ARecord, type IHostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties, CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';

/** Points a name of a hosted zone at a distribution (IPv4 and IPv6) or at an API's domain name (IPv4). */
export function addRecords(
  scope: Construct,
  domainName: string,
  zone: IHostedZone,
  target: Distribution | DomainName | undefined,
): void {
  if (!target) return;
  // The final dot makes a full name, so that the zone's own name is not needed.
  const recordName = `${domainName}.`;
  if (target instanceof Distribution) {
    const alias = RecordTarget.fromAlias(new CloudFrontTarget(target));
    new ARecord(scope, 'Record', { zone, recordName, target: alias });
    new AaaaRecord(scope, 'Record6', { zone, recordName, target: alias });
    return;
  }
  const { regionalDomainName, regionalHostedZoneId } = target;
  const alias = new ApiGatewayv2DomainProperties(regionalDomainName, regionalHostedZoneId);
  new ARecord(scope, 'Record', { zone, recordName, target: RecordTarget.fromAlias(alias) });
}
