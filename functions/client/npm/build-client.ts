import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApi } from '../../search/openapi.ts';
import { toTypeScript } from './typescript.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const modules = ['client', 'langchain', 'ai-sdk', 'chat'];

/** The client's types as plain TypeScript. In this repository they are inferred from schemas, which would require valibot. */
function types(): string {
  const { SearchBody, Answer, Result, Passage, Index, Health } = openApi('').components.schemas;
  return toTypeScript({ Question: SearchBody, Answer, Result, Passage, Index, Health });
}

/**
 * Builds an npm package of the client: plain JavaScript with types, without dependencies. `polyseek/langchain` and
 * `polyseek/ai-sdk` require the peer dependencies `@langchain/core` and `ai`.
 * @param out the package's folder, inside this repository so that the compiler finds the peer dependencies
 */
export function packageClient(out: string): void {
  mkdirSync(out, { recursive: true });
  const { name, version, license, devDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const sources = [...modules, 'cite', 'limits', 'types'].map((module) => join(out, `${module}.ts`));
  for (const module of [...modules, 'cite']) {
    copyFileSync(join(root, `functions/client/${module}.ts`), join(out, `${module}.ts`));
  }
  copyFileSync(join(root, 'index/search/limits.ts'), join(out, 'limits.ts'));
  writeFileSync(join(out, 'types.ts'), types());
  const exported = modules.map((module) => [
    `./${module}`,
    { types: `./${module}.d.ts`, default: `./${module}.js` },
  ]);
  const peers = ['@langchain/core', 'ai'].map((peer): [string, string] => [
    peer,
    `^${devDependencies[peer]}`,
  ]);
  const manifest = {
    name,
    version,
    license,
    type: 'module',
    exports: Object.fromEntries(exported),
    peerDependencies: Object.fromEntries(peers),
    peerDependenciesMeta: Object.fromEntries(peers.map(([peer]) => [peer, { optional: true }])),
  };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);

  const compiler = join(
    dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin/tsc',
  );
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  const config = join(out, 'tsconfig.json');
  writeFileSync(
    config,
    JSON.stringify({
      compilerOptions: {
        ...compilerOptions,
        noEmit: false,
        declaration: true,
        rewriteRelativeImportExtensions: true,
      },
      include: ['*.ts'],
    }),
  );
  execFileSync(process.execPath, [compiler, '--project', config], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (const file of [config, join(out, 'types.js'), ...sources]) rmSync(file);
}
