import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readSettings } from '../../functions/deployed/settings.ts';
import { readConfig } from '../../index/ingest/sources/config.ts';
import { root, temporaryFolder } from '../fixtures/index.ts';
import { command, finished, type Outcome } from '../fixtures/processes.ts';

const FILES = ['polyseek.config.json', 'cdk.json', '.github/workflows/polyseek.yml', '.gitignore'];
const parent = temporaryFolder();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(parent, 'project-'));
});

const init = (...args: string[]): Promise<Outcome> => command('init', args, '', {}, folder);
const read = (file: string) => readFileSync(join(folder, file), 'utf8');

interface Step {
  name?: string;
  uses?: string;
  run?: string;
  env?: Record<string, string>;
}
interface Workflow {
  on: { push: { branches: string[]; paths?: string[] } };
  permissions: Record<string, string>;
  jobs: Record<string, { steps: Step[] }>;
}
const workflow = (): Workflow => parse(read('.github/workflows/polyseek.yml'));

describe('an empty folder', () => {
  test('gets all files, and says what to do next', async () => {
    const { code, stdout, stderr } = await init('texts');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const file of FILES) expect(stdout).toContain(`written  ${file}\n`);
    for (const step of [
      'npm install --save-dev ./polyseek-',
      'Put your documents in texts',
      'npx polyseek index',
      'POLYSEEK_ROLE',
    ])
      expect(stdout).toContain(step);
    expect(JSON.parse(read('polyseek.config.json'))).toEqual({ sources: ['texts'] });
    expect(readConfig(join(folder, 'polyseek.config.json')).sources).toEqual(['texts']);
    expect(read('.gitignore')).toBe('.polyseek/\ncdk.out/\nnode_modules/\n');
  });

  test('gets the settings of CDK that this repository has', async () => {
    await init();
    const { app, ...own } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
    expect(app).toMatch(/cli\/polyseek\.ts cdk-app$/);
    expect(JSON.parse(read('cdk.json'))).toEqual({ ...own, app: 'npx --no-install polyseek cdk-app' });
  });

  test('gets documents in a bucket, which AWS builds without a workflow', async () => {
    const { code, stdout, stderr } = await init('s3://my-bucket/docs');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const step of ['Amazon EventBridge', 'npx polyseek deploy', 'npx polyseek remote builds'])
      expect(stdout).toContain(step);
    expect(existsSync(join(folder, '.github'))).toBe(false);
    expect(readConfig(join(folder, 'polyseek.config.json')).sources).toEqual([{ s3: 's3://my-bucket/docs' }]);
    expect(readSettings(undefined, join(folder, 'cdk.json'))).toMatchObject({
      documents: 's3://my-bucket/docs',
      store: 'bundle',
    });
  });

  test('gets a reference to the schema where the package is installed', async () => {
    const packaged = join(folder, 'node_modules/polyseek');
    for (const name of ['cli', 'index', 'functions', 'infra', 'package.json', 'docs/polyseek.schema.json'])
      cpSync(join(root, name), join(packaged, name), { recursive: true });
    // Its dependencies.
    const program = ['--import', import.meta.resolve('tsx'), join(packaged, 'cli/polyseek.ts'), 'init'];
    const env = { ...process.env, NODE_PATH: join(root, 'node_modules') };
    cpSync(join(root, 'node_modules/commander'), join(folder, 'node_modules/commander'), { recursive: true });
    cpSync(join(root, 'node_modules/valibot'), join(folder, 'node_modules/valibot'), { recursive: true });
    const { code, stderr } = await finished(spawn(process.execPath, program, { cwd: folder, env }));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { $schema } = JSON.parse(read('polyseek.config.json'));
    expect($schema).toBe('./node_modules/polyseek/docs/polyseek.schema.json');
    expect(existsSync(join(folder, $schema))).toBe(true);
  });
});

describe('files that exist', () => {
  test('are kept', async () => {
    const config = '{ "sources": ["a", { "path": "b/faq.md" }, { "sitemap": "https://x.example/map.xml" }] }';
    mkdirSync(join(folder, 'b'));
    writeFileSync(join(folder, 'b/faq.md'), '');
    writeFileSync(join(folder, 'polyseek.config.json'), config);
    writeFileSync(join(folder, 'cdk.json'), '{}');
    writeFileSync(join(folder, '.gitignore'), 'dist/\n/node_modules');
    const { stdout } = await init('other', '--json');
    expect(JSON.parse(stdout).files).toEqual([
      { file: 'polyseek.config.json', state: 'kept' },
      { file: 'cdk.json', state: 'kept' },
      { file: '.github/workflows/polyseek.yml', state: 'written' },
      { file: '.gitignore', state: 'changed' },
    ]);
    expect([read('polyseek.config.json'), read('cdk.json')]).toEqual([config, '{}']);
    expect(read('.gitignore')).toBe('dist/\n/node_modules\n.polyseek/\ncdk.out/\n');
    // The workflow runs when the sources change.
    expect(workflow().on.push.paths?.slice(0, 3)).toEqual(['a/**', 'b/faq.md', 'polyseek.config.json']);

    const before = FILES.map((file) => [read(file), statSync(join(folder, file)).mtimeMs]);
    const again = await init();
    for (const file of FILES) expect(again.stdout).toContain(`kept     ${file}\n`);
    expect(FILES.map((file) => [read(file), statSync(join(folder, file)).mtimeMs])).toEqual(before);
  });

  test.each([['../elsewhere'], ['/elsewhere']])('the workflow of %s runs on every push', async (path) => {
    await init(path);
    expect(workflow().on.push).toEqual({ branches: ['main'] });
  });

  test('a repository above is named, as GitHub reads workflows at its root', async () => {
    mkdirSync(join(folder, '.git'));
    mkdirSync(join(folder, 'sub'));
    const { stdout } = await command('init', [], '', {}, join(folder, 'sub'));
    expect(stdout).toContain(`to ${folder}, where GitHub reads it.`);
  });
});

