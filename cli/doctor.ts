import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { styleText } from 'node:util';
import { loadLibrary } from '#native';
import { Builds } from '../functions/builder/builds.ts';
import { type Environment, findExcess, readEnvironment, sendsEvents } from '../functions/deployed/account.ts';
import type { Remote } from '../functions/deployed/connect.ts';
import { readBuilder } from '../functions/deployed/function-parts.ts';
import { type DeployedSettings, readSettings } from '../functions/deployed/settings.ts';
import { Bucket } from '../index/aws/s3.ts';
import { compileModel, DEFAULT_MODEL } from '../index/compile/compile.ts';
import { Embedder } from '../index/embedding/embedder.ts';
import { compilerFor } from '../index/engine/compile-engine.ts';
import { libraryOrigin, loadNative } from '../index/engine/load-native.ts';
import type { Architecture } from '../index/engine/native-sources.ts';
import { readCompiledModel } from '../index/format/compiled-model.ts';
import { locateFolder } from '../index/format/drafts.ts';
import { DEFAULT_INDEX, readManifest, restrictedIn } from '../index/format/manifest.ts';
import { openLocal } from '../index/ingest/open-local.ts';
import { CONFIG_FILE, readConfig } from '../index/ingest/sources/config.ts';
import { messageOf } from '../index/kit/errors.ts';
import { counted, print, size, Tool } from './kit/command.ts';
import { compareIndex, profileOption, stageOption, target } from './kit/deployed.ts';
import { jsonOption } from './kit/flags.ts';
import { CDK_PACKAGES, findInstalled, missingPackages } from './kit/installed.ts';

/** `ok`, `warning` (something works only partly, or not at all without it), or `problem` (polyseek does not work). */
type Status = 'ok' | 'warning' | 'problem';

export interface Check {
  name: string;
  status: Status;
  found: string;
  fix?: string;
}

export type Checks = Record<string, Check[]>;

const COLOURS = { ok: 'green', warning: 'yellow', problem: 'red' } as const;

export const command = new Tool(
  'doctor',
  'Check this machine, this project and its deployment: what works, and what to do about the rest. Exits with 1 if polyseek does not work here.',
)
  .option('--index <dir>', 'folder of the index (default: that of polyseek.config.json)')
  .addOption(stageOption())
  .addOption(profileOption())
  .addOption(jsonOption())
  .examples('npx polyseek doctor', 'npx polyseek doctor --json')
  .action(async ({ index, stage, json }: { index?: string; stage?: string; json?: boolean }) => {
    const checks: Checks = {
      'This machine': await checkMachine(),
      'This project': await checkProject(index),
      Deployment: await checkDeployment(stage),
    };
    const counts: Record<Status, number> = { ok: 0, warning: 0, problem: 0 };
    for (const { status } of Object.values(checks).flat()) counts[status]++;
    print(json, { checks, counts }, () => text(checks, counts));
    process.exitCode = counts.problem > 0 ? 1 : 0;
  });

function text(checks: Checks, { warning, problem }: Record<Status, number>): string {
  const sections = Object.entries(checks).map(([heading, list]) =>
    [styleText('bold', heading), ...list.map(line)].join('\n'),
  );
  return [...sections, `${counted(problem, 'problem')}, ${counted(warning, 'warning')}`].join('\n\n');
}

function line({ name, status, found, fix }: Check): string {
  const first = `  ${styleText(COLOURS[status], status.padEnd(8))} ${name}: ${found}`;
  return fix ? `${first}\n           ${fix}` : first;
}

/** What is as it should be; or a warning, with what to do. */
type Finding = string | { found: string; fix: string };

/** Runs a check. An error says what is wrong and what to do, and has the status `otherwise`. */
async function check(
  name: string,
  run: () => Finding | Promise<Finding>,
  otherwise: Status = 'warning',
): Promise<Check> {
  try {
    const finding = await run();
    return typeof finding === 'string'
      ? { name, status: 'ok', found: finding }
      : { name, status: 'warning', ...finding };
  } catch (error) {
    return { name, status: otherwise, found: messageOf(error) };
  }
}

/** The oldest version of Node, as in package.json. */
const [MAJOR, MINOR] = [20, 19];

const ORIGINS = { prebuilt: 'prebuilt in the package', compiled: 'compiled on this machine' };

/** Checks what polyseek needs of this machine. Compiles the model and the libraries if nothing has yet. */
async function checkMachine(): Promise<Check[]> {
  return [
    await check('Node', checkNode, 'problem'),
    await check('platform', describePlatform),
    await check('model', checkModel, 'problem'),
    await check('engine', checkEngine, 'problem'),
    await check('hnswlib', checkHnswlib, 'problem'),
    await check('compiler', checkCompiler),
    await check('for Lambda, x86_64', () => checkLambda('x86_64')),
    await check('for Lambda, arm64', () => checkLambda('arm64')),
  ];
}

