import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Code } from 'mdast';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Overview } from '../../index/format/overview-types.ts';
import { buildDemo } from '../../index/ingest/build-from-sources.ts';
import type { Answer } from '../../index/search/answer.ts';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { helpOf, loadCommands } from '../fixtures/commands.ts';
import { root, temporaryFolder } from '../fixtures/index.ts';
import { finished, startServer } from '../fixtures/processes.ts';
import { nodesOf, readPage, userPages } from './pages.ts';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const pages = userPages();

/** A command in the docs. */
interface Written {
  line: string;
  name: string;
  rest: string;
}

const codes = pages.flatMap(({ tree }) => [...nodesOf(tree, 'code'), ...nodesOf(tree, 'inlineCode')]);
const lines = codes.flatMap(({ value }) => value.replaceAll('\\\n', ' ').split('\n'));
const ARGUMENTS = String.raw`((?:"[^"]*"|[^|#>&]|\|(?! ))*)`;

/** Each distinct `npx polyseek NAME …` in the code of the docs. */
function writtenCommands(): Written[] {
  const pattern = new RegExp(`npx polyseek ([a-z]+) ?${ARGUMENTS}`, 'g');
  const commands = lines.flatMap((line) =>
    [...line.matchAll(pattern)].map(([text, name = '', rest = '']) => ({ line: text.trim(), name, rest })),
  );
  return [...new Map(commands.map((command) => [command.line, command])).values()];
}

/** Each distinct `npm run NAME -- …` in the code of the docs. */
function writtenScripts(): { name: string; rest: string }[] {
  const pattern = new RegExp(`npm run (?:--silent )?([a-z][\\w:-]*)(?: -- ${ARGUMENTS})?`, 'g');
  return lines.flatMap((line) =>
    [...line.matchAll(pattern)].map(([, name = '', rest = '']) => ({ name, rest })),
  );
}

const commands = writtenCommands();
const flagsIn = (text: string) => text.replace(/"[^"]*"/g, '').match(/(?<![\w-])--?[a-z][\w-]*/g) ?? [];

/** The flags in a help text. */
const listedIn = (printed: string) => new Set(printed.match(/(?<=^ {2}.*)(?<![\w-])--?[a-z][\w-]*/gm));
/** The flags of each command. */
const known = new Map(
  [...(await loadCommands())].map(([name, command]) => [name, listedIn(helpOf(command))] as const),
);

const run = (command: string, input?: string) =>
  finished(spawn('bash', ['-c', command], { cwd: root }), input);

describe('commands in the docs', () => {
  test('are commands of polyseek, or scripts of package.json', () => {
    expect(commands.length).toBeGreaterThan(20);
    expect(commands.filter(({ name }) => !known.has(name))).toEqual([]);
    expect(writtenScripts().filter(({ name }) => !(name in scripts))).toEqual([]);
  });

  test.each(commands.filter(({ rest }) => flagsIn(rest).length > 0))(
    '$line uses only flags that --help lists',
    ({ name, rest }) => {
      expect(flagsIn(rest).filter((flag) => !known.get(name)?.has(flag))).toEqual([]);
    },
  );

  test('a flag mentioned alone is a flag of some command', () => {
    const bench = readFileSync(join(root, 'test/bench/bench.ts'), 'utf8');
    // These are flags of npm, curl and cdk.
    const others = ['--silent', '--aws-sigv4', '-c'];
    const all = new Set([
      ...[...known.values()].flatMap((flags) => [...flags]),
      ...flagsIn(bench),
      ...others,
    ]);
    const alone = pages.flatMap(({ tree }) =>
      nodesOf(tree, 'inlineCode')
        .filter(({ value }) => value.startsWith('-'))
        .flatMap(({ value }) => flagsIn(value)),
    );
    expect(alone.length).toBeGreaterThan(10);
    // The widget's custom properties of CSS look like flags.
    const flags = alone.filter((flag) => !flag.startsWith('--polyseek-'));
    expect(flags.filter((flag) => !all.has(flag))).toEqual([]);
  });
});

/** A block marked `sh run`, and the answer below it, if any. */
interface Runnable {
  place: string;
  command: string;
  answer: unknown;
}

function runnables(): Runnable[] {
  return pages.flatMap(({ path, tree }) => {
    const blocks = nodesOf(tree, 'code');
    return blocks.flatMap((block, i): Runnable[] => {
      if (!isMarked(block, 'sh', 'run')) return [];
      const next = blocks[i + 1];
      const answer = next && isMarked(next, 'json', 'answer') ? JSON.parse(next.value) : undefined;
      return [{ place: `${path}:${block.position!.start.line}`, command: block.value, answer }];
    });
  });
}

const isMarked = ({ lang, meta }: Code, language: string, mark: string) => lang === language && meta === mark;

