import { existsSync, readFileSync } from 'node:fs';
import { Option } from 'commander';
import { connect, Interrupted, type Remote } from '../../infra/remote/connect.ts';
import { DEFAULT_KEEP } from '../../infra/remote/prune.ts';
import { Tool } from './command.ts';
import { jsonOption, numberOption } from './flags.ts';

/** Flags of the commands that work on a deployed function. */
export interface Target {
  function: string;
  bucket?: string;
  json?: boolean;
}

/** The settings of cdk.json in this folder that commands share with `cdk deploy`. */
export interface CdkSettings {
  functionName: string;
  index: string;
  auth: string;
  apiKeys: object;
  /** CDK's name of the bootstrap stack's resources. */
  qualifier?: string | undefined;
}

/** Reads the settings that `cdk deploy` would use. Without the file, returns the defaults. */
export function readCdkSettings(stage?: string): CdkSettings {
  const { context = {} } = (existsSync('cdk.json') ? JSON.parse(readFileSync('cdk.json', 'utf8')) : {}) as {
    context?: Record<string, unknown> & { stages?: Record<string, Record<string, unknown>> };
  };
  const { stage: chosen = stage, stages = {}, ...common } = context;
  const settings = { ...common, ...stages[String(chosen)] } as Record<string, unknown>;
  const { stack = 'polyseek', functionName = stack, index = '.polyseek/index' } = settings;
  const { auth = 'api-key', apiKeys = {} } = settings;
  return {
    functionName: String(functionName),
    index: String(index),
    auth: String(auth),
    apiKeys: Object(apiKeys),
    qualifier: settings['@aws-cdk/core:bootstrapQualifier'] as string | undefined,
  };
}

/** The defaults of flags that match `cdk deploy`. */
export const deployedSettings = (): CdkSettings => readCdkSettings();

/** `--stage` of the commands that deploy. */
export function stageOption(): Option {
  return new Option('--stage <name>', 'name in stages of cdk.json');
}

/** A command on a deployed function. */
export function remoteTool(name: string, description: string): Tool {
  return new Tool(name, description)
    .option('--function <name>', 'name of the function', deployedSettings().functionName)
    .addOption(jsonOption());
}

/** A command that changes the function's code or versions. */
export function changingTool(name: string, description: string): Tool {
  return remoteTool(name, description).option(
    '--bucket <name>',
    "bucket for uploaded code (default: cdk bootstrap's bucket in the function's account and region)",
  );
}

/** `--keep` of the commands that delete old versions. */
export function keepOption(): Option {
  return new Option('--keep <n>', 'number of versions to keep')
    .argParser(numberOption('--keep', 1, 1000, 'a whole number'))
    .default(DEFAULT_KEEP);
}

/** The function that the flags name. Its steps are reported on standard error. */
export function target({ function: name, bucket }: Target): Remote {
  // CDK and the AWS CLI read this variable, but the SDK does not.
  if (process.env.AWS_DEFAULT_REGION) process.env.AWS_REGION ||= process.env.AWS_DEFAULT_REGION;
  // The warning is about later versions of the SDK, and polyseek depends on a fixed one.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  return connect({ functionName: name, bucket, step });
}

let interrupted = false;

/** From now on, an interrupt waits for the end of a step, so that the command can undo its changes. A second interrupt exits at once. */
export function deferInterrupts(): void {
  process.removeAllListeners('SIGINT');
  process.once('SIGINT', () => {
    interrupted = true;
    process.once('SIGINT', () => process.exit(130));
    console.error('Interrupted: stopping after this step. Interrupt again to exit at once.');
  });
}

/** Runs a step, and reports its name and duration on standard error. */
async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  if (interrupted) {
    // Only once: undoing has steps too.
    interrupted = false;
    process.once('exit', () => {
      process.exitCode = 130;
    });
    throw new Interrupted();
  }
  const started = performance.now();
  const result = await run();
  console.error(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}
