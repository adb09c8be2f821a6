import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { describeAlias, NO_INDEX } from '../functions/deployed/version-description.ts';
import { environmentOf } from './function-environment.ts';
import { searchCode } from './packaging.ts';
import type { SemanticSearchProps } from './props.ts';
import { acknowledge, allow } from './rights.ts';
import type { Settings } from './schema.ts';
import type { VectorStore } from './storage.ts';

/**
 * Old versions stay for `npx polyseek rollback`, and deleting the function deletes them. A deploy that fails deletes its own: Lambda
 * publishes no second version of the same code.
 */
const KEPT_VERSION = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;

/** The search function, whose versions stay. */
export function makeSearchFunction(
  scope: Construct,
  settings: Settings,
  props: SemanticSearchProps,
  logGroup: ILogGroup,
  store: VectorStore | undefined,
): lambda.Function {
  const { functionName, memorySize, timeout, reservedConcurrency, tracing } = settings;
  const { vpc, vpcSubnets, securityGroups, functionProps } = props;
  const { code, description } = searchCode(scope, settings);
  return new lambda.Function(scope, 'Function', {
    functionName,
    description: 'Semantic search (polyseek)',
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: settings.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
    handler: 'lambda.handler',
    code,
    memorySize,
    timeout: Duration.seconds(timeout),
    reservedConcurrentExecutions: reservedConcurrency === 'none' ? undefined : reservedConcurrency,
    vpc,
    vpcSubnets,
    securityGroups,
    role: makeSearchRole(scope, logGroup, vpc !== undefined, tracing, store),
    logGroup,
    loggingFormat: lambda.LoggingFormat.JSON,
    tracing: tracing ? lambda.Tracing.ACTIVE : undefined,
    ...functionProps,
    environment: { ...environmentOf(settings, store?.address), ...functionProps?.environment },
    currentVersionOptions: {
      description,
      removalPolicy: KEPT_VERSION,
      ...functionProps?.currentVersionOptions,
    },
  });
}

/**
 * The alias `live`. If a builder publishes the versions, CloudFormation has one version of its own, whose properties never change.
 * CloudFormation then never updates the alias, so that it stays where the builder has moved it.
 */
export function makeAlias(
  scope: Construct,
  fn: lambda.Function,
  { store, documents, provisionedConcurrency }: Settings,
): lambda.Alias {
  const isPublishedByBuilder = documents && store === 'bundle';
  const version = isPublishedByBuilder
    ? new lambda.Version(scope, 'WithoutIndex', {
        lambda: fn,
        description: NO_INDEX,
        removalPolicy: KEPT_VERSION,
      })
    : fn.currentVersion;
  return new lambda.Alias(scope, 'Live', {
    aliasName: 'live',
    version,
    ...(!isPublishedByBuilder && { description: describeAlias(version.version) }),
    ...(provisionedConcurrency && { provisionedConcurrentExecutions: provisionedConcurrency }),
  });
}

/** What a function in a VPC needs to create its network interfaces. None of these actions can be limited to a resource. */
const NETWORK_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

function makeSearchRole(
  scope: Construct,
  logGroup: ILogGroup,
  inVpc: boolean,
  traced: boolean,
  store: VectorStore | undefined,
): Role {
  const policy = (...statements: PolicyStatement[]) => new PolicyDocument({ statements });
  const tasks = ['write its log', store && 'read its index', inVpc && 'join its network'].filter(Boolean);
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `Lets the search function ${new Intl.ListFormat('en-GB').format(tasks as string[])}, and nothing else.`,
    inlinePolicies: {
      log: policy(allow(['logs:CreateLogStream', 'logs:PutLogEvents'], logGroup.logGroupArn)),
      ...(store && { index: policy(...store.readStatements()) }),
      ...(inVpc && { network: policy(allow(NETWORK_ACTIONS, '*')) }),
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
