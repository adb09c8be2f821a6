import { once } from 'node:events';
import { appendFileSync, cpSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Check, type Checks, checkDeployment, checkProject } from '../../cli/doctor.ts';
import { describeAlias } from '../../functions/deployed/version-description.ts';
import { compilerFor } from '../../index/engine/compile-engine.ts';
import { readManifest } from '../../index/format/manifest.ts';
import { root } from '../fixtures/index.ts';
import { type LiveFunction, withLiveFunction } from '../fixtures/live-function.ts';
import { command } from '../fixtures/processes.ts';
import { NO_AWS, projects } from './project.ts';

const { index, newProject } = projects();
const { version } = readManifest(index, undefined, false);
let folder: string;
beforeEach(() => {
  folder = newProject();
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(root);
  vi.unstubAllEnvs();
});

const ENVIRONMENT = { ...NO_AWS, AWS_REGION: 'eu-central-1' };
const byName = (checks: Check[]) => Object.fromEntries(checks.map((check) => [check.name, check]));

/** What the command says of the project in the folder, by names. This process asks, because the command checks the machine too. */
const project = async (at?: string) => byName(await checkProject(at));

/** What the command says of the deployment of the project in the folder, by names. */
async function deployment(env: Record<string, string> = {}, stage?: string): Promise<Record<string, Check>> {
  for (const [name, value] of Object.entries({ ...ENVIRONMENT, ...env })) vi.stubEnv(name, value);
  return byName(await checkDeployment(stage));
}

/** Runs `polyseek doctor --json` in the folder, and returns its checks by name. */
async function doctor(
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<{ code: number | null; counts: Record<string, number>; found: Record<string, Check> }> {
  const { code, stdout, stderr } = await command(
    'doctor',
    ['--json', ...args],
    '',
    { ...ENVIRONMENT, ...env },
    folder,
  );
  expect(stderr).toBe('');
  const { checks, counts } = JSON.parse(stdout) as { checks: Checks; counts: Record<string, number> };
  return { code, counts, found: byName(Object.values(checks).flat()) };
}

describe('an empty folder', () => {
  test('has warnings, but no problem', async () => {
    const { code, counts, found } = await doctor();
    expect(code).toBe(0);
    expect(counts).toMatchObject({ problem: 0 });
    for (const name of ['Node', 'platform', 'model', 'engine', 'hnswlib', 'CDK'])
      expect(found[name], name).toMatchObject({ status: 'ok' });
    expect(found.Node!.found).toContain(process.version);
    expect(found.model!.found).toContain('multilingual-e5-small');
    expect(found.engine!.found).toMatch(
      /polyseek's own, (compiled on this machine|prebuilt in the package), for \w+/,
    );
    expect(found.index).toEqual({
      name: 'index',
      status: 'warning',
      found: 'none in .polyseek/index',
      fix: 'Build one with npx polyseek index PATH.',
    });
    expect(found['cdk.json']).toMatchObject({ status: 'warning', fix: 'Write it with npx polyseek init.' });
    expect(found.credentials).toMatchObject({
      status: 'warning',
      found: expect.stringMatching(/no AWS credentials\. Run aws configure/),
    });
    expect(found.function).toBeUndefined();
  });

  test('is described as text', async () => {
    const { code, stdout } = await command('doctor', [], '', ENVIRONMENT, folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^This machine\n {2}ok {7}Node: v/);
    expect(stdout).toContain('\n\nThis project\n');
    expect(stdout).toContain(
      '\n  warning  index: none in .polyseek/index\n           Build one with npx polyseek index PATH.\n',
    );
    expect(stdout).toMatch(/\n\n0 problems, \d warnings\n$/);
  });
});

describe('the index and the config file', () => {
  test('are described if the index is intact and a source does not exist', async () => {
    writeFileSync(join(folder, 'polyseek.config.json'), '{ "sources": ["none"] }');
    const found = await project(index);
    expect(found.index).toMatchObject({ status: 'ok' });
    expect(found.index!.found).toContain(`20 passages`);
    expect(found.index!.found).toContain(`version ${version}, model small, intact`);
    expect(found['polyseek.config.json']).toMatchObject({ status: 'warning', found: 'none does not exist' });
  });

  test('are problems if a file is damaged, and a setting is unknown', async () => {
    writeFileSync(join(folder, 'polyseek.config.json'), '{ "sauces": [] }');
    cpSync(index, join(folder, 'damaged'), { recursive: true });
    appendFileSync(join(folder, 'damaged/lookup.bin'), 'x');
    const { code, counts, found } = await doctor(['--index', 'damaged']);
    expect({ code, counts }).toMatchObject({ code: 1, counts: { problem: 2 } });
    expect(found.index).toMatchObject({
      status: 'problem',
      found: expect.stringMatching(/lookup\.bin is damaged/),
    });
    expect(found['polyseek.config.json']).toMatchObject({
      status: 'problem',
      found: expect.stringMatching(/Unknown setting "sauces"/),
    });
  });

  test('the index is a problem if it is something else', async () => {
    mkdirSync(join(folder, '.polyseek/index'), { recursive: true });
    expect((await project()).index).toMatchObject({ status: 'problem' });
  });
});

test('cdk.json is a warning without an API key, and without the stage', async () => {
  writeFileSync(join(folder, 'cdk.json'), '{ "context": {} }');
  expect((await deployment())['cdk.json']).toMatchObject({
    status: 'warning',
    fix: 'Create one with npx polyseek key NAME.',
  });
  expect((await deployment({}, 'prod'))['cdk.json']).toMatchObject({
    status: 'warning',
    found: expect.stringMatching(/No stage "prod"/),
  });
});

test('without a compiler and Docker, says what to install', async () => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  // Another compiler has another cache, so that no library for Lambda is compiled yet.
  const { code, found } = await doctor([], { PATH: bin, CXX: 'no-such-compiler' });
  expect(code).toBe(0);
  expect(found.compiler).toMatchObject({ status: 'ok', found: 'none, and none is needed' });
  for (const architecture of ['x86_64', 'arm64'])
    expect(found[`for Lambda, ${architecture}`]).toEqual({
      name: `for Lambda, ${architecture}`,
      status: 'warning',
      found: 'no-such-compiler is not installed, and Docker does not run',
      fix: 'Install it, or unset CXX.',
    });
  vi.stubEnv('CXX', '');
  const other = process.arch === 'x64' ? 'arm64' : 'x86_64';
  if (process.platform === 'linux') expect(compilerFor(other).remedy).toMatch(/apt-get install g\+\+-/);
});

