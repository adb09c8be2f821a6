import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApi } from '../../../search/openapi.ts';
import { assembleWidget } from '../../widget/assemble-widget.ts';
import { toTypeScript } from './typescript.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const modules = ['client', 'langchain', 'ai-sdk', 'chat'];
/** Modules that the others import. */
const shared = ['cite', 'printable'];

/** The client's types as plain TypeScript. In this repository they are inferred from schemas, which would require valibot. */
function types(): string {
  const { SearchBody, Answer, Result, Passage, Index, Health } = openApi('').components.schemas;
  return toTypeScript({ Question: SearchBody, Answer, Result, Passage, Index, Health });
}

/**
 * Builds the npm package polyseek-client: plain JavaScript with types, without dependencies, and the widget. `polyseek-client/langchain` and
 * `polyseek-client/ai-sdk` require the peer dependencies `@langchain/core` and `ai`. The package polyseek contains the same files.
 * @param out the package's folder, inside this repository so that the compiler finds the peer dependencies
 */
export async function packageClient(out: string): Promise<void> {
  mkdirSync(out, { recursive: true });
  const { version, license, repository, engines, peerDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const sources = [...modules, ...shared, 'limits', 'types'].map((module) => join(out, `${module}.ts`));
  for (const module of [...modules, ...shared]) {
    copyFileSync(join(root, `functions/web/client/${module}.ts`), join(out, `${module}.ts`));
  }
  copyFileSync(join(root, 'index/search/limits.ts'), join(out, 'limits.ts'));
  writeFileSync(join(out, 'types.ts'), types());
  const exported = modules.map((module) => [
    module === 'client' ? '.' : `./${module}`,
    { types: `./${module}.d.ts`, default: `./${module}.js` },
  ]);
  exported.push(['./widget.js', { types: './widget.d.ts', default: './widget.js' }]);
  const peers = ['@langchain/core', 'ai'].map((peer): [string, string] => [peer, peerDependencies[peer]]);
  const manifest = {
    name: 'polyseek-client',
    version,
    description: 'Client of a polyseek endpoint: semantic search over your documents.',
    license,
    // Set by the release workflow.
    repository,
    type: 'module',
    engines,
    exports: Object.fromEntries(exported),
    peerDependencies: Object.fromEntries(peers),
    peerDependenciesMeta: Object.fromEntries(peers.map(([peer]) => [peer, { optional: true }])),
  };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync(join(root, 'functions/web/client/npm/README.md'), join(out, 'README.md'));
  copyFileSync(join(root, 'LICENSE'), join(out, 'LICENSE'));
  copyFileSync(join(root, 'functions/web/client/widget.d.ts'), join(out, 'widget.d.ts'));

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
        sourceMap: true,
        inlineSources: true,
        rewriteRelativeImportExtensions: true,
      },
      include: ['*.ts'],
    }),
  );
  execFileSync(process.execPath, [compiler, '--project', config], {
    stdio: ['ignore', 2, 2],
  });
  writeFileSync(join(out, 'widget.js'), await assembleWidget());
  for (const file of [config, join(out, 'types.js'), join(out, 'types.js.map'), ...sources]) rmSync(file);
}
