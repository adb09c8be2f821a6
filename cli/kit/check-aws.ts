import { existsSync } from 'node:fs';
import { readBuilder, sendsEvents } from '../../functions/deployed/builder.ts';
import { findExcess } from '../../functions/deployed/concurrency.ts';
import { type Environment, readEnvironment } from '../../functions/deployed/environment.ts';
import { type DeployedSettings, readSettings } from '../../functions/deployed/settings.ts';
import { type Check, check, ok, warning } from './checks.ts';
import { compareIndex } from './compare-index.ts';
import { CDK_PACKAGES, findInstalled, installCommand } from './manifest.ts';
import { target } from './remote.ts';

/** Checks what `polyseek deploy` and `push` need. Nothing here is needed on this machine alone, so there are only warnings. */
export async function checkAws(stage: string | undefined): Promise<Check[]> {
  const checks = [await check('cdk.json', () => checkSettings(stage), 'warning'), checkPackages()];
  let settings: DeployedSettings;
  try {
    settings = readSettings(stage);
  } catch {
    // The first check says why.
    return checks;
  }
  let environment: Environment | undefined;
  const credentials = await check(
    'credentials',
    async () => {
      environment = await readEnvironment(
        target({ function: settings.functionName }),
        settings.bootstrapQualifier,
      );
      return ok('credentials', `valid, region ${environment.region}`);
    },
    'warning',
  );
  checks.push(credentials);
  if (!environment) return checks;
  return [
    ...checks,
    checkBootstrap(environment),
    await check('concurrency', () => checkConcurrency(settings), 'warning'),
    await check('function', () => checkFunction(settings), 'warning'),
    ...(settings.documents ? await checkDocuments(settings) : []),
  ];
}

/** Whether changes of documents reach the builder. */
async function checkDocuments({ functionName }: DeployedSettings): Promise<Check[]> {
  const remote = target({ function: functionName });
  const name = 'documents';
  const checked = await check(
    name,
    async () => {
      const { documents } = await readBuilder(remote);
      const [, bucket = ''] = /^s3:\/\/([^/]+)/.exec(documents) ?? [];
      if (await sendsEvents(remote, bucket))
        return ok(name, `${documents}, which sends events to EventBridge`);
      return warning(
        name,
        `the bucket ${bucket} sends no events to EventBridge, so only the schedule starts builds`,
        'In the properties of the bucket, turn on Amazon EventBridge.',
      );
    },
    'warning',
  );
  return [checked];
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
