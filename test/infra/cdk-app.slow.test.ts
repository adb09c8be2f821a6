import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeProject } from '../fixtures/cdk.ts';
import { root, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';

const folder = temporaryFolder();
const index = join(folder, 'index');
beforeAll(() => {
  writeProject(folder, { stages: { prod: { collections: { hr: index }, memorySize: 2048 } } });
  writeRandomIndex(index, 20);
});

/** Runs `cdk synth` without Docker, and without a network if the system allows that. */
function synth(output: string, context: Record<string, string>) {
  const args = Object.entries({ index, ...context }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const cdk = [join(root, 'node_modules/.bin/cdk'), 'synth', '--quiet', '--output', output, ...args];
  return run(process.getuid?.() === 0 ? ['unshare', '--net', ...cdk] : cdk);
}

/** Runs the app command of cdk.json directly, which takes half the time. */
function app(output: string, context: Record<string, unknown>) {
  const CDK_CONTEXT_JSON = JSON.stringify({ index, ...context });
  const env = { CDK_CONTEXT_JSON, CDK_OUTDIR: join(folder, output), CDK_VALIDATION: 'false' };
  return run(['sh', '-c', JSON.parse(readFileSync(join(folder, 'cdk.json'), 'utf8')).app], env);
}

async function run([program, ...args]: string[], more: Record<string, string> = {}) {
  const env = { PATH: process.env.PATH, HOME: folder, CDK_DOCKER: join(folder, 'no-docker'), ...more };
  try {
    const { stdout, stderr } = await promisify(execFile)(program!, args, { cwd: folder, env });
    return { code: 0, printed: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, printed: stdout + stderr };
  }
}

describe('cdk synth, without Docker and network', () => {
  test('creates the stack of a stage, whose function contains all indexes', async () => {
    const { code, printed } = await synth('made', { auth: 'none', stage: 'prod' });
    expect({ code, printed }).toMatchObject({ code: 0 });
    expect(printed).toContain('auth is none: everyone can call the endpoint');
    const names = readdirSync(join(folder, 'made'));
    const template = readFileSync(join(folder, 'made/polyseek-prod.template.json'), 'utf8');
    const resources: { Type: string; Properties: object }[] = Object.values(JSON.parse(template).Resources);
    expect(resources.find(({ Type }) => Type === 'AWS::Lambda::Function')!.Properties).toMatchObject({
      FunctionName: 'polyseek-prod',
      MemorySize: 2048,
    });
    const asset = join(folder, 'made', names.find((name) => name.startsWith('asset.'))!);
    expect(readdirSync(asset).sort()).toEqual(
      expect.arrayContaining(['THIRD_PARTY_NOTICES.txt', 'index', 'lambda.mjs', 'model', 'native']),
    );
    expect(readdirSync(join(asset, 'collections'))).toEqual(['hr']);
  });
});

describe('the app', () => {
  test('reports a wrong setting in a sentence', async () => {
    const { code, printed } = await app('refused', { auth: 'none', memorySize: '64' });
    expect(code).toBe(1);
    expect(printed).toContain('memorySize is 64, but must be a whole number from 256 to 10240.');
    expect(printed).not.toMatch(/^\s+at /m);
    expect(existsSync(join(folder, 'refused/polyseek.template.json'))).toBe(false);
  });

  test('creates a stack that cannot be deployed if packaging fails', async () => {
    const context = { auth: 'iam', index: 'nothing' };
    expect(await app('undeployable', context)).toMatchObject({ code: 0 });
    const { files } = JSON.parse(readFileSync(join(folder, 'undeployable/polyseek.assets.json'), 'utf8'));
    const [program, ...args] = files['not-packaged'].source.executable;
    const { code, printed } = await run([program, ...args]);
    expect(code).toBe(1);
    expect(printed).toContain('There is no index in nothing. Build one');
    const names = readdirSync(join(folder, 'undeployable'));
    expect(names.filter((name) => name.startsWith('asset.'))).toEqual([]);
  });
});
