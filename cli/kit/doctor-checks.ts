import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { loadLibrary } from '#native';
import { Builds } from '../../functions/builder/builds.ts';
import {
  type Environment,
  findExcess,
  readEnvironment,
  sendsEvents,
} from '../../functions/deployed/account.ts';
import { readBuilder } from '../../functions/deployed/function-parts.ts';
import { type DeployedSettings, readSettings } from '../../functions/deployed/settings.ts';
import { Bucket } from '../../index/aws/s3.ts';
import { compileModel, DEFAULT_MODEL } from '../../index/compile/compile.ts';
import { Embedder } from '../../index/embedding/embedder.ts';
import { compilerFor } from '../../index/engine/compile-engine.ts';
import { libraryOrigin, loadNative } from '../../index/engine/load-native.ts';
import type { Architecture } from '../../index/engine/native-sources.ts';
import { readCompiledModel } from '../../index/format/compiled-model.ts';
import { locateFolder } from '../../index/format/drafts.ts';
import { DEFAULT_INDEX, readManifest } from '../../index/format/manifest.ts';
import { openLocal } from '../../index/ingest/open-local.ts';
import { CONFIG_FILE, readConfig } from '../../index/ingest/sources/config.ts';
import { messageOf } from '../../index/kit/errors.ts';
import { counted, size } from './command.ts';
import { compareIndex, target } from './deployed.ts';
import { CDK_PACKAGES, findInstalled, installCommand } from './installed.ts';

/** `ok`, `warning` (something works only partly, or not at all without it), or `problem` (polyseek does not work). */
export type Status = 'ok' | 'warning' | 'problem';

export interface Check {
  name: string;
  status: Status;
  found: string;
  /** What to do, if something is wrong. */
  fix?: string;
}

export type Checks = Record<string, Check[]>;

const ok = (name: string, found: string): Check => ({ name, status: 'ok', found });

const warning = (name: string, found: string, fix: string): Check => {
  return { name, status: 'warning', found, fix };
};

/** The result of a function that throws an error with what is wrong and what to do. */
async function check(
  name: string,
  run: () => Check | Promise<Check>,
  otherwise: Exclude<Status, 'ok'> = 'problem',
): Promise<Check> {
  try {
    return await run();
  } catch (error) {
    return { name, status: otherwise, found: messageOf(error) };
  }
}

/** The oldest version of Node, as in package.json. */
const NODE = [20, 19];

const ORIGINS = { prebuilt: 'prebuilt in the package', compiled: 'compiled on this machine' };

/** Checks what polyseek needs of this machine. Compiles the model and the libraries if nothing has yet. */
export async function checkMachine(): Promise<Check[]> {
  return [
    checkNode(),
    ok('platform', describePlatform()),
    await check('model', checkModel),
    await check('engine', checkEngine),
    await check('hnswlib', checkHnswlib),
    await check('compiler', checkCompiler, 'warning'),
    await check('for Lambda, x86_64', () => checkLambda('x86_64'), 'warning'),
    await check('for Lambda, arm64', () => checkLambda('arm64'), 'warning'),
  ];
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isNew = major > NODE[0]! || (major === NODE[0] && minor >= NODE[1]!);
  const found = `${process.version}, ${process.execPath}`;
  if (isNew) return ok('Node', found);
  return { name: 'Node', status: 'problem', found, fix: `Install Node ${NODE.join('.')} or newer.` };
}

function describePlatform(): string {
  const system = `${process.platform} ${process.arch}`;
  if (process.platform !== 'linux') return system;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return `${system}, ${header.glibcVersionRuntime ? `glibc ${header.glibcVersionRuntime}` : 'without glibc'}`;
}

/** `compileModel` compares the checksums. */
function checkModel(): Check {
  const dir = compileModel(DEFAULT_MODEL);
  return ok('model', `${readCompiledModel(dir, false).name}, compiled and intact, in ${dir}`);
}

/** Embeds a text with the engine that a search would use. */
async function checkEngine(): Promise<Check> {
  const dir = compileModel(DEFAULT_MODEL);
  const { engine } = readCompiledModel(dir, false);
  await (await Embedder.open(dir, { verify: false })).embed('Does it work?', 'query');
  if (engine === 'onnx') return ok('engine', 'ONNX Runtime');
  const { kernels } = await loadLibrary();
  return ok('engine', `polyseek's own, ${originOf('engine')}, for ${kernels[0]} processors`);
}