/**
 * Compares an answer with the answer in the docs. Reports missing fields, other types and other text. In the docs, an
 * ellipsis may replace the end of a text. Numbers and versions depend on the index, so they may differ.
 */
function differences(shown: unknown, actual: unknown, place = 'answer'): string[] {
  if (typeof shown === 'string' && typeof actual === 'string') {
    if (place.endsWith('.version')) return [];
    const isSame = shown.endsWith('…') ? actual.startsWith(shown.slice(0, -1)) : actual === shown;
    return isSame ? [] : [`${place} is ${actual}`];
  }
  if (typeof shown === 'object' && shown !== null && typeof actual === 'object' && actual !== null) {
    const fields = new Map<string, unknown>(Object.entries(actual));
    return Object.entries(shown).flatMap(([name, value]) =>
      differences(value, fields.get(name), `${place}.${name}`),
    );
  }
  if (typeof shown === 'boolean') return shown === actual ? [] : [`${place} is ${actual}`];
  return typeof shown === typeof actual ? [] : [`${place} is ${typeof actual}`];
}

describe('runnable examples in the docs', () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  const index = join(temporaryFolder(), 'index');

  beforeAll(async () => {
    await buildDemo(index);
    server = await startServer(index);
  });
  afterAll(() => server?.stop());

  test.each(runnables())('$place runs', async ({ command, answer }) => {
    const line = command
      .replaceAll('http://localhost:8787', server.url)
      .replace(/npx polyseek (?:search|inspect)/g, `$& --index '${index}'`)
      .replaceAll('npx polyseek', `node '${POLYSEEK}'`);
    const { code, stdout, stderr } = await run(line.replace(/\bcurl /g, 'curl -sS --fail-with-body '));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    if (answer !== undefined) expect(differences(answer, JSON.parse(stdout))).toEqual([]);
  });

  test('the demo answers the examples in the help of search', async () => {
    const help = helpOf((await loadCommands()).get('search')!);
    const questions = [...help.matchAll(/search "([^"]+)"(?: -k \d+)?$|echo "([^"]+)" \|/gm)].map(
      ([, asked, piped]) => asked ?? piped!,
    );
    expect(questions.length).toBeGreaterThan(1);
    for (const question of questions) {
      const { code } = await run(`node '${POLYSEEK}' search "${question}" --index '${index}'`);
      expect([question, code]).toEqual([question, 0]);
    }
  });

  test('the demo answers the questions that it suggests, in six languages', async () => {
    const overview = await fetch(`${server.url}/overview`);
    const { suggestions } = (await overview.json()) as Overview;
    expect(new Set(suggestions.map(({ lang }) => lang)).size).toBe(6);
    for (const { text } of suggestions) {
      const answer = await fetch(`${server.url}/search?${new URLSearchParams({ q: text })}`);
      expect([text, ((await answer.json()) as Answer).verdict]).toEqual([text, 'answered']);
    }
  });

  test('the chatbot prints the answers in docs/clients.md', async () => {
    const shown = nodesOf(readPage('docs/clients.md').tree, 'code').find(({ value }) =>
      value.startsWith('$ npx polyseek chat'),
    );
    const [, ...lines] = shown!.value.split('\n');
    const questions = lines.filter((line) => line.startsWith('> ')).map((line) => line.slice(2));
    expect(questions.length).toBeGreaterThan(1);
    const { stdout } = await run(
      `node '${POLYSEEK}' chat --url ${server.url}`,
      questions.map((question) => `${question}\n`).join(''),
    );
    // Typed input is not printed. Confidences and the number of passages depend on the index, which the server has.
    const expected = lines
      .join('\n')
      .replace(/^> .*\n/gm, '> ')
      .replace('.polyseek/index', server.url);
    const plain = (text: string) => text.replace(/\(\d+ %\)|\d+(?= passages)/g, '#');
    expect(plain(stdout)).toBe(`${plain(expected)}\n\n> `);
  });
});

test('docs/clients.md and docs/mcp.md contain every tested example', () => {
  // The first line of such a code block is a comment with a file name.
  const blocks = ['docs/clients.md', 'docs/mcp.md'].flatMap((path) => nodesOf(readPage(path).tree, 'code'));
  const shown = new Map(
    blocks.flatMap(({ value }) => {
      const [, file] = /^\/\/ (functions\/\S+\.ts)\n/.exec(value) ?? [];
      return file ? [[file, `${value}\n`] as const] : [];
    }),
  );
  const examples = readdirSync(join(root, 'functions/web/client/examples')).map(
    (name) => `functions/web/client/examples/${name}`,
  );
  expect([...shown.keys()].sort()).toEqual(examples.sort());
  for (const [path, text] of shown) expect(text).toBe(readFileSync(join(root, path), 'utf8'));
});
