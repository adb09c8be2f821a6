import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledge } from './nag.ts';
import type { VectorStore } from './vector-store.ts';

/** What a function in a VPC needs to create its network interfaces. None of these actions can be limited to a resource. */
const NETWORK_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** The role of the search function. */
export function makeSearchRole(
  scope: Construct,
  logGroup: ILogGroup,
  inVpc: boolean,
  traced: boolean,
  store: VectorStore | undefined,
): Role {
  const policy = (...statements: PolicyStatement[]) => new PolicyDocument({ statements });
  const tasks = [
    'write its log',
    ...(store ? ['read its index'] : []),
    ...(inVpc ? ['join its network'] : []),
  ];
  const last = tasks.pop();
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `Lets the search function ${[tasks.join(', '), last].filter(Boolean).join(' and ')}, and nothing else.`,
    inlinePolicies: {
      log: policy(
        new PolicyStatement({
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [logGroup.logGroupArn],
        }),
      ),
      ...(store && { index: policy(...store.readStatements()) }),
      ...(inVpc && { network: policy(new PolicyStatement({ actions: NETWORK_ACTIONS, resources: ['*'] })) }),
    },
  });
  store?.acknowledge(role);
  if (inVpc || traced)
    acknowledge(
      role,
      'IAM5[Resource::*]',
      'The actions for network interfaces, which have no names yet, and for traces cannot be limited to a resource.',
    );
  return role;
}