describe('the deployed function', () => {
  const withAws = (index: string, more: Partial<LiveFunction> = {}) =>
    withLiveFunction({ index, ...more }, (aws) => deployment(aws));

  test('has the index of this machine, or another one', async () => {
    cpSync(index, join(folder, '.polyseek/index'), { recursive: true });
    const apiKeys = { chatbot: 'ab'.repeat(32) };
    writeFileSync(join(folder, 'cdk.json'), JSON.stringify({ context: { apiKeys } }));
    const found = await withAws(version);
    expect(found['cdk.json']).toEqual({
      name: 'cdk.json',
      status: 'ok',
      found: 'function polyseek, auth api-key, API keys of chatbot',
    });
    expect(found.credentials).toMatchObject({ status: 'ok', found: 'valid, region eu-central-1' });
    expect(found.bootstrap).toMatchObject({ status: 'ok', found: 'done in eu-central-1' });
    expect(found.function).toMatchObject({
      status: 'ok',
      found: `polyseek: version 3 is live, with index ${version}`,
    });
    expect((await withAws('0123456789ab')).function).toMatchObject({
      status: 'warning',
      found: `polyseek: version 3 is live, with index 0123456789ab; the index here is ${version}`,
      fix: 'Make it live with npx polyseek push.',
    });
  });

  test('is newer than the index of this machine', async () => {
    const local = join(folder, '.polyseek/index');
    cpSync(index, local, { recursive: true });
    utimesSync(join(local, 'manifest.json'), new Date(2025, 1), new Date(2025, 1));
    expect((await withAws('0123456789ab')).function).toMatchObject({
      status: 'warning',
      found: expect.stringMatching(/; the index here is \w+, and older$/),
      fix: 'Before a deploy, build it again with npx polyseek index: a deploy makes the index here live.',
    });
  });

  test('may go back to the version of CloudFormation, or share its requests', async () => {
    const Description = describeAlias('2');
    expect((await withAws('0123456789ab', { alias: { Description } })).function).toMatchObject({
      status: 'ok',
      found:
        'polyseek: version 3 is live, with index 0123456789ab; if a deploy fails, CloudFormation may make version 2 live again',
    });
    const RoutingConfig = { AdditionalVersionWeights: { 4: 0.1 } };
    expect((await withAws('0123456789ab', { alias: { RoutingConfig } })).function).toMatchObject({
      status: 'warning',
      found: 'polyseek: version 3 is live, with index 0123456789ab; version 4 gets 10 % of requests',
    });
  });

  test.each([
    ['reservedConcurrency is 5', { auth: 'none' }, 'Set reservedConcurrency to none'],
    ['provisionedConcurrency is 2', { provisionedConcurrency: 2 }, 'Remove provisionedConcurrency'],
  ])('needs concurrent runs of the account: %s', async (excess, context, fix) => {
    writeFileSync(join(folder, 'cdk.json'), JSON.stringify({ context }));
    expect((await withAws('0123456789ab')).concurrency).toEqual({
      name: 'concurrency',
      status: 'warning',
      found: `${excess}, but of the account's 10 concurrent runs in eu-central-1 only 0 can be reserved`,
      fix: `${fix} in cdk.json, or ask AWS for more: Service Quotas, AWS Lambda, Concurrent executions.`,
    });
  });

  test('is read with a profile, of a flag or of cdk.json, which may not list buckets', async () => {
    const config = join(folder, 'config');
    const profile = (name: string) =>
      `[profile ${name}]\naws_access_key_id = ${name}\naws_secret_access_key = secret\n`;
    writeFileSync(config, profile('first') + profile('second'));
    writeFileSync(join(folder, 'cdk.json'), '{ "profile": "first" }');
    for (const [flags, expected] of [
      [[], 'first'],
      [['--profile', 'second'], 'second'],
    ] as const) {
      const keys = new Set<string>();
      const env = { AWS_CONFIG_FILE: config };
      const { found } = await withLiveFunction({ index: '0123456789ab', keys, isDenied: true }, (aws) =>
        doctor([...flags], { ...aws, ...env }),
      );
      expect(found.credentials).toMatchObject({ status: 'ok' });
      expect(found.bootstrap).toMatchObject({ status: 'ok', found: expect.stringMatching(/^unknown/) });
      expect(found.function).toMatchObject({ status: 'ok' });
      // Not the keys in the environment.
      expect([...keys]).toEqual([expected]);
    }
  });
});