function checkNode(): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const found = `${process.version}, ${process.execPath}`;
  if (major > MAJOR || (major === MAJOR && minor >= MINOR)) return found;
  throw new Error(`${found}. Install Node ${MAJOR}.${MINOR} or newer.`);
}

function describePlatform(): string {
  const system = `${process.platform} ${process.arch}`;
  if (process.platform !== 'linux') return system;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return `${system}, ${header.glibcVersionRuntime ? `glibc ${header.glibcVersionRuntime}` : 'without glibc'}`;
}

/** `compileModel` compares the checksums. */
function checkModel(): string {
  const dir = compileModel(DEFAULT_MODEL);
  return `${readCompiledModel(dir, false).name}, compiled and intact, in ${dir}`;
}

/** Embeds a text with the engine that a search would use. */
async function checkEngine(): Promise<string> {
  const dir = compileModel(DEFAULT_MODEL);
  await (await Embedder.open(dir, { verify: false })).embed('Does it work?', 'query');
  if (readCompiledModel(dir, false).engine === 'onnx') return 'ONNX Runtime';
  const { kernels } = await loadLibrary();
  return `polyseek's own, ${originOf('engine')}, for ${kernels[0]} processors`;
}

function checkHnswlib(): string {
  loadNative('hnswlib');
  return originOf('hnswlib');
}

function originOf(name: 'engine' | 'hnswlib'): string {
  const origin = libraryOrigin(name);
  return origin ? ORIGINS[origin] : 'not compiled';
}

function checkCompiler(): Finding {
  const { program, remedy } = compilerFor();
  const version = firstLineOf(program, '--version');
  if (version) return version;
  const isNeeded = [libraryOrigin('engine'), libraryOrigin('hnswlib')].includes(undefined);
  return isNeeded ? { found: `${program} is not installed`, fix: remedy } : 'none, and none is needed';
}

