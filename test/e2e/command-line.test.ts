import { type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../cli/kit/command.ts';
import { POLYSEEK } from '../fixtures/bundle-cli.ts';
import { loadCommands } from '../fixtures/commands.ts';
import { root, SMALL_MODEL, setFolder, temporaryFolder } from '../fixtures/index.ts';
import { command, commandsIn, finished, onTerminal } from '../fixtures/processes.ts';

const ESCAPE = '\x1b[';
const [ANSWERABLE, UNANSWERABLE] = [
  'How often does the Korvane lighthouse flash?',
  'Who won the football world cup in 1974?',
];
const folder = temporaryFolder();
const [documents, index] = [join(folder, 'documents'), join(folder, 'index')];
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

beforeAll(async () => {
  mkdirSync(documents);
  cpSync(join(setFolder('en'), 'passages.jsonl'), join(documents, 'en.jsonl'));
  expect(await command('index', [documents, '--index', index, '--model', SMALL_MODEL])).toMatchObject({
    code: 0,
  });
});

/** The arguments of a line such as `npx polyseek search "a b" -k 5`. */
function wordsOf(line: string): string[] {
  const [, rest = ''] = /npx polyseek ?([^>|]*)/.exec(line) ?? [];
  return [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
}

const run = (...args: string[]) =>
  finished(spawn(process.execPath, [POLYSEEK, ...args], { cwd: root, env: { PATH: process.env.PATH } }));

const { stdout: overview } = await run('--help');
/** The commands that the help lists. `help` prints about another command. */
const names = commandsIn(overview).filter((name) => name !== 'help');
const commands = await loadCommands();
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

test('the help lists every command, and each is a script for people in a clone', () => {
  expect(names.toSorted()).toEqual([...commands.keys()].sort());
  for (const name of names) expect(scripts[name], name).toBe(`tsx cli/polyseek.ts ${name}`);
});

test('without arguments, prints the help, which starts with the first steps', async () => {
  expect(await run()).toEqual({ code: 0, stdout: overview, stderr: '' });
  const [, steps = ''] = /^First steps:\n((?: {2}.+\n)+)\n/.exec(overview) ?? [];
  expect(steps.match(/npx polyseek \w+/g)).toEqual([
    'npx polyseek try',
    'npx polyseek index',
    'npx polyseek deploy',
  ]);
});

test('help NAME prints the help of a command', async () => {
  expect(await run('help', 'search')).toEqual(await run('search', '--help'));
});

describe.each(names)('polyseek %s', (name) => {
  test('has help with working examples, and lists its exit codes', async () => {
    const { code, stdout, stderr } = await run(name, '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: polyseek ${name} `));
    for (const flag of ['--no-color', '--version', '-h, --help']) expect(stdout).toContain(`  ${flag} `);
    // It prints messages of MCP.
    if (name !== 'mcp') expect(stdout).toMatch(/^ {2}--json /m);
    const [, examples = ''] =
      /\n\nExamples:\n((?: {2}.+\n)+)\nExit codes: 0 success, 1 failure, 2 wrong usage, 3 no answer found, 4 no sure answer, 130 interrupted\.\n$/.exec(
        stdout,
      ) ?? [];
    expect(examples).toContain('npx polyseek ');
    for (const example of examples.trimEnd().split('\n')) {
      const [own = '', ...args] = wordsOf(example);
      // If this flag is refused, all earlier flags are known and have valid values.
      await expect(
        commands.get(own)!.parseAsync([...args, '--no-such'], { from: 'user' }),
        example,
      ).rejects.toThrow(new UsageError('Unknown option --no-such. See --help.'));
    }
  });
});

test.each([[[]], [['search']]])('polyseek %j --version', async (name) => {
  const stdout = `polyseek ${version}\n`;
  expect(await run(...name, '--version')).toEqual({ code: 0, stdout, stderr: '' });
});

test.each([
  [['pus'], 'Unknown command pus. Did you mean push?\n'],
  [['xyzzy'], 'Unknown command xyzzy. See --help.\n'],
  [
    ['versions', 'x'],
    'Too many arguments: 1, but at most 0 allowed. Quote arguments that contain spaces, or see --help.\n',
  ],
])('polyseek %j', async (args, stderr) => {
  expect(await run(...args)).toEqual({ code: 2, stdout: '', stderr });
});

describe('on a terminal', () => {
  test('the best sentence is bold, the best match is green, and the source is dim', async () => {
    const { code, printed } = await onTerminal('search', [ANSWERABLE, '--index', index, '-k', '1']);
    expect(code).toBe(0);
    expect(printed).toContain(
      `1. ${ESCAPE}1mKorvane lighthouse${ESCAPE}22m  ${ESCAPE}2men.jsonl [en]${ESCAPE}22m`,
    );
    expect(printed).toContain(`${ESCAPE}32mBest match${ESCAPE}39m`);
    expect(printed.replaceAll(ESCAPE, '<')).toMatch(/\n<1m[^<]+ 1871 [^<]+\.<22m Its white light /);
  });

  test.each<[string, string[], Record<string, string>]>([
    ['--no-color', ['--no-color'], { FORCE_COLOR: '1' }],
    ['NO_COLOR=1', [], { NO_COLOR: '1' }],
    ['TERM=dumb', [], { TERM: 'dumb' }],
  ])('there are no colours with %s', async (_, args, env) => {
    const { printed } = await onTerminal('search', [ANSWERABLE, '--index', index, ...args], { env });
    expect(printed).toContain('1. Korvane lighthouse  en.jsonl [en]  Best match');
    expect(printed).not.toContain(ESCAPE);
  });

  test('an empty NO_COLOR is ignored', async () => {
    const { printed } = await onTerminal('search', [ANSWERABLE, '--index', index], { env: { NO_COLOR: '' } });
    expect(printed).toContain(`${ESCAPE}1mKorvane`);
  });

  test('an error is marked in red', async () => {
    expect(await onTerminal('search', ['--index', index, '--jsn'])).toEqual({
      code: 2,
      printed: `${ESCAPE}31merror: ${ESCAPE}39mUnknown option --jsn. Did you mean --json?\n`,
    });
  });

  test('an interrupt ends a build with exit code 130, restores the cursor and leaves no files', async () => {
    const before = readdirSync(folder);
    // They take the default model longer than the second without progress, and the key.
    const text = (_: unknown, i: number) => JSON.stringify({ text: `${i} ${'lighthouse '.repeat(50)}` });
    const many = join(temporaryFolder(), 'many.jsonl');
    writeFileSync(many, Array.from({ length: 500 }, text).join('\n'));
    const args = [many, '--index', join(folder, 'new'), '--cache', temporaryFolder()];
    const { code, printed } = await onTerminal('index', args, {
      type: [[/ [1-9]\d* of \d+ pass/, '\x03']],
    });
    expect({ code, printed }).toMatchObject({ code: 130 });
    expect(printed).toContain(`${ESCAPE}?25l`);
    expect(printed.lastIndexOf(`${ESCAPE}?25h`)).toBeGreaterThan(printed.lastIndexOf(`${ESCAPE}?25l`));
    expect(printed).toMatch(/Stopped at [1-9]\d* of 500; run again to continue\./);
    expect(printed).not.toContain('error');
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe('without a terminal', () => {
  test('there are colours only with FORCE_COLOR', async () => {
    const args = [ANSWERABLE, '--index', index];
    expect((await command('search', args)).stdout).not.toContain(ESCAPE);
    const { stdout } = await command('search', args, '', { FORCE_COLOR: '1' });
    expect(stdout).toContain(`${ESCAPE}1mKorvane`);
    expect(stdout).not.toContain('━');
  });

  test('control characters of documents do not reach the output', async () => {
    const text = `A bell \x07 and \x1b[31mred\x1b[0m \x9b1m ink.`;
    writeFileSync(join(folder, 'bell.jsonl'), JSON.stringify({ text, title: 'Bell\x1b[5m', id: '\x1bc' }));
    const out = join(folder, 'bell');
    const args = [join(folder, 'bell.jsonl'), '--index', out, '--model', SMALL_MODEL];
    expect(await command('index', args)).toMatchObject({ code: 0 });
    const { stdout } = await command('search', ['red ink', '--index', out]);
    expect(stdout).toContain('ink.');
    expect(stdout).not.toMatch(/[^\P{Cc}\n]/u);
  });

  test('a closed output ends a command silently', async () => {
    const args = [POLYSEEK, 'embed', '--model', SMALL_MODEL];
    const child = spawn(process.execPath, args, { cwd: root, env: { PATH: process.env.PATH } });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.stdout.once('data', () => {
      child.stdout.destroy();
      child.stdin.end('{"text": "b"}\n{"text": "c"}\n');
    });
    child.stdin.write('{"text": "a"}\n');
    await once(child, 'close');
    expect({ code: child.exitCode, errors }).toEqual({ code: 141, errors: '' });
  });

  // Linux only: there, any write to this file fails as on a full disk.
  test.skipIf(!existsSync('/dev/full'))(
    'a full disk behind an output costs no more than that output',
    async () => {
      const full = openSync('/dev/full', 'w');
      const start = (stdio: StdioOptions, ...args: string[]) =>
        finished(spawn(process.execPath, [POLYSEEK, ...args], { cwd: root, stdio }));
      expect(await start(['ignore', full, 'pipe'], 'key', '--help')).toMatchObject({
        code: 1,
        stderr: 'Standard output: no space left on device. Free disk space, or write to another file.\n',
      });
      const out = join(folder, 'unheard');
      const args = ['index', documents, '--index', out, '--model', SMALL_MODEL, '--json'];
      const built = await start(['ignore', 'pipe', full], ...args);
      expect({ code: built.code, index: JSON.parse(built.stdout).index }).toEqual({ code: 0, index: out });
      closeSync(full);
    },
  );

  test('an exit code passes through npm', async () => {
    const ask = (question: string) =>
      finished(
        spawn('npm', ['run', '--silent', 'search', '--', question, '--index', index, '--json'], {
          cwd: root,
        }),
      );
    const [found, missed] = [await ask(ANSWERABLE), await ask(UNANSWERABLE)];
    expect([found.code, missed.code]).toEqual([0, 3]);
    expect(missed.stderr).toBe('');
    expect([JSON.parse(found.stdout).answered, JSON.parse(missed.stdout).answered]).toEqual([true, false]);
  });
});

test('package prints its result as JSON, and leaves no files after an interrupt', async () => {
  const out = join(folder, 'function');
  const { code, stdout } = await command('package', ['--index', index, '--out', out, '--json']);
  expect(code).toBe(0);
  const entries = readdirSync(out, { recursive: true, withFileTypes: true });
  expect(JSON.parse(stdout)).toEqual({
    out,
    target: `${process.platform} ${process.arch}`,
    files: entries.filter((entry) => entry.isFile()).length,
    bytes: expect.any(Number),
  });

  const before = readdirSync(folder);
  const args = [POLYSEEK, 'package', '--index', index, '--out', out];
  const child = spawn(process.execPath, args, { cwd: root });
  const watcher = watch(folder, (_, name) => {
    if (name?.includes('.polyseek-draft-')) child.kill('SIGINT');
  });
  expect(await finished(child)).toEqual({ code: 130, stdout: '', stderr: '' });
  watcher.close();
  expect(readdirSync(folder)).toEqual(before);
});