/** Builds the graph of an index. */
function checkHnswlib(): Check {
  loadNative('hnswlib');
  return ok('hnswlib', originOf('hnswlib'));
}

function originOf(name: 'engine' | 'hnswlib'): string {
  const origin = libraryOrigin(name);
  return origin ? ORIGINS[origin] : 'not compiled';
}

function checkCompiler(): Check {
  const { program, remedy } = compilerFor();
  const version = firstLineOf(program, '--version');
  if (version) return ok('compiler', version);
  // Both libraries are there.
  const isNeeded = [libraryOrigin('engine'), libraryOrigin('hnswlib')].includes(undefined);
  return isNeeded
    ? warning('compiler', `${program} is not installed`, remedy)
    : ok('compiler', 'none, and none is needed');
}

/** Whether the engine for Lambda's processor is there, or can be compiled. */
function checkLambda(architecture: Architecture): Check {
  const name = `for Lambda, ${architecture}`;
  const origin = libraryOrigin('engine', architecture);
  if (origin) return ok(name, ORIGINS[origin]);
  const { program, remedy } = compilerFor(architecture);
  if (firstLineOf(program, '--version')) return ok(name, `${program} will compile it`);
  if (firstLineOf('docker', 'version', '--format', '{{.Server.Version}}'))
    return ok(name, 'Docker will compile it');
  return warning(name, `${program} is not installed, and Docker does not run`, remedy);
}

/** The first line that a program prints, or undefined if it is not installed or fails. */
function firstLineOf(program: string, ...args: string[]): string | undefined {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    return execFileSync(program, args, { encoding: 'utf8', stdio, timeout: 10_000 }).split('\n')[0]!.trim();
  } catch {
    return undefined;
  }
}

/**
 * Checks the files of the project in the current folder.
 * @param index its index; by default, that of the config file
 */
export async function checkProject(index?: string): Promise<Check[]> {
  return [
    await check(CONFIG_FILE, checkConfig),
    await check('index', () => checkIndex(index ?? readConfig().index ?? DEFAULT_INDEX)),
  ];
}

function checkConfig(): Check {
  if (!existsSync(CONFIG_FILE)) return ok(CONFIG_FILE, 'none; npx polyseek init writes one');
  const { sources = [] } = readConfig();
  const paths = sources.flatMap((source) => {
    if (typeof source === 'string') return [source];
    return 'path' in source ? [source.path] : [];
  });
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length > 0)
    return warning(
      CONFIG_FILE,
      `${missing.join(', ')} does not exist`,
      'Correct sources, or put the documents there.',
    );
  return ok(CONFIG_FILE, counted(sources.length, 'source'));
}

/** Opens the index with the model that built it, and compares all checksums. */
async function checkIndex(index: string): Promise<Check> {
  const folder = locateFolder(index);
  if (!existsSync(folder))
    return warning('index', `none in ${index}`, 'Build one with npx polyseek index PATH.');
  const search = await openLocal(index);
  const { version, passages, model } = search.info;
  search.close();
  const { files, counts } = readManifest(folder, undefined, false);
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  return ok(
    'index',
    `${index}: ${counts.documents} documents, ${passages} passages, ${size(bytes)}, version ${version}, model ${model}, intact`,
  );
}

/** Checks what `polyseek deploy` and `push` need. Nothing here is needed on this machine alone, so there are only warnings. */
export async function checkDeployment(stage: string | undefined): Promise<Check[]> {
  const checks = [await check('cdk.json', () => checkSettings(stage), 'warning'), checkPackages()];
  let settings: DeployedSettings;
  try {
    settings = readSettings(stage);
  } catch {
    // The first check says why.
    return checks;
  }
  let environment: Environment;
  try {
    const remote = target({ function: settings.functionName });
    environment = await readEnvironment(remote, settings.bootstrapQualifier);
  } catch (error) {
    return [...checks, { name: 'credentials', status: 'warning', found: messageOf(error) }];
  }
  return [
    ...checks,
    ok('credentials', `valid, region ${environment.region}`),
    checkBootstrap(environment),
    await check('concurrency', () => checkConcurrency(settings), 'warning'),
    await check('function', () => checkFunction(settings), 'warning'),
    ...(settings.documents ? await checkDocuments(stage) : []),
  ];
}

