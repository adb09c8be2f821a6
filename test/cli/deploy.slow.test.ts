import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { command as program } from '../../cli/deploy.ts';
import { readEnvironment } from '../../functions/deployed/account.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { type Aws, startAws } from '../fixtures/aws.ts';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { root, SMALL_MODEL } from '../fixtures/index.ts';
import { withLiveFunction } from '../fixtures/live-function.ts';
import { command, type Outcome, onTerminal } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';
import { NO_AWS, projects } from './project.ts';

const { index, newProject } = projects();
let folder: string;
beforeEach(() => {
  folder = newProject();
});

const deploy = (args: string[] = [], env: Record<string, string> = {}): Promise<Outcome> =>
  command('deploy', args, '', { ...NO_AWS, ...env }, folder);

/** Runs `deploy`, which must fail, and returns its only line of output. */
async function refusal(args?: string[], env?: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await deploy(args, env);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^[^\n]+\n$/);
  return stderr.trimEnd();
}

/** Why `deploy` fails here. It runs in this process, as starting the command takes longer than that. */
async function reason(args: string[] = [], env: Record<string, string> = {}): Promise<string> {
  process.chdir(folder);
  for (const [name, value] of Object.entries({ ...NO_AWS, ...env })) vi.stubEnv(name, value);
  try {
    await program.parseAsync(['--no-input', ...args], { from: 'user' });
  } catch (error) {
    return (error as Error).message;
  } finally {
    process.chdir(root);
    vi.unstubAllEnvs();
  }
  throw new Error('deploy did not fail.');
}

/** Writes a cdk.json whose index is the one of these tests. */
function writeSettings(context: object = {}): void {
  const config = {
    app: 'npx polyseek cdk-app',
    context: { 'cli-telemetry': false, index, auth: 'none', ...context },
  };
  writeFileSync(join(folder, 'cdk.json'), JSON.stringify(config));
}

