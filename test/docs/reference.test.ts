import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { answerSchema, resultSchema } from '../../functions/search/answer-schemas.ts';
import { createApp } from '../../functions/search/app.ts';
import { tools } from '../../functions/search/mcp-tools.ts';
import { searchBody } from '../../functions/search/request-schemas.ts';
import { LIMITS } from '../../index/search/limits.ts';
import { readContext } from '../../infra/cdk-app.ts';
import { checkSettings } from '../../infra/schema.ts';
import { root } from '../fixtures/index.ts';
import { request } from '../functions/search/ask.ts';
import { SearchDouble } from '../functions/search/search-double.ts';
import { readPage, tableUnder } from './pages.ts';

const http = readPage('docs/http-api.md');
/** The names in the first column. A cell may list several names. Text in brackets is not a name. */
const namesIn = (rows: string[][]) =>
  rows.flatMap(([cell = '']) => cell.replace(/ \(.*\)$/, '').split(', ')).sort();
const grouped = (number: number) => number.toLocaleString('en');

describe('docs/http-api.md', () => {
  test('lists the routes', async () => {
    const home = await request(createApp(new SearchDouble(), { log: () => {} }), '/');
    const { routes } = (await home.json()) as { routes: string[] };
    const listed = tableUnder(http, 'Routes').map(([name = '']) => name);
    expect(listed.sort()).toEqual([...routes, 'GET /'].sort());
  });

  test('lists the parameters, with their limits', () => {
    const rows = tableUnder(http, 'Parameters');
    expect(namesIn(rows)).toEqual(Object.keys(searchBody.entries).sort());
    const row = (name: string) => rows.find(([cell = '']) => cell.startsWith(name))!.join(' | ');
    const range = ({ min, max }: { min: number; max: number }) => `${grouped(min)} to ${grouped(max)}`;
    expect(row('q')).toContain(`up to ${grouped(LIMITS.questionCharacters)} characters`);
    expect(row('k')).toMatch(new RegExp(`^k \\| ${LIMITS.k.default} \\| .*${range(LIMITS.k)}$`));
    expect(row('context')).toMatch(
      new RegExp(`^context \\| ${LIMITS.context.default} \\| .*${range(LIMITS.context)}$`),
    );
    expect(row('maxCharacters')).toContain(`| ${grouped(LIMITS.answerCharacters.default)} |`);
    expect(row('maxCharacters')).toContain(range(LIMITS.answerCharacters));
    expect(row('history')).toContain(`up to ${LIMITS.turns} earlier turns`);
    expect(http.text).toContain(`at most ${grouped(LIMITS.turnCharacters)} characters`);
  });

  test('lists the fields of an answer and of its results', () => {
    expect(namesIn(tableUnder(http, 'Answer'))).toEqual(Object.keys(answerSchema.entries).sort());
    expect(namesIn(tableUnder(http, 'Results'))).toEqual(Object.keys(resultSchema.entries).sort());
  });
});

