import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Annotations, Stack } from 'aws-cdk-lib';
import { Code, type CodeConfig } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import {
  type Asset,
  checkAsset,
  checkLibraries,
  exceeds,
  requireIndex,
  sizesOf,
  sum,
} from '../functions/deployed/asset.ts';
import { describeVersion, NO_INDEX } from '../functions/deployed/version-description.ts';
import type { Architecture } from '../index/engine/native-sources.ts';
import { BUNDLE_LIMIT, describeBundle, isNearlyFull } from '../index/ingest/bundle-space.ts';
import { messageOf } from '../index/kit/errors.ts';
import { readsElsewhere, requireApiKey, type Settings } from './schema.ts';

/**
 * The code of the search function, and the description of the version that runs it. If packaging fails, the stack can be compared, and deploying it fails with the reason.
 * @throws if the packaged function would not run in Lambda
 */
export function searchCode(scope: Construct, settings: Settings): { code: Code; description: string } {
  const packaged = attempt(scope, () => {
    requireApiKey(settings);
    return settings.code ?? packageSearch(settings);
  });
  if (packaged instanceof Code) return { code: packaged, description: 'not packaged' };
  const asset = checkAsset(packaged, settings.architecture);
  if (asset.space) {
    const text = describeBundle(asset.space);
    if (isNearlyFull(asset.space)) Annotations.of(scope).addWarningV2('polyseek:bundle-nearly-full', text);
    else Annotations.of(scope).addInfoV2('polyseek:bundle', text);
  }
  return { code: Code.fromAsset(packaged), description: descriptionOf(packaged, asset, settings) };
}

/** The code of the builder, under the same conditions. */
export function builderCode(scope: Construct, { architecture }: Settings): Code {
  const flags = ['--builder', '--arch', architecture];
  const packaged = attempt(scope, () => packageOnce(`builder-${architecture}`, flags));
  if (packaged instanceof Code) return packaged;
  checkBuilder(packaged, architecture);
  return Code.fromAsset(packaged);
}

function descriptionOf(folder: string, asset: Asset, settings: Settings): string {
  if (readsElsewhere(settings)) return settings.store === 's3vectors' ? 'index in S3 Vectors' : NO_INDEX;
  return describeVersion(requireIndex(folder, asset));
}

/** The folder of packaged code, or code that cannot be deployed. */
function attempt(scope: Construct, run: () => string): string | Code {
  if (!Stack.of(scope).bundlingRequired) return new UnpackagedCode('This command packages no code.');
  try {
    return run();
  } catch (error) {
    const reason = messageOf(error);
    const warning = `${reason} Until then, cdk diff shows the code as changed, and cdk deploy fails.`;
    Annotations.of(scope).addWarningV2('polyseek:not-packaged', warning);
    return new UnpackagedCode(reason);
  }
}

/** The command line, compiled (.js) in the installed package or as source (.ts) in a clone. */
const POLYSEEK = fileURLToPath(new URL(`../cli/polyseek${extname(import.meta.url)}`, import.meta.url));

/** Node's flags for the command line. The hooks of tsx are found from here, as the current folder may be another project. */
const loader = () =>
  extname(POLYSEEK) === '.ts'
    ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
    : [];

/** Folders that this process has packaged: several stages may contain the same index. */
const packaged = new Set<string>();

/** Packages the search function, with its indexes if they are on this machine. Returns and throws as `packageOnce` does. */
function packageSearch(settings: Settings): string {
  const { index, collections, architecture } = settings;
  if (readsElsewhere(settings))
    return packageOnce(`no-index-${architecture}`, ['--no-index', '--arch', architecture]);
  const others = Object.entries(collections).map(([name, folder]) => `${name}=${folder}`);
  const content = [resolve(index), ...others].join('\n');
  const id = createHash('sha256').update(content).digest('hex').slice(0, 8);
  const flags = ['--index', index, '--arch', architecture];
  const more = others.flatMap((other) => ['--collection', other]);
  return packageOnce(`${id}-${architecture}`, [...flags, ...more]);
}

/**
 * Runs `npx polyseek package`. CDK's constructors are synchronous, so a child process does the work.
 * @returns the folder of the packaged function
 * @throws with the command's own message
 */
function packageOnce(name: string, flags: string[]): string {
  const out = join('.polyseek/functions', name);
  if (packaged.has(resolve(out))) return out;
  try {
    execFileSync(process.execPath, [...loader(), POLYSEEK, 'package', ...flags, '--out', out], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
      maxBuffer: 2 ** 26,
    });
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: Buffer };
    throw new Error(stderr.toString().trim() || message, { cause: error });
  }
  packaged.add(resolve(out));
  return out;
}

/**
 * Checks that the native libraries of a packaged builder load in Lambda, and that it fits Lambda's quota.
 * @returns the size of all files, unzipped, in bytes
 * @throws with the fault found and the remedy
 */
export function checkBuilder(folder: string, architecture: Architecture): number {
  checkLibraries(join(folder, 'native'), architecture);
  checkAsset(join(folder, 'function'), architecture);
  const sizes = sizesOf(folder, ['function']);
  const bytes = sum(sizes.values());
  if (bytes >= BUNDLE_LIMIT) throw new Error(`${exceeds(folder, sizes)} Choose a smaller model.`);
  return bytes;
}

/**
 * Code of a function that was not packaged. CDK can list, compare and destroy the stack; deploying it fails with the
 * reason before anything changes, because the asset is made by a command that fails.
 */
class UnpackagedCode extends Code {
  readonly isInline = false;
  readonly #reason: string;

  constructor(reason: string) {
    super();
    this.#reason = reason;
  }

  override bind(scope: Construct): CodeConfig {
    const { bucketName, objectKey } = Stack.of(scope).synthesizer.addFileAsset({
      executable: ['node', '-e', 'console.error(process.argv[1]); process.exit(1)', this.#reason],
      sourceHash: 'not-packaged',
    });
    return { s3Location: { bucketName, objectKey } };
  }
}
