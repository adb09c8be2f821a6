import { GetAccountSettingsCommand, GetFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { ifKnown, type Remote } from './connect.ts';
import type { DeployedSettings } from './settings.ts';

/** Concurrent runs that Lambda keeps for functions without a reservation, unless the account has fewer. */
const MOST_UNRESERVED = 100;

/** A setting that AWS would refuse. */
export interface Excess {
  found: string;
  fix: string;
}

/**
 * Finds out whether the account has the concurrent runs that the settings take from it. New accounts have 10, and none of them can be reserved.
 * @returns undefined if it has them, or if this AWS identity may not ask
 */
export async function findExcess(
  remote: Remote,
  { reservedConcurrency, provisionedConcurrency }: DeployedSettings,
): Promise<Excess | undefined> {
  // Provisioned instances are a part of the reserved ones.
  const [setting, wanted] =
    reservedConcurrency === 'none'
      ? (['provisionedConcurrency', provisionedConcurrency] as const)
      : (['reservedConcurrency', reservedConcurrency] as const);
  if (!(wanted > 0)) return undefined;
  const { lambda, functionName: FunctionName } = remote;
  const settings = await ifKnown(() => lambda.send(new GetAccountSettingsCommand({})));
  const { ConcurrentExecutions: all, UnreservedConcurrentExecutions: free } = settings?.AccountLimit ?? {};
  if (all === undefined || free === undefined) return undefined;
  const own = await ifKnown(() => lambda.send(new GetFunctionConcurrencyCommand({ FunctionName })));
  const available = free + (own?.ReservedConcurrentExecutions ?? 0) - Math.min(all, MOST_UNRESERVED);
  if (wanted <= available) return undefined;
  const region = await lambda.config.region();
  const off = setting === 'reservedConcurrency' ? `Set ${setting} to none` : `Remove ${setting}`;
  const change = available > 0 ? `Lower ${setting} to ${available}` : off;
  return {
    found: `${setting} is ${wanted}, but of the account's ${all} concurrent runs in ${region} only ${Math.max(0, available)} can be reserved`,
    fix: `${change} in cdk.json, or ask AWS for more: Service Quotas, AWS Lambda, Concurrent executions.`,
  };
}
