import {
  DeleteFunctionCommand,
  type FunctionConfiguration,
  paginateListAliases,
} from '@aws-sdk/client-lambda';
import { DeleteObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { messageOf } from '../../index/kit/errors.ts';
import { Interrupted, type Remote } from './connect.ts';
import { uploadKey } from './go-live.ts';
import { UPLOADS } from './settings.ts';
import { isPushed, readDescription } from './version-description.ts';
import { readAlias, readConfiguration, readVersions } from './versions.ts';

/** Versions that `push` and `prune` keep by default. */
export const DEFAULT_KEEP = 5;

/** The result of a `prune`. */
export interface Pruned {
  dryRun: boolean;
  /** Numbers of the deleted versions (with `dryRun`, of those that it would delete), newest first. */
  deleted: string[];
  kept: string[];
  /** Keys of the deleted uploads. */
  uploads: string[];
  /** Number of other objects below `polyseek/` in the bucket. They belong to kept versions, or to none that this command knows. */
  uploadsLeft: number;
  /** Zipped size of the deleted versions, which counts towards Lambda's quota of 75 GB. */
  bytes: number;
  /** A sentence for each call that failed. */
  failures: string[];
}

export interface PruneOptions {
  /** Only report what would be deleted. */
  dryRun?: boolean | undefined;
  /**
   * Delete versions that a failed `cdk deploy` left too, however new they are: until they are gone, CloudFormation cannot publish the same
   * code. Not while a deploy runs, whose new version looks the same.
   */
  orphans?: boolean;
}

/**
 * Deletes all versions of a function but the newest ones, and their uploads. Keeps each version that an alias points at, and CloudFormation's
 * own, because CloudFormation returns to it if a later deploy fails.
 * @param keep number of versions to keep, at least 1
 * @throws if the versions cannot be listed, or if the command was interrupted; a failed deletion is reported in the result
 */
export async function prune(
  remote: Remote,
  keep: number,
  { dryRun = false, orphans = false }: PruneOptions = {},
): Promise<Pruned> {
  const all = await readVersions(remote);
  const versions = all.filter(({ Version }) => Version !== '$LATEST');
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
    const run = () => deleteVersion(remote, one.Version!);
    if (dryRun || (await attempt(failures, `Version ${one.Version} was not deleted`, run))) deleted.push(one);
  }
  const kept = all.filter((one) => !deleted.includes(one));
  const uploads = await pruneUploads(remote, deleted, kept, dryRun, failures);
  return {
    dryRun,
    deleted: deleted.map(({ Version }) => Version!),
    kept: versions.filter((one) => kept.includes(one)).map(({ Version }) => Version!),
    ...uploads,
    bytes: deleted.reduce((sum, { CodeSize = 0 }) => sum + CodeSize, 0),
    failures,
  };
}

/** Deletes a version. */
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

/** Deletes the zips that only deleted versions were made from. The name of an upload is the SHA-256 of its code, so the match is certain. */
async function pruneUploads(
  remote: Remote,
  deleted: FunctionConfiguration[],
  left: FunctionConfiguration[],
  dryRun: boolean,
  failures: string[],
): Promise<Pick<Pruned, 'uploads' | 'uploadsLeft'>> {
  if (deleted.length === 0) return { uploads: [], uploadsLeft: 0 };
  const keys = (versions: FunctionConfiguration[]) =>
    new Set(versions.map(({ CodeSha256 }) => uploadKey(CodeSha256!)));
  const [gone, needed] = [keys(deleted), keys(left)];
  const found: string[] = [];
  const { bootstrapBucket } = await readConfiguration(remote);
  const { s3, bucket: Bucket = bootstrapBucket, step } = remote;
  await attempt(failures, 'Uploads were not deleted', async () => {
    for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix: UPLOADS }))
      found.push(...Contents.map(({ Key }) => Key!));
  });
  const uploads: string[] = [];
  for (const key of found.filter((key) => gone.has(key) && !needed.has(key))) {
    const run = () =>
      step(`delete ${Bucket}/${key}`, () => s3.send(new DeleteObjectCommand({ Bucket, Key: key })));
    if (dryRun || (await attempt(failures, `${Bucket}/${key} was not deleted`, run))) uploads.push(key);
  }
  return { uploads, uploadsLeft: found.length - uploads.length };
}

/** Runs a call and notes its failure, with a start for the sentence. An interrupt ends the command instead. */
async function attempt(failures: string[], start: string, run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    failures.push(`${start}: ${messageOf(error)}`);
    return false;
  }
}

/** A result as lines for people. */
export function describePruned(pruned: Pruned): string {
  const { dryRun, deleted, kept, uploads, uploadsLeft, bytes, failures } = pruned;
  const [removal, keeping] = dryRun ? ['Would delete', 'Would keep'] : ['Deleted', 'Kept'];
  if (deleted.length + failures.length === 0) return `No version to delete. ${keeping} ${named(kept)}.`;
  if (deleted.length === 0) return failures.join('\n');
  const zips = uploads.length > 0 ? ` and ${count(uploads.length, 'upload')}` : '';
  const others =
    uploadsLeft > 0 ? `, and ${count(uploadsLeft, 'other file')} below ${UPLOADS} in the bucket` : '';
  return [
    `${removal} ${named(deleted)} (${(bytes / 1e6).toFixed(1)} MB)${zips}.`,
    `${keeping} ${named(kept)}${others}.`,
    ...failures,
  ].join('\n');
}

const named = (versions: string[]) => `version${versions.length === 1 ? '' : 's'} ${versions.join(', ')}`;

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
