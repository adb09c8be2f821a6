import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
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
import {
  BUNDLE_LIMIT,
  type BundleSpace,
  describeBundle,
  isNearlyFull,
} from '../index/ingest/bundle-space.ts';
import { messageOf } from '../index/kit/errors.ts';
import { readsElsewhere, requireApiKey, type Settings } from './schema.ts';

/** Code of the search function, and the description of the version that runs it. */
export interface SearchCode {
  code: Code;
  description: string;
}

/**
 * The code of the search function. If packaging fails, the stack can be compared, and deploying it fails with the reason.
 * @throws if the packaged function would not run in Lambda
 */
export function searchCode(scope: Construct, settings: Settings): SearchCode {
  const packaged = attempt(scope, () => {
    requireApiKey(settings);
    return settings.code ?? packageSearch(settings);
  });
  if (packaged instanceof Code) return { code: packaged, description: 'not packaged' };
  const asset = checkAsset(packaged, settings.architecture);
  if (asset.space) annotateSpace(scope, asset.space);
  return { code: Code.fromAsset(packaged), description: descriptionOf(packaged, asset, settings) };
}

/** The code of the builder, under the same conditions. */
export function builderCode(scope: Construct, settings: Settings): Code {
  const packaged = attempt(scope, () => packageBuilder(settings));
  if (packaged instanceof Code) return packaged;
  checkBuilder(packaged, settings.architecture);
  return Code.fromAsset(packaged);
}

function descriptionOf(folder: string, asset: Asset, settings: Settings): string {
  if (readsElsewhere(settings)) return settings.store === 's3vectors' ? 'index in S3 Vectors' : NO_INDEX;
  return describeVersion(requireIndex(folder, asset));
}

/** Says how full the bundle is. */
function annotateSpace(scope: Construct, space: BundleSpace): void {
  const text = describeBundle(space);
  if (isNearlyFull(space)) Annotations.of(scope).addWarningV2('polyseek:bundle-nearly-full', text);
  else Annotations.of(scope).addInfoV2('polyseek:bundle', text);
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

/** What a failed process has printed. */
type Failure = Error & { stderr?: Buffer };

/** Folders that this process has packaged: several stages may contain the same index. */
const packaged = new Set<string>();

/**
 * Packages the search function in `.polyseek/functions/`, with its indexes if they are on this machine.
 * @returns the folder of the packaged function
 * @throws with the command's own message
 */
function packageSearch(settings: Settings): string {
  const { index, collections, architecture } = settings;
  if (readsElsewhere(settings))
    return packageOnce(`no-index-${architecture}`, ['--no-index', '--arch', architecture]);
  const others = Object.entries(collections).map(([name, folder]) => `${name}=${folder}`);
  const id = createHash('sha256')
    .update([resolve(index), ...others].join('\n'))
    .digest('hex')
    .slice(0, 8);
  const flags = ['--index', index, '--arch', architecture];
  return packageOnce(`${id}-${architecture}`, [
    ...flags,
    ...others.flatMap((other) => ['--collection', other]),
  ]);
}

/**
 * Packages the builder in `.polyseek/functions/`.
 * @returns the folder of the packaged function
 * @throws with the command's own message
 */
function packageBuilder({ architecture }: Settings): string {
  return packageOnce(`builder-${architecture}`, ['--builder', '--arch', architecture]);
}

/** Runs `npx polyseek package`. CDK's constructors are synchronous, so a child process does the work. */
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
    const { stderr = '', message } = error as Failure;
    throw new Error(stderr.toString().trim() || message, { cause: error });
  }
  packaged.add(resolve(out));
  return out;
}

/** Some parts of every packaged builder, as `packageBuilder` writes them. */
const PARTS = [
  ...['builder', 'reading-child', 'worker', 'graph-process'].map((name) => `${name}.mjs`),
  'package.json',
  'THIRD_PARTY_NOTICES.txt',
  'native/hnswlib.node',
  'pdfjs/legacy/build/pdf.min.mjs',
  'function/lambda.mjs',
];

/**
 * Checks that a folder is a packaged builder, that its native libraries load in Lambda, and that it fits Lambda's quota.
 * @returns the size of all files, unzipped, in bytes
 * @throws with the fault found and the remedy
 */
export function checkBuilder(folder: string, architecture: Architecture): number {
  const missing = PARTS.find((part) => !existsSync(join(folder, part)));
  if (missing)
    throw new Error(
      `${folder} is not a packaged builder (no ${missing}). Create it with npx polyseek package --builder --arch ${architecture} --out ${folder}.`,
    );
  checkLibraries(join(folder, 'native'), architecture);
  checkAsset(join(folder, 'function'), architecture);
  const sizes = sizesOf(folder, ['function']);
  const bytes = sum(sizes.values());
  if (bytes >= BUNDLE_LIMIT) throw new Error(`${exceeds(folder, sizes)} Choose a smaller model.`);
  return bytes;
}

/** Run by CDK when it publishes the asset: prints its argument as the error. */
const REFUSAL = 'console.error(process.argv[1]); process.exit(1)';

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
      executable: ['node', '-e', REFUSAL, this.#reason],
      sourceHash: 'not-packaged',
    });
    return { s3Location: { bucketName, objectKey } };
  }
}