/** Whether the engine for Lambda's processor is there, or can be compiled. */
function checkLambda(architecture: Architecture): Finding {
  const origin = libraryOrigin('engine', architecture);
  if (origin) return ORIGINS[origin];
  const { program, remedy } = compilerFor(architecture);
  if (firstLineOf(program, '--version')) return `${program} will compile it`;
  if (firstLineOf('docker', 'version', '--format', '{{.Server.Version}}')) return 'Docker will compile it';
  return { found: `${program} is not installed, and Docker does not run`, fix: remedy };
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

/** Checks the files of the project in the current folder. Its index is by default that of the config file. */
export async function checkProject(index?: string): Promise<Check[]> {
  return [
    await check(CONFIG_FILE, checkConfig, 'problem'),
    await check('index', () => checkIndex(index ?? readConfig().index ?? DEFAULT_INDEX), 'problem'),
  ];
}

function checkConfig(): Finding {
  if (!existsSync(CONFIG_FILE)) return 'none; npx polyseek init writes one';
  const { sources = [] } = readConfig();
  const paths = sources.map((source) =>
    typeof source === 'string' ? source : 'path' in source && source.path,
  );
  const missing = paths.filter((path) => path && !existsSync(path));
  if (missing.length === 0) return counted(sources.length, 'source');
  const found = `${missing.join(', ')} does not exist`;
  return { found, fix: 'Correct sources, or put the documents there.' };
}

/** Opens the index with the model that built it, and compares all checksums. */
async function checkIndex(index: string): Promise<Finding> {
  const folder = locateFolder(index);
  if (!existsSync(folder))
    return { found: `none in ${index}`, fix: 'Build one with npx polyseek index PATH.' };
  const search = await openLocal(index);
  const { version, passages, model } = search.info;
  search.close();
  const { files, counts } = readManifest(folder, undefined, false);
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  const restricted = restrictedIn(folder).map((one) => readManifest(one, undefined, true));
  const others =
    restricted.length > 0 ? `, with ${counted(restricted.length, 'list')} of restricted documents` : '';
  return `${index}: ${counts.documents} documents, ${passages} passages, ${size(bytes)}, version ${version}, model ${model}, intact${others}`;
}

/** Checks what `polyseek deploy` and `push` need. Nothing here is needed on this machine alone, so there are only warnings. */
export async function checkDeployment(stage: string | undefined): Promise<Check[]> {
  const checks = [await check('cdk.json', () => checkSettings(stage)), await check('CDK', checkPackages)];
  let settings: DeployedSettings;
  try {
    settings = readSettings(stage);
  } catch {
    // The first check says why.
    return checks;
  }
  const remote = target({ stage });
  const environment = () => readEnvironment(remote, settings.bootstrapQualifier);
  const credentials = async () => `valid, region ${(await environment()).region}`;
  checks.push(await check('credentials', credentials));
  if (checks.at(-1)!.status !== 'ok') return checks;
  return [
    ...checks,
    await check('bootstrap', async () => checkBootstrap(await environment())),
    await check('concurrency', async () => (await findExcess(remote, settings)) ?? 'enough for the settings'),
    await check('function', () => checkFunction(settings)),
    ...(settings.documents
      ? [
          await check('documents', () => checkDocuments(remote)),
          await check('builds', () => checkNewestBuild(remote)),
        ]
      : []),
  ];
}

function checkSettings(stage: string | undefined): Finding {
  if (!existsSync('cdk.json')) return { found: 'none', fix: 'Write it with npx polyseek init.' };
  const { auth, apiKeys, functionName } = readSettings(stage);
  const names = Object.keys(apiKeys);
  if (auth === 'api-key' && names.length === 0) {
    const fix = 'Create one with npx polyseek key NAME.';
    return { found: 'auth is api-key, but there is no API key', fix };
  }
  const keys = names.length > 0 ? `, API keys of ${names.join(', ')}` : '';
  return `function ${functionName}, auth ${auth}${keys}`;
}

function checkPackages(): Finding {
  const missing = missingPackages();
  if (missing) return { found: missing.found, fix: `Run npm ${missing.install.join(' ')}` };
  return CDK_PACKAGES.map((name) => `${name} ${findInstalled(name)?.version}`).join(', ');
}

function checkBootstrap({ region, isBootstrapped }: Environment): Finding {
  if (isBootstrapped === undefined) return 'unknown, as this AWS identity may not list buckets';
  if (isBootstrapped) return `done in ${region}`;
  const fix = 'Run npx cdk bootstrap once per account and region.';
  return { found: `CDK has no bucket in ${region}`, fix };
}

/** The live version, and whether it answers from the index on this machine, if that is the one to deploy. */
async function checkFunction(settings: DeployedSettings): Promise<Finding> {
  const { functionName, documents, store } = settings;
  const { live, canary, stackVersion = live.version, local, isOlder } = await compareIndex(settings);
  const deployed = live.index?.version;
  const isLive = `${functionName}: version ${live.version} is live`;
  const returns = `; if a deploy fails, CloudFormation may make version ${stackVersion} live again`;
  const found = `${isLive}, with index ${deployed ?? '(unknown)'}${stackVersion === live.version ? '' : returns}`;
  if (canary)
    return {
      found: `${found}; version ${canary.version} gets ${canary.percent} % of requests`,
      fix: 'Before a deploy, make it live with npx polyseek push --promote, or end that with npx polyseek rollback.',
    };
  if (store === 's3vectors') return `${isLive}, with an index in S3 Vectors`;
  if (documents && deployed === undefined) {
    const fix = 'Wait for the first build: npx polyseek remote builds.';
    return { found: `${isLive}, without an index`, fix };
  }
  if (local === undefined || deployed === undefined || local === deployed) return found;
  return {
    found: `${found}; the index here is ${local}${isOlder ? ', and older' : ''}`,
    fix: isOlder
      ? 'Before a deploy, build it again with npx polyseek index: a deploy makes the index here live.'
      : 'Make it live with npx polyseek push.',
  };
}

/** Whether changes of documents reach the builder. */
async function checkDocuments(remote: Remote): Promise<Finding> {
  const { documents } = await readBuilder(remote);
  const [, bucket = ''] = /^s3:\/\/([^/]+)/.exec(documents) ?? [];
  if (await sendsEvents(remote, bucket)) return `${documents}, which sends events to EventBridge`;
  return {
    found: `the bucket ${bucket} sends no events to EventBridge, so only the schedule starts builds`,
    fix: 'In the properties of the bucket, turn on Amazon EventBridge.',
  };
}

async function checkNewestBuild(remote: Remote): Promise<Finding> {
  const { bucket } = await readBuilder(remote);
  const [newest] = await new Builds(new Bucket(bucket, remote.s3)).list(1);
  if (!newest)
    return { found: 'none yet', fix: 'Put documents into the bucket, or run npx polyseek remote build.' };
  const { status, started, reason = '' } = newest;
  const found = `the newest, of ${started.slice(0, 16).replace('T', ' ')} UTC: ${status}`;
  if (status !== 'failed') return found;
  return { found: `${found}. ${reason}`, fix: 'List all with npx polyseek remote builds.' };
}