test('docs/mcp.md lists the tools and their arguments', () => {
  const listed = tableUnder(readPage('docs/mcp.md'), 'Tools').map(([name, given = '']) => {
    return { name, given: given.replace(/ \(.*\)/, '').split(', ') };
  });
  const expected = tools.map(({ name, declaration }) => {
    const { properties } = declaration.inputSchema['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
    return { name, given: Object.keys(properties as object) };
  });
  expect(listed).toEqual(expected);
});

describe('docs/deploying.md', () => {
  const rows = tableUnder(readPage('docs/deploying.md'), 'Settings');
  const names = namesIn(rows);

  test('lists the settings', () => {
    let message = '';
    try {
      readContext(new App({ context: { unknown: 1 } }).node);
    } catch (error) {
      message = String(error);
    }
    // The names are at the end of the sentence.
    const known = /((?:\w+, )+\w+)\W*$/.exec(message)?.[1]?.split(', ') ?? [];
    expect(names).toEqual(known.sort());
  });

  test('lists the defaults', () => {
    const digest = '0'.repeat(64);
    const settings: Record<string, unknown> = checkSettings({ apiKeys: { name: digest } });
    for (const [name = '', shown] of rows) {
      const value = settings[name];
      if (['string', 'number', 'boolean'].includes(typeof value) && name !== 'throttleBurst')
        expect(shown?.split(';')[0], name).toBe(String(value));
    }
    const open: Record<string, unknown> = checkSettings({ auth: 'none' });
    for (const name of ['throttleRate', 'browserThrottleRate', 'reservedConcurrency']) {
      expect(rows.find(([cell]) => cell === name)![1]).toMatch(
        new RegExp(`with (auth )?none ${open[name]}$`),
      );
    }
    expect(settings.throttleBurst).toBe(2 * Number(settings.throttleRate));
  });
});

/** The TypeScript of polyseek. */
const code = ['cli', 'functions', 'index', 'infra'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
);

test('docs/troubleshooting.md quotes errors of the code', () => {
  const symptoms = tableUnder(readPage('docs/troubleshooting.md'), 'Troubleshooting').map(
    ([cell = '']) => cell,
  );
  const quoted = symptoms.flatMap((cell) => [...cell.matchAll(/"([^"]+)"/g)].map(([, text = '']) => text));
  // Values take the place of ellipses, numbers and the default index.
  const pieces = quoted
    .flatMap((text) => text.split(/…|\d+|\.polyseek\/index\.?/))
    .map((piece) => piece.trim());
  const long = pieces.filter((piece) => piece.length > 7);
  expect(long.length).toBeGreaterThan(8);
  const foreign = long.filter((piece) => !code.some(({ text }) => text.includes(piece)));
  // CloudFormation reports it.
  expect(foreign).toEqual(['A version for this Lambda function exists']);
});

test('docs/cli.md lists the environment variables that the code reads', () => {
  const internal = [
    ...['NO_COLOR', 'FORCE_COLOR', 'MODEL_DIR', 'AWS_LAMBDA_FUNCTION_NAME', 'AWS_ENDPOINT_URL'],
    // The stack sets them for its functions, and tests for the builder.
    ...[
      'INDEX',
      'CONTRACTS',
      'TIMEOUT',
      'FUNCTION_NAME',
      'DOCUMENTS',
      'BUCKET',
      'STORE',
      'KEEP',
      'FUNCTION_DIR',
      'WORK_DIR',
    ],
    // Names that AWS and GitHub define, and the system.
    ...[
      'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
      'TMPDIR',
      'AWS_PROFILE',
      'AWS_REGION',
      'AWS_DEFAULT_REGION',
      'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED',
      'RUNNER_TEMP',
    ],
  ];
  // The stack sets all variables of the builder.
  const sources = code.flatMap(({ path, text }) => (path.startsWith('functions/builder/') ? [] : [text]));
  const read = sources.flatMap((text) => [
    ...[...text.matchAll(/process\.env\.([A-Z_]+)|\.env\('([A-Z_]+)'\)/g)].map(
      ([, name, option = '']) => name ?? option,
    ),
    ...[...text.matchAll(/\{([^{}]*)\} = (?:process\.env|environment);/g)].flatMap(
      // Without the default values.
      ([, names = '']) => names.replace(/=[^,]*/g, '').match(/\b[A-Z_]{2,}\b/g) ?? [],
    ),
  ]);
  const expected = [...new Set(read)].filter((name) => !internal.includes(name));
  const page = readPage('docs/cli.md');
  const ofServer = tableUnder(page, 'Local server').flatMap(
    ([, cell = '']) => cell.match(/[A-Z_]{2,}/g) ?? [],
  );
  const listed = [...namesIn(tableUnder(page, 'Environment variables')), ...ofServer];
  expect(listed.sort()).toEqual(expected.sort());
});
