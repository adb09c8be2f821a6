import {
  DeleteFunctionCommand,
  type FunctionConfiguration,
  paginateListAliases,
} from '@aws-sdk/client-lambda';
import { messageOf } from '../../index/kit/errors.ts';
import { Interrupted, type Remote } from './connect.ts';
import { isPushed, readDescription } from './version-description.ts';
import { readAlias, readVersions } from './versions.ts';

/** Versions that `push` and `prune` keep by default. */
export const DEFAULT_KEEP = 5;

export interface Pruned {
  dryRun: boolean;
  /** Numbers of the deleted versions (with `dryRun`, of those that it would delete), newest first. */
  deleted: string[];
  kept: string[];
  /** Zipped size of the deleted versions, which counts towards Lambda's quota of 75 GB. */
  bytes: number;
  /** A sentence for each call that failed. */
  failures: string[];
}

interface PruneOptions {
  /** Only report what would be deleted. */
  dryRun?: boolean | undefined;
  /**
   * Delete versions that a failed `cdk deploy` left too, however new they are: until they are gone, CloudFormation cannot publish the same
   * code. Not while a deploy runs, whose new version looks the same.
   */
  orphans?: boolean;
}

/**
 * Deletes all versions of a function but the newest ones. Keeps each version that an alias points at, and CloudFormation's
 * own, because CloudFormation returns to it if a later deploy fails.
 * @param keep number of versions to keep, at least 1
 * @throws if the versions cannot be listed, or if the command was interrupted; a failed deletion is reported in the result
 */
export async function prune(
  remote: Remote,
  keep: number,
  { dryRun = false, orphans = false }: PruneOptions = {},
): Promise<Pruned> {
  const versions = (await readVersions(remote)).filter(({ Version }) => Version !== '$LATEST');
  const aliased = await readAliasedVersions(remote);
  const { stackVersion } = await readAlias(remote);
  const fromStack = stackVersion ?? versions.find(({ Description }) => !isPushed(Description))?.Version;
  const isUnused = ({ Version }: FunctionConfiguration) => !aliased.has(Version!) && Version !== fromStack;
  const isOrphan = (one: FunctionConfiguration) =>
    orphans &&
    isUnused(one) &&
    Number(one.Version) > Number(stackVersion) &&
    readDescription(one.Description) !== undefined &&
    !isPushed(one.Description);
  const newest = versions.filter((one) => !isOrphan(one)).slice(0, keep);
  const old = versions.filter((one) => isUnused(one) && !newest.includes(one));

  const failures: string[] = [];
  const deleted: FunctionConfiguration[] = [];
  for (const one of old) {
    try {
      if (!dryRun) await deleteVersion(remote, one.Version!);
      deleted.push(one);
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      failures.push(`Version ${one.Version} was not deleted: ${messageOf(error)}`);
    }
  }
  const numbers = (some: FunctionConfiguration[]) => some.map(({ Version }) => Version!);
  return {
    dryRun,
    deleted: numbers(deleted),
    kept: numbers(versions.filter((one) => !deleted.includes(one))),
    bytes: deleted.reduce((sum, { CodeSize = 0 }) => sum + CodeSize, 0),
    failures,
  };
}

export function deleteVersion({ lambda, functionName, step }: Remote, version: string): Promise<unknown> {
  return step(`delete version ${version}`, () =>
    lambda.send(new DeleteFunctionCommand({ FunctionName: functionName, Qualifier: version })),
  );
}

/** Every version that an alias points at, also those that get a part of its traffic. */
async function readAliasedVersions({ lambda, functionName }: Remote): Promise<Set<string>> {
  const versions = new Set<string>();
  for await (const { Aliases = [] } of paginateListAliases(
    { client: lambda },
    { FunctionName: functionName },
  ))
    for (const { FunctionVersion, RoutingConfig } of Aliases)
      for (const version of [FunctionVersion!, ...Object.keys(RoutingConfig?.AdditionalVersionWeights ?? {})])
        versions.add(version);
  return versions;
}

/** A result as lines for people. */
export function describePruned({ dryRun, deleted, kept, bytes, failures }: Pruned): string {
  const [removal, keeping] = dryRun ? ['Would delete', 'Would keep'] : ['Deleted', 'Kept'];
  const named = (versions: string[]) => `version${versions.length === 1 ? '' : 's'} ${versions.join(', ')}`;
  if (deleted.length + failures.length === 0) return `No version to delete. ${keeping} ${named(kept)}.`;
  if (deleted.length === 0) return failures.join('\n');
  const megabytes = (bytes / 1e6).toFixed(1);
  return [`${removal} ${named(deleted)} (${megabytes} MB).`, `${keeping} ${named(kept)}.`, ...failures].join(
    '\n',
  );
}