describe('where nobody can be asked', () => {
  test('each missing thing fails with the command that fixes it', async () => {
    expect(await refusal()).toBe(
      'There is no cdk.json in this folder. Write it with npx polyseek init, or change to the folder that has it.',
    );
    writeSettings({ index: undefined });
    expect(await reason()).toBe(
      'There is no index in .polyseek/index. Build it with npx polyseek index PATH',
    );
    writeFileSync(join(folder, 'polyseek.config.json'), '{ "sources": ["docs"] }');
    expect(await reason()).toBe('There is no index in .polyseek/index. Build it with npx polyseek index');
    writeSettings({ index: 'other' });
    expect(await reason()).toBe('There is no index in other. Build it with npx polyseek index --index other');

    writeSettings({ auth: 'api-key' });
    expect(await reason()).toBe(
      'auth is api-key, but there is no API key. Create one with npx polyseek key NAME, or set auth in cdk.json.',
    );
    writeSettings({ auth: 'api-key', apiKeys: { a: 'ab'.repeat(32) }, stages: { prod: {} } });
    expect(await reason(['--stage', 'prod'])).toMatch(/npx polyseek key NAME --stage prod, or /);
    expect(await reason(['--stage', 'test'])).toMatch(
      /^No stage "test" in stages of cdk\.json\. Stages: prod\.$/,
    );

    writeSettings();
    expect(await reason()).toMatch(/needs a region .*\. Set AWS_REGION to the stack's region/);
    expect(await reason([], { AWS_REGION: 'eu-central-1' })).toMatch(
      /no AWS credentials\. Run aws configure or aws sso login, or set AWS_PROFILE\.$/,
    );
    // CDK reads this variable too.
    expect(await reason([], { AWS_DEFAULT_REGION: 'eu-central-1' })).toMatch(/no AWS credentials/);
  }, 240_000);
});

describe('a function that is live', () => {
  const NEWER = '0123456789ab';
  const settings = { auth: 'iam', index: 'built' };
  const refused = (alias: object = {}) => withLiveFunction({ index: NEWER, alias }, (env) => reason([], env));
  beforeEach(() => cpSync(index, join(folder, 'built'), { recursive: true }));

  test('keeps its index if that is newer than the one on this machine', async () => {
    writeSettings(settings);
    const { version } = readManifest(index, undefined, false);
    utimesSync(join(folder, 'built/manifest.json'), new Date(2025, 1), new Date(2025, 1));
    expect(await refused()).toBe(
      `Version 3 is live with index ${NEWER}, which was published after the index here (${version}) was built. Build the index again with npx polyseek index, or make the older one live with npx cdk deploy.`,
    );
  });

  test('is not deployed while another version gets a share of its requests', async () => {
    writeSettings(settings);
    expect(await refused({ RoutingConfig: { AdditionalVersionWeights: { 4: 0.25 } } })).toBe(
      'Version 4 gets 25 % of requests, and a deploy moves live. First end that with npx polyseek push --promote or npx polyseek rollback.',
    );
  });

  test('is not deployed with more concurrent runs than the account has', async () => {
    writeSettings({ ...settings, auth: 'none' });
    expect(await refused()).toBe(
      "reservedConcurrency is 5, but of the account's 10 concurrent runs in eu-central-1 only 0 can be reserved. Set reservedConcurrency to none in cdk.json, or ask AWS for more: Service Quotas, AWS Lambda, Concurrent executions.",
    );
  });

  test('gets a newer index of this machine, with the profile of the flag', async () => {
    writeSettings(settings);
    utimesSync(join(folder, 'built/manifest.json'), new Date(2026, 1), new Date(2026, 1));
    writeFileSync(
      join(folder, 'config'),
      '[profile mine]\naws_access_key_id = a\naws_secret_access_key = b\n',
    );
    standInForCdk(`console.log(args.join(' '), process.env.AWS_PROFILE, process.env.AWS_ACCESS_KEY_ID);`);
    const { code, stdout, stderr } = await withLiveFunction({ index: NEWER }, (env) =>
      deploy(['--profile', 'mine'], { ...env, AWS_CONFIG_FILE: join(folder, 'config') }),
    );
    expect({ code, stdout, stderr }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^deploy --require-approval never .* --profile mine mine undefined\n$/),
    });
  });
});

/** Installs a program instead of CDK, which has its arguments in `args`. */
function standInForCdk(program: string): void {
  const fake = join(folder, 'node_modules/aws-cdk');
  mkdirSync(join(fake, 'bin'), { recursive: true });
  writeFileSync(join(fake, 'package.json'), '{"name":"aws-cdk","version":"0.0.0"}');
  writeFileSync(join(fake, 'bin/cdk'), `const args = process.argv.slice(2);\n${program}`);
}

describe('on a terminal', () => {
  test('an interrupt at a question exits with 130, and changes nothing', async () => {
    const type: [RegExp, string][] = [
      [/Write it.*\[y\] /, '\r'],
      [/Where are your documents \(a folder, or s3:.*\)\? /, '\x03'],
    ];
    const { code, printed } = await onTerminal('deploy', [], { cwd: folder, type });
    expect(code).toBe(130);
    expect(printed).not.toContain('error');
    expect(existsSync(join(folder, 'cdk.json'))).toBe(false);
  });

  test('a refusal says what to do instead', async () => {
    const type: [RegExp, string][] = [[/Write it.*\[y\] /, 'n\r']];
    const { code, printed } = await onTerminal('deploy', [], { cwd: folder, type });
    expect(code).toBe(1);
    expect(printed).toMatch(/error: .*Write it with npx polyseek init/);
  });

  test('--no-input asks nothing', async () => {
    const { code, printed } = await onTerminal('deploy', ['--no-input'], { cwd: folder });
    expect(code).toBe(1);
    expect(printed).toMatch(/error: .*Write it with npx polyseek init/);
  });
});

