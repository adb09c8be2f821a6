import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodesOf, readPage } from '../docs/pages.ts';
import { root, temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { finished } from '../fixtures/processes.ts';

/** The apps in the docs. */
const [ownApp, pipeline] = nodesOf(readPage('docs/deploying.md').tree, 'code')
  .filter(({ lang }) => lang === 'ts')
  .map(({ value }) => value) as [string, string];

mkdirSync(join(root, 'build'), { recursive: true });
// Inside the repository, so that its aws-cdk-lib is found.
const project = mkdtempSync(join(root, 'build/own-app-'));
const outputs = temporaryFolder();
afterAll(() => rmSync(project, { recursive: true }));

/** A project with an index and two programs, in which `polyseek/cdk` is the source of this repository. */
beforeAll(() => {
  const installed = join(project, 'node_modules/polyseek');
  mkdirSync(installed, { recursive: true });
  const door = relative(installed, join(root, 'infra/cdk.ts'));
  writeFileSync(join(installed, 'cdk.ts'), `export * from '${door}';\n`);
  const exported = { './cdk': { types: './cdk.ts', default: './cdk.ts' } };
  writeFileSync(
    join(installed, 'package.json'),
    JSON.stringify({ name: 'polyseek', type: 'module', exports: exported }),
  );
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(join(project, 'app.ts'), ownApp);
  writeFileSync(join(project, 'pipeline.ts'), pipeline);
  writeRandomIndex(join(project, '.polyseek/index'), 50);
});

/** Runs both apps as `cdk synth` does, in one process, which packages the index once. */
beforeAll(async () => {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const program = ['app', 'pipeline'].map(
    (name) => `process.env.CDK_OUTDIR = '${join(outputs, name)}'; await import('./${name}.ts');`,
  );
  writeFileSync(join(project, 'both.ts'), program.join('\n'));
  const { code, stdout, stderr } = await finished(
    spawn(process.execPath, ['--import', tsx, 'both.ts'], { cwd: project, env: process.env }),
  );
  expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
});

const read = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));
const resourcesIn = (template: { Resources: Record<string, { Type: string; Properties: object }> }) =>
  Object.values(template.Resources);

test('the apps in the docs compile with strict types', () => {
  const options =
    '--ignoreConfig --noEmit --strict --target es2023 --lib es2023,es2024.string --module nodenext --types node --skipLibCheck --allowImportingTsExtensions';
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const args = [tsc, ...options.split(' '), 'app.ts', 'pipeline.ts'];
  expect(execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8' })).toBe('');
});

test('an app packages the index, and deploys the function with its props', () => {
  const out = join(outputs, 'app');
  const resources = resourcesIn(read(out, 'Docs.template.json'));
  expect(resources.find(({ Type }) => Type === 'AWS::Lambda::Function')!.Properties).toMatchObject({
    MemorySize: 2048,
    Timeout: 5,
  });
  const asset = readdirSync(out).find((name) => name.startsWith('asset.'))!;
  expect(read(out, asset, 'index/manifest.json').counts.passages).toBe(50);
});

test('both stages of a pipeline deploy one package', () => {
  const out = join(outputs, 'pipeline');
  const templates = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /assembly-.*\.template\.json$/.test(name),
  );
  const functions = templates
    .flatMap((name) => resourcesIn(read(out, name)))
    .filter(({ Type }) => Type === 'AWS::Lambda::Function')
    .map(({ Properties }) => Properties as { MemorySize: number; Code: object });
  expect(functions.map(({ MemorySize }) => MemorySize).sort()).toEqual([1769, 2048]);
  expect(functions[0]!.Code).toEqual(functions[1]!.Code);
  expect(readdirSync(out).filter((name) => name.startsWith('asset.'))).toHaveLength(1);
});
