import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import { connect, Interrupted, type Remote } from '../../functions/deployed/connect.ts';
import { DEFAULT_KEEP } from '../../functions/deployed/prune.ts';
import { type DeployedSettings, readSettings } from '../../functions/deployed/settings.ts';
import { listVersions } from '../../functions/deployed/versions.ts';
import { locateFolder } from '../../index/format/drafts.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { exitInterrupted, stopOnInterrupt, Tool } from './command.ts';
import { jsonOption, numberOption } from './flags.ts';

export interface Target {
  function?: string;
  stage?: string;
  bucket?: string;
  json?: boolean;
}

export function remoteTool(name: string, description: string): Tool {
  return new Tool(name, description)
    .option('--function <name>', 'name of the function (default: functionName or stack of cdk.json)')
    .addOption(stageOption())
    .addOption(profileOption())
    .addOption(jsonOption());
}

/** A command that changes the function's code or versions. */
export function changingTool(name: string, description: string): Tool {
  return remoteTool(name, description).option(
    '--bucket <name>',
    "bucket for uploaded code (default: cdk bootstrap's bucket in the function's account and region)",
  );
}

export const stageOption = () => new Option('--stage <name>', 'use the settings of this stage in cdk.json');

let profile: string | undefined;

export const profileOption = () =>
  new Option('--profile <name>', 'AWS profile (default: profile of cdk.json, or AWS_PROFILE)').argParser(
    useProfile,
  );

/** Lets the SDK and CDK use the credentials of a profile, instead of those in the environment. */
function useProfile(name: string): string {
  for (const key of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
    delete process.env[key];
  process.env.AWS_PROFILE = name;
  profile = name;
  return name;
}

/** @param shown the default, as help shows it */
export const keepOption = (shown?: string) =>
  new Option('--keep <n>', 'number of versions to keep')
    .argParser(numberOption('--keep', 1, 1000, 'a whole number'))
    .default(DEFAULT_KEEP, shown);

export function prepareSdk(): void {
  // CDK and the AWS CLI read this variable, but the SDK does not.
  if (process.env.AWS_DEFAULT_REGION) process.env.AWS_REGION ||= process.env.AWS_DEFAULT_REGION;
  // The warning is about later versions of the SDK, and polyseek depends on a fixed one.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
}

/** The function that the flags name. Its steps are reported on standard error. */
export function target(flags: Target): Remote {
  prepareSdk();
  const { function: name, bucket } = flags;
  const { functionName, bootstrapQualifier: qualifier, profile: ofProject } = readSettings(flags.stage);
  if (ofProject !== undefined && profile === undefined) useProfile(ofProject);
  return connect({ functionName: name ?? functionName, bucket, qualifier, step });
}

let interrupted = false;

/** From now on, an interrupt waits for the end of a step, so that the command can undo its changes. */
export function deferInterrupts(): void {
  stopOnInterrupt('this step', () => {
    interrupted = true;
  });
}

/** Runs a step, and reports its name and duration on standard error. */
async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  if (interrupted) {
    // Only once: undoing has steps too.
    interrupted = false;
    exitInterrupted();
    throw new Interrupted();
  }
  const started = performance.now();
  const result = await run();
  console.error(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

/**
 * The live version and the canary of a function, and the version of the index on this machine, if a deploy packages it. `isOlder`: the
 * live version has another index, and was published after the one here was built.
 * @throws if the function does not exist, or its versions cannot be read
 */
export async function compareIndex({ functionName, index, documents, store }: DeployedSettings) {
  const { versions, live: number, stackVersion } = await listVersions(target({ function: functionName }));
  const live = versions.find(({ version }) => version === number)!;
  const canary = versions.find(({ percent }) => percent !== undefined);
  const deployed = { live, canary, stackVersion };
  const folder = locateFolder(index);
  if (documents || store !== 'bundle' || !existsSync(folder))
    return { ...deployed, local: undefined, isOlder: false };
  const local = readManifest(folder, undefined, false).version;
  const built = statSync(join(folder, 'manifest.json')).mtime.toISOString();
  const isOther = live.index !== undefined && live.index.version !== local;
  return { ...deployed, local, isOlder: isOther && live.date > built };
}