test('tells the address of the endpoint, also as JSON', async () => {
  // moto returns no outputs.
  standInForCdk(
    `console.log(args.join(' '));
const file = args[args.indexOf('--outputs-file') + 1];
require('fs').writeFileSync(file, '{"polyseek-prod":{"Url":"https://a.example/"}}');`,
  );
  writeSettings({ auth: 'iam', stages: { prod: {} } });
  const run = (...args: string[]) => withLiveFunction({ index: '0123456789ab' }, (env) => deploy(args, env));
  expect(await run('--stage', 'prod', '--', '--hotswap')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^deploy --require-approval never --outputs-file \S+ -c stage=prod --hotswap\n$/,
    ),
    stderr: expect.stringMatching(/\nAsk it: npx polyseek search "QUESTION" --url https:\/\/a\.example\n$/),
  });
  const json = await run('--stage', 'prod', '--json');
  expect(JSON.parse(json.stdout)).toEqual({ 'polyseek-prod': { Url: 'https://a.example/' } });
  expect(json.stderr).toMatch(/^deploy /m);
});

test('a failure of CDK is a failure', async () => {
  standInForCdk(`console.error('memorySize is 1, but must be more.'); process.exitCode = 1;`);
  writeSettings({ auth: 'iam' });
  const { code, stderr } = await withLiveFunction({ index: '0123456789ab' }, (env) => deploy([], env));
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^memorySize is 1, but must be more\.\ncdk deploy failed\. Its messages above say why\.\n$/m,
  );
});

describe.skipIf(missingTools('moto'))('with AWS', () => {
  let aws: Aws;
  beforeAll(async () => {
    aws = await startAws();
  });
  afterAll(() => aws.stop());
  /** A home folder without settings of the user, and `npx polyseek` for the app. */
  function prepare(): Record<string, string> {
    const bin = join(folder, 'node_modules/.bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'polyseek'), `#!/bin/sh\nexec '${process.execPath}' '${POLYSEEK}' "$@"\n`);
    chmodSync(join(bin, 'polyseek'), 0o755);
    return { ...aws.env, HOME: folder, CDK_DISABLE_VERSION_CHECK: '1', CDK_DISABLE_CLI_TELEMETRY: 'true' };
  }
  const described = (FunctionName: string) =>
    aws.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));

  test('asks for everything, and deploys', async () => {
    const env = prepare();
    writeSettings();
    expect(await refusal([], env)).toBe(
      'CDK has no bucket in eu-central-1 yet. Create it with npx cdk bootstrap',
    );
    rmSync(join(folder, 'cdk.json'));
    writeFileSync(join(folder, 'polyseek.config.json'), JSON.stringify({ model: SMALL_MODEL }));
    mkdirSync(join(folder, 'texts'));
    writeFileSync(join(folder, 'texts/light.md'), '# Lighthouse\n\nThe light flashes twice a minute.\n');
    const { code, printed } = await onTerminal('deploy', [], {
      cwd: folder,
      env,
      type: [
        [/Write it.*\(y\/n\) \[y\] /, '\r'],
        [/no index in .*Where are your documents\? /, 'texts\r'],
        [/Name of its first user\? \[me\] /, 'chatbot\r'],
        [/CDK has no bucket in eu-central-1 yet\..*\[y\] /, '\r'],
        [/Do you wish to deploy these changes/, 'y\r'],
      ],
    });
    expect({ code, printed }).toMatchObject({ code: 0 });
    expect(printed).toMatch(/^ps_[\w-]{43}$/m);
    const { context } = JSON.parse(readFileSync(join(folder, 'cdk.json'), 'utf8'));
    expect(Object.keys(context.apiKeys)).toEqual(['chatbot']);
    const { Environment } = await described('polyseek');
    expect(JSON.parse(Environment!.Variables!.API_KEYS!)).toEqual(context.apiKeys);

    const remote = { functionName: 'polyseek', ...aws, step: <T>(_: string, run: () => Promise<T>) => run() };
    expect(await readEnvironment(remote)).toEqual({ region: 'eu-central-1', isBootstrapped: true });
  }, 600_000);
});