describe('documents', () => {
  const build = {
    id: '20260101T000000000Z-0000',
    started: '2026-01-01T00:00:00.000Z',
    ended: '2026-01-01T00:01:00.000Z',
    cause: 'events',
    notices: [],
  };

  /** AWS with a builder whose bucket of documents sends events, or does not, and with one build. */
  const answers =
    (notification: string, record: object): RequestListener =>
    (request, response) => {
      const { pathname, searchParams } = new URL(request.url!, 'http://localhost');
      if (pathname === '/2015-03-31/functions/polyseek-builder/configuration')
        response.end(
          '{"Environment":{"Variables":{"BUCKET":"polyseek-state","DOCUMENTS":"s3://my-bucket/docs"}}}',
        );
      else if (pathname.endsWith('/aliases/live')) response.end('{"FunctionVersion":"1","RevisionId":"r"}');
      else if (pathname.startsWith('/2015-03-31/'))
        response.end(
          '{"Versions":[{"Version":"1","Description":"no index yet","LastModified":"2026-01-01"}]}',
        );
      else if (pathname === '/') response.end('<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>');
      else if (pathname.startsWith('/my-bucket') && searchParams.has('notification'))
        response.end(`<NotificationConfiguration>${notification}</NotificationConfiguration>`);
      else if (searchParams.get('list-type') === '2')
        response.end(
          `<ListBucketResult><Contents><Key>builder/builds/${build.id}.json</Key><Size>1</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>`,
        );
      else response.end(JSON.stringify({ format: 1, ...build, ...record }));
    };

  async function withBuilder(notification: string, record: object) {
    const server = createServer(answers(notification, record)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
      const context = { documents: 's3://my-bucket/docs' };
      writeFileSync(join(folder, 'cdk.json'), JSON.stringify({ context }));
      return await deployment({ ...keys, AWS_ENDPOINT_URL: url });
    } finally {
      server.close();
      server.closeAllConnections();
    }
  }

  test('reach the builder if their bucket sends events, and the newest build is named', async () => {
    const found = await withBuilder('<EventBridgeConfiguration/>', { status: 'succeeded' });
    expect(found.documents).toEqual({
      name: 'documents',
      status: 'ok',
      found: 's3://my-bucket/docs, which sends events to EventBridge',
    });
    expect(found.builds).toEqual({
      name: 'builds',
      status: 'ok',
      found: 'the newest, of 2026-01-01 00:00 UTC: succeeded',
    });
    expect(found.function).toEqual({
      name: 'function',
      status: 'warning',
      found: 'polyseek: version 1 is live, without an index',
      fix: 'Wait for the first build: npx polyseek remote builds.',
    });
  });

  test('are a warning if their bucket sends no events, or the newest build failed', async () => {
    const found = await withBuilder('', { status: 'failed', reason: 'There are no documents.' });
    expect(found.documents).toMatchObject({
      status: 'warning',
      found: 'the bucket my-bucket sends no events to EventBridge, so only the schedule starts builds',
    });
    expect(found.builds).toMatchObject({
      status: 'warning',
      found: 'the newest, of 2026-01-01 00:00 UTC: failed. There are no documents.',
    });
  });
});
