import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type AnyNode, parse } from 'acorn';
import { simple } from 'acorn-walk';
import { build, type Plugin } from 'esbuild';

/** The size of the array of counters in driver.cc. */
const COUNTERS = 1 << 17;

/** Modules keep the paths and addresses of their sources. */
const ownAddresses: Plugin = {
  name: 'own-addresses',
  setup({ onLoad }) {
    onLoad({ filter: /\.(?:ts|m?js)$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!text.includes('import.meta.')) return undefined;
      const contents = text
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)));
      return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
    });
  },
};

/**
 * Bundles a module with all libraries, and counts each branch that runs in `counters`, a property of the driver.
 * @param entry path of the module
 * @param driver path of the native driver
 * @param out path of the bundle
 */
export async function instrument(entry: string, driver: string, out: string): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Libraries that no target reaches, and native ones.
    external: [
      '@xenova/transformers',
      'onnx-proto',
      'onnxruntime-node',
      'hnswlib-node',
      'aws-cdk-lib',
      'esbuild',
      '*.node',
    ],
    banner: { js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);" },
    define: { POLYSEEK_VERSION: '"fuzz"' },
    plugins: [ownAddresses],
    logLevel: 'error',
  });
  const counters = `const $counters = process.getBuiltinModule('node:module').createRequire(import.meta.url)(${JSON.stringify(driver)}).counters;\n`;
  writeFileSync(out, counters + withCounters(outputFiles[0]!.text));
}

/** Adds a counter to each function, branch, loop, case and operand that may not run. */
function withCounters(code: string): string {
  const insertions: { at: number; text: string; isEnd: boolean }[] = [];
  let count = 0;
  const counter = () => `$counters[${count++ % COUNTERS}]++`;
  const statement = ({ type, start, end }: AnyNode) => {
    if (type === 'BlockStatement') insertions.push({ at: start + 1, text: `${counter()};`, isEnd: false });
    else wrap(start, end, `{${counter()};`, '}');
  };
  const expression = ({ start, end }: AnyNode) => wrap(start, end, `(${counter()},`, ')');
  const wrap = (start: number, end: number, before: string, after: string) => {
    insertions.push({ at: start, text: before, isEnd: false }, { at: end, text: after, isEnd: true });
  };
  const loop = ({ body }: { body: AnyNode }) => statement(body);
  simple(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }), {
    Function: ({ body }) => (body.type === 'BlockStatement' ? statement(body) : expression(body)),
    IfStatement: ({ consequent, alternate }) => {
      statement(consequent);
      if (alternate) statement(alternate);
    },
    ForStatement: loop,
    ForInStatement: loop,
    ForOfStatement: loop,
    WhileStatement: loop,
    DoWhileStatement: loop,
    SwitchCase: ({ consequent: [first] }) => {
      if (first) insertions.push({ at: first.start, text: `${counter()};`, isEnd: false });
    },
    CatchClause: ({ body }) => statement(body),
    ConditionalExpression: ({ consequent, alternate }) => {
      expression(consequent);
      expression(alternate);
    },
    LogicalExpression: ({ right }) => expression(right),
  });
  return insert(code, insertions);
}

/** Inserts texts. `simple` visits a node after those inside it, so inner insertions come first. */
function insert(code: string, insertions: { at: number; text: string; isEnd: boolean }[]): string {
  const starts = insertions.filter(({ isEnd }) => !isEnd).reverse();
  const ends = insertions.filter(({ isEnd }) => isEnd);
  // The sort is stable: what ends at a place precedes what starts there, and outer parts start first.
  const sorted = [...ends, ...starts].sort((a, b) => a.at - b.at);
  const parts: string[] = [];
  let from = 0;
  for (const { at, text } of sorted) {
    parts.push(code.slice(from, at), text);
    from = at;
  }
  return parts.join('') + code.slice(from);
}