/** Whether changes of documents reach the builder, and how its newest build went. */
async function checkDocuments(stage: string | undefined): Promise<Check[]> {
  const remote = target({ ...(stage !== undefined && { stage }) });
  const events = async () => {
    const { documents } = await readBuilder(remote);
    const [, bucket = ''] = /^s3:\/\/([^/]+)/.exec(documents) ?? [];
    if (await sendsEvents(remote, bucket))
      return ok('documents', `${documents}, which sends events to EventBridge`);
    return warning(
      'documents',
      `the bucket ${bucket} sends no events to EventBridge, so only the schedule starts builds`,
      'In the properties of the bucket, turn on Amazon EventBridge.',
    );
  };
  const builds = async () => {
    const { bucket } = await readBuilder(remote);
    const [newest] = await new Builds(new Bucket(bucket, remote.s3)).list(1);
    if (!newest)
      return warning(
        'builds',
        'none yet',
        'Put documents into the bucket, or run npx polyseek remote build.',
      );
    const { status, started, reason = '' } = newest;
    const found = `the newest, of ${started.slice(0, 16).replace('T', ' ')} UTC: ${status}`;
    return status === 'failed'
      ? warning('builds', `${found}. ${reason}`, 'List all with npx polyseek remote builds.')
      : ok('builds', found);
  };
  return [await check('documents', events, 'warning'), await check('builds', builds, 'warning')];
}

function checkSettings(stage: string | undefined): Check {
  if (!existsSync('cdk.json')) return warning('cdk.json', 'none', 'Write it with npx polyseek init.');
  const { auth, apiKeys, functionName } = readSettings(stage);
  const names = Object.keys(apiKeys);
  if (auth === 'api-key' && names.length === 0)
    return warning(
      'cdk.json',
      'auth is api-key, but there is no API key',
      'Create one with npx polyseek key NAME.',
    );
  const keys = names.length > 0 ? `, API keys of ${names.join(', ')}` : '';
  return ok('cdk.json', `function ${functionName}, auth ${auth}${keys}`);
}

function checkPackages(): Check {
  const found = CDK_PACKAGES.map((name) => ({ name, version: findInstalled(name)?.version }));
  const missing = found.filter(({ version }) => version === undefined).map(({ name }) => name);
  if (missing.length > 0)
    return warning(
      'CDK',
      `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not installed`,
      `Run ${installCommand(missing).join(' ')}`,
    );
  return ok('CDK', found.map(({ name, version }) => `${name} ${version}`).join(', '));
}

function checkBootstrap({ region, isBootstrapped }: Environment): Check {
  if (isBootstrapped === undefined)
    return ok('bootstrap', 'unknown, as this AWS identity may not list buckets');
  if (isBootstrapped) return ok('bootstrap', `done in ${region}`);
  return warning(
    'bootstrap',
    `CDK has no bucket in ${region}`,
    'Run npx cdk bootstrap once per account and region.',
  );
}

/** Whether the account has the concurrent runs that a deploy takes from it. */
async function checkConcurrency(settings: DeployedSettings): Promise<Check> {
  const excess = await findExcess(target({ function: settings.functionName }), settings);
  return excess
    ? warning('concurrency', excess.found, excess.fix)
    : ok('concurrency', 'enough for the settings');
}

/** The live version, and whether it answers from the index on this machine, if that is the one to deploy. */
async function checkFunction(settings: DeployedSettings): Promise<Check> {
  const { functionName, documents, store } = settings;
  const { live: version, canary, stackVersion, local, isOlder } = await compareIndex(settings);
  const { version: live } = version;
  const deployed = version.index?.version;
  const returns =
    stackVersion === undefined || stackVersion === live
      ? ''
      : `; if a deploy fails, CloudFormation may make version ${stackVersion} live again`;
  const found = `${functionName}: version ${live} is live, with index ${deployed ?? '(unknown)'}${returns}`;
  if (canary)
    return warning(
      'function',
      `${found}; version ${canary.version} gets ${canary.percent} % of requests`,
      'Before a deploy, make it live with npx polyseek push --promote, or end that with npx polyseek rollback.',
    );
  if (store === 's3vectors')
    return ok('function', `${functionName}: version ${live} is live, with an index in S3 Vectors`);
  if (documents && deployed === undefined)
    return warning(
      'function',
      `${functionName}: version ${live} is live, without an index`,
      'Wait for the first build: npx polyseek remote builds.',
    );
  if (local === undefined || deployed === undefined || local === deployed) return ok('function', found);
  return warning(
    'function',
    `${found}; the index here is ${local}${isOlder ? ', and older' : ''}`,
    isOlder
      ? 'Before a deploy, build it again with npx polyseek index: a deploy makes the index here live.'
      : 'Make it live with npx polyseek push.',
  );
}
