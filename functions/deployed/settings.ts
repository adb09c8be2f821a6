import { existsSync, readFileSync } from 'node:fs';
import { jsonProblem } from '../../index/documents/records/values.ts';
import { DEFAULT_INDEX } from '../../index/format/manifest.ts';

/** Settings by name, as in `context` of cdk.json. */
type Context = Record<string, unknown>;

/** The settings of cdk.json that commands share with `cdk deploy`. */
export interface DeployedSettings {
  /** Name of the stack. */
  stack: string;
  functionName: string;
  /** Folder of the default index. */
  index: string;
  /** Folders of further indexes, by name. */
  collections: Record<string, string>;
  /** Whether the index is in the function's package (`bundle`) or in S3 Vectors (`s3vectors`). */
  store: string;
  /** Where the documents are from which AWS builds the index; false if it does not. */
  documents: string | boolean;
  auth: string;
  /** Instances that the function takes from the account's quota. */
  reservedConcurrency: number | 'none';
  /** Instances that are always started. */
  provisionedConcurrency: number;
  /** API keys by name. Nothing has checked them. */
  apiKeys: object;
  /** AWS profile of CDK, which is outside its context. */
  profile: string | undefined;
  /** Part of the names of what `cdk bootstrap` created, if it is not CDK's default. */
  bootstrapQualifier: string | undefined;
}

/** Default limits of requests a second, apart for paths under `/browser`, and of instances of the function. */
export const THROTTLE = {
  /** Of an endpoint that anyone may call. */
  open: { rate: 5, browserRate: 5, instances: 5 },
  /** With keys, tokens or IAM. */
  closed: { rate: 50, browserRate: 20, instances: 'none' },
} as const;

export const DEFAULT_STACK = 'polyseek';

/** Settings that a stage does not take from outside it: keys of a test must not open production, and a name belongs to one function. */
const NOT_SHARED = ['apiKeys', 'functionName'];

const isObject = (value: unknown): value is Context =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Replaces settings by those of a stage in `stages`. The stack gets the stage's name as a suffix, unless the stage names its stack.
 * @param context all settings; its own `stage` is the default of `stage`
 * @returns the settings without `stage` and `stages`
 * @throws if the stage does not exist
 */
export function applyStage(context: Context, stage = context.stage): Context {
  const { stage: _, stages = {}, ...common } = context;
  if (!isObject(stages)) throw new Error('stages is not an object of names and settings.');
  if (stage === undefined) return common;
  const own = Object.hasOwn(stages, String(stage)) ? stages[String(stage)] : undefined;
  if (!isObject(own)) {
    const names = Object.keys(stages).join(', ');
    throw new Error(
      `No stage ${JSON.stringify(stage)} in stages of cdk.json. ${names ? `Stages: ${names}.` : 'Add it there.'}`,
    );
  }
  const shared = Object.entries(common).filter(([name]) => !NOT_SHARED.includes(name));
  return {
    stack: `${common.stack ?? DEFAULT_STACK}-${stage}`,
    ...Object.fromEntries(shared.filter(([name]) => name !== 'stack')),
    ...own,
  };
}

/**
 * Reads the settings that `cdk deploy` would use, without loading CDK. Without the file, returns the defaults.
 * @param stage name in `stages`; default: the setting `stage`
 * @param file a cdk.json
 * @throws if the file is not valid JSON, or has no such stage
 */
export function readSettings(stage?: string, file = 'cdk.json'): DeployedSettings {
  const { context = {}, profile } = existsSync(file) ? readFile(file) : {};
  const settings = applyStage(context, stage);
  const { stack = DEFAULT_STACK, functionName = stack, index = DEFAULT_INDEX, collections } = settings;
  const { store = 'bundle', documents = false } = settings;
  const { provisionedConcurrency = 0 } = settings;
  const { auth = 'api-key', apiKeys, '@aws-cdk/core:bootstrapQualifier': qualifier } = settings;
  const { reservedConcurrency = (auth === 'none' ? THROTTLE.open : THROTTLE.closed).instances } = settings;
  return {
    stack: String(stack),
    functionName: String(functionName),
    index: String(index),
    collections: isObject(collections)
      ? Object.fromEntries(Object.entries(collections).map(([name, folder]) => [name, String(folder)]))
      : {},
    store: String(store),
    documents: typeof documents === 'boolean' ? documents : String(documents),
    auth: String(auth),
    reservedConcurrency: reservedConcurrency === 'none' ? reservedConcurrency : Number(reservedConcurrency),
    provisionedConcurrency: Number(provisionedConcurrency),
    apiKeys: isObject(apiKeys) ? apiKeys : {},
    profile: profile === undefined ? undefined : String(profile),
    bootstrapQualifier: qualifier === undefined ? undefined : String(qualifier),
  };
}

function readFile(file: string): { context: Context; profile?: unknown } {
  let config: unknown;
  try {
    config = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Error(`${file} is not valid JSON (${jsonProblem(error)}). Repair it first.`);
  }
  if (isObject(config)) {
    const { context = {}, profile } = config;
    if (isObject(context)) return { context, profile };
  }
  throw new Error(`${file} has no object of settings under context. Repair it first.`);
}

/** Folder of CDK's bucket that `npx polyseek push` uploads to. */
export const UPLOADS = 'polyseek/';

/** Name of the bucket that `cdk bootstrap` creates, by default with CDK's own qualifier. */
export function bootstrapBucket(account: string, region: string, qualifier = 'hnb659fds'): string {
  return `cdk-${qualifier}-assets-${account}-${region}`;
}

/** Name of the function that builds the index of a search function. */
export function builderName(functionName: string): string {
  return `${functionName}-builder`;
}
