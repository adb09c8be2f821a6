import { Duration, Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { expect, test } from 'vitest';
import { readProps, type SemanticSearchProps } from '../../infra/props.ts';
import { checkSettings } from '../../infra/schema.ts';

const stack = new Stack();
const certificate = Certificate.fromCertificateArn(stack, 'C', 'arn:aws:acm:eu-central-1:1:certificate/a');
const hostedZone = HostedZone.fromHostedZoneId(stack, 'Z', 'Z1');
const group = SecurityGroup.fromSecurityGroupId(stack, 'S', 'sg-1');

test('CDK’s types become the same settings as the values of cdk.json', () => {
  const props: SemanticSearchProps = {
    auth: 'iam',
    architecture: Architecture.ARM_64,
    timeout: Duration.seconds(5),
    cacheTtl: Duration.minutes(5),
    logRetention: RetentionDays.ONE_WEEK,
    memorySize: undefined,
    store: 's3vectors',
    documents: { bucket: Bucket.fromBucketName(stack, 'B', 'docs'), prefix: 'manuals' },
    buildSchedule: Schedule.rate(Duration.hours(2)),
  };
  const input = {
    auth: 'iam',
    architecture: 'arm64',
    timeout: 5,
    cacheTtl: 300,
    logRetention: 7,
    store: 's3vectors',
    documents: 's3://docs/manuals',
    buildSchedule: 'rate(2 hours)',
  } as const;
  expect(readProps(props)).toEqual(checkSettings(input));
});

test.each([
  [{ timeout: Duration.millis(1500) }, 'timeout is 1.5, but must be a whole number from 1 to 29.'],
  [{ domainName: 'a.example' }, 'domainName and its certificate belong together'],
  [{ certificate }, 'domainName and its certificate belong together'],
  [{ hostedZone }, 'A hosted zone is set, but no domainName.'],
  [{ securityGroups: [group] }, 'vpc is missing. Set vpc too.'],
] as [SemanticSearchProps, string][])('refuses wrong props with a sentence (%#)', (props, sentence) => {
  expect(() => readProps({ auth: 'iam', ...props })).toThrow(sentence);
});