describe('the workflow', () => {
  test('pins its actions, stores no secret, and asks for the permissions that it needs', async () => {
    await init();
    const { permissions, jobs } = workflow();
    expect(permissions).toEqual({ contents: 'read', 'id-token': 'write' });
    expect(read('.github/workflows/polyseek.yml')).not.toMatch(/secrets\./);
    const uses = jobs.push!.steps.flatMap(({ uses }) => uses ?? []);
    const ci = readFileSync(join(root, '.github/workflows/ci.yml'), 'utf8');
    expect(uses.map((action) => action.split('@')[0])).toEqual([
      'actions/checkout',
      'actions/setup-node',
      'actions/cache',
    ]);
    for (const action of uses) expect(action).toMatch(/@[0-9a-f]{40}$/);
    for (const action of uses.slice(0, 2)) expect(ci).toContain(`uses: ${action} # v`);
  });

  test('has steps that bash can parse, each polyseek command with flags that it knows', async () => {
    await init();
    const runs = workflow().jobs.push!.steps.flatMap(({ run }) => run ?? []);
    expect(runs.length).toBeGreaterThan(3);
    for (const script of runs) {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' });
      expect({ script, status, stderr }).toEqual({ script, status: 0, stderr: '' });
    }
    const names = runs.flatMap((script) =>
      [...script.matchAll(/npx --no-install polyseek (\w+)/g)].map(([, name]) => name),
    );
    expect(names).toEqual(['index', 'push']);
  });

  test('accepts an index with files that failed, and no other failure', async () => {
    await init();
    const build = workflow().jobs.push!.steps.find(({ name }) => name === 'Build the index')!.run!;
    for (const [exit, expected] of [
      [0, 0],
      [4, 0],
      [1, 1],
      [137, 1],
    ])
      expect(spawnSync('bash', ['-e', '-c', `npx() { return ${exit}; }\n${build}`]).status, `${exit}`).toBe(
        expected,
      );
  });

  test('exchanges its OIDC token for credentials, which polyseek then uses', async () => {
    await init();
    const step = workflow().jobs.push!.steps.find(({ name }) => name === 'Get an OIDC token')!;
    expect(step.env).toEqual({ ROLE: `\${{ vars.POLYSEEK_ROLE }}`, REGION: `\${{ vars.AWS_REGION }}` });

    const calls: string[] = [];
    const server = createServer(async (request, response) => {
      const url = new URL(request.url!, 'http://localhost');
      const { authorization = '' } = request.headers;
      const body = new URLSearchParams(await text(request));
      // GitHub's server of tokens, as in the runner of a job with the permission id-token: write.
      if (url.pathname === '/token') {
        calls.push(`${authorization} ${url.searchParams.get('audience')}`);
        response.end(JSON.stringify({ count: 1, value: 'header.payload.signature' }));
      } else if (body.get('Action') === 'AssumeRoleWithWebIdentity') {
        calls.push(`${body.get('RoleArn')} ${body.get('WebIdentityToken')} ${body.get('RoleSessionName')}`);
        const credentials =
          '<AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>';
        response.setHeader('content-type', 'text/xml');
        response.end(
          `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>${credentials}</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
        );
      } else {
        calls.push(authorization.split('/').slice(0, 4).join(' '));
        response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' });
        response.end('{"Message":"Function not found"}');
      }
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const environmentFile = join(folder, 'environment');
    writeFileSync(environmentFile, '');
    const runner = {
      PATH: process.env.PATH!,
      HOME: folder,
      RUNNER_TEMP: folder,
      GITHUB_ENV: environmentFile,
      GITHUB_RUN_ID: '7',
      ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer-of-job',
      AWS_ENDPOINT_URL: url,
    };
    try {
      // GitHub runs steps with these flags.
      const bash = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run!];
      const unset = await finished(spawn('bash', bash, { env: { ...runner, ROLE: '', REGION: '' } }));
      expect(unset).toMatchObject({ code: 1, stdout: expect.stringMatching(/^::error::Set the variables/) });
      const variables = { ROLE: 'arn:aws:iam::1:role/push', REGION: 'eu-west-1' };
      const exchanged = await finished(spawn('bash', bash, { env: { ...runner, ...variables } }));
      expect(exchanged).toEqual({ code: 0, stdout: '', stderr: '' });

      const lines = readFileSync(environmentFile, 'utf8').trimEnd().split('\n');
      const given = Object.fromEntries(lines.map((line) => line.split('=') as [string, string]));
      expect(statSync(given.AWS_WEB_IDENTITY_TOKEN_FILE!).mode & 0o777).toBe(0o600);
      const env = { ...runner, ...given, AWS_EC2_METADATA_DISABLED: 'true' };
      const { stderr } = await command('versions', [], '', env, folder);
      expect(stderr).toContain('no function polyseek');
      expect(calls).toEqual([
        'Bearer bearer-of-job sts.amazonaws.com',
        'arn:aws:iam::1:role/push header.payload.signature polyseek-7',
        expect.stringMatching(/^AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE \d{8} eu-west-1 lambda$/),
      ]);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
