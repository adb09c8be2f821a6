import { Annotations, Stack } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { type Asset, checkAsset, requireIndex } from '../functions/deployed/asset.ts';
import { describeVersion, NO_INDEX } from '../functions/deployed/version-description.ts';
import { type BundleSpace, describeBundle, isNearlyFull } from '../index/ingest/bundle-space.ts';
import { checkBuilder } from './builder-asset.ts';
import { packageBuilder, packageSearch } from './package-code.ts';
import { readsElsewhere, requireApiKey, type Settings } from './schema.ts';
import { UnpackagedCode } from './unpackaged-code.ts';

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
    const reason = error instanceof Error ? error.message : String(error);
    const warning = `${reason} Until then, cdk diff shows the code as changed, and cdk deploy fails.`;
    Annotations.of(scope).addWarningV2('polyseek:not-packaged', warning);
    return new UnpackagedCode(reason);
  }
}
