import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApi } from '../../functions/search/openapi.ts';
import { loadWidget } from '../../functions/web/assets.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const client = join(root, 'functions/web/client');
const modules = ['client', 'langchain', 'ai-sdk', 'chat', 'docsearch'];
/** Modules that the others import. */
const shared = ['call', 'cite'];

/** The client's types as plain TypeScript, with the descriptions of the schemas. In this repository they are types of the search. */
function types(): string {
  const { SearchBody, Answer, Result, Passage, Index, Health } = openApi('').components.schemas;
  return toTypeScript({ Question: SearchBody, Answer, Result, Passage, Index, Health });
}

/**
 * Builds the npm package polyseek-client: plain JavaScript with types, and the widget. The package polyseek contains the same files.
 * @param out the package's folder, inside this repository so that the compiler finds the peer dependencies
 */
export async function packageClient(out: string): Promise<void> {
  mkdirSync(out, { recursive: true });
  const { version, license, repository, engines, peerDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  for (const module of [...modules, ...shared])
    copyFileSync(join(client, `${module}.ts`), join(out, `${module}.ts`));
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
  copyFileSync(join(root, 'cli/npm/client-README.md'), join(out, 'README.md'));
  copyFileSync(join(root, 'LICENSE'), join(out, 'LICENSE'));
  copyFileSync(join(client, 'widget.d.ts'), join(out, 'widget.d.ts'));

  const config = join(out, 'tsconfig.json');
  const own = { rootDir: '.', outDir: '.', customConditions: [] };
  const project = { extends: join(root, 'cli/npm/tsconfig.json'), compilerOptions: own };
  writeFileSync(config, JSON.stringify({ ...project, include: ['*.ts'], exclude: [] }));
  compile(config);
  writeFileSync(join(out, 'widget.js'), await loadWidget());
  const sources = [...modules, ...shared, 'limits', 'types'].map((module) => `${module}.ts`);
  for (const name of ['tsconfig.json', 'types.js', 'types.js.map', ...sources]) rmSync(join(out, name));
}

/** Compiles TypeScript. The messages of the compiler go to standard error. */
export function compile(project: string): void {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '--project', project], { stdio: ['ignore', 2, 2] });
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const comment = ({ description }: Json) =>
  typeof description === 'string' ? `/** ${description.replaceAll('*/', '* /')} */\n` : '';

/** Converts a JSON Schema to a TypeScript type. Throws an `Error` for an unknown kind of schema. */
function typeOf(schema: unknown): string {
  if (!isObject(schema)) throw new Error(`${JSON.stringify(schema)} is not a JSON Schema.`);
  const { $ref, type, anyOf, items, minItems, maxItems, properties, additionalProperties } = schema;
  if (typeof $ref === 'string') return $ref.split('/').at(-1)!;
  if ('const' in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (Array.isArray(anyOf)) return anyOf.map(typeOf).join(' | ');
  if (type === 'array' && typeof minItems === 'number' && minItems === maxItems)
    return `[${Array(minItems).fill(typeOf(items)).join(', ')}]`;
  if (type === 'array') return `(${typeOf(items)})[]`;
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'string' || type === 'boolean') return type;
  if (type !== 'object') throw new Error(`No TypeScript type is known for ${JSON.stringify(schema)}.`);
  if (isObject(additionalProperties)) return `Record<string, ${typeOf(additionalProperties)}>`;
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const fields = Object.entries(isObject(properties) ? properties : {}).map(
    ([name, field]) =>
      `${comment(isObject(field) ? field : {})}${name}${required.has(name) ? '' : '?'}: ${typeOf(field)};\n`,
  );
  return `{\n${fields.join('')}}`;
}

/** Named JSON Schemas, which may refer to each other by the last part of a `$ref`, as exported types of TypeScript. */
function toTypeScript(schemas: Json): string {
  const types = Object.entries(schemas).map(
    ([name, schema]) =>
      `${comment(isObject(schema) ? schema : {})}export type ${name} = ${typeOf(schema)};\n`,
  );
  return types.join('\n');
}
