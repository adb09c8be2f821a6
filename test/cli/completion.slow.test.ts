import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root, temporaryFolder } from '../fixtures/index.ts';
import { command, finished } from '../fixtures/processes.ts';
import { missingTools } from '../fixtures/tools.ts';

const folder = temporaryFolder();
const COMMANDS = ['chat', 'completion', 'index', 'inspect', 'search', 'start'];

beforeAll(async () => {
  mkdirSync(join(folder, 'texts'));
  writeFileSync(join(folder, 'text.md'), '');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await command('completion', [shell]);
    expect(code).toBe(0);
    writeFileSync(join(folder, shell), stdout);
  }
});

/** Runs a script of a shell, and returns the lines that it prints. */
async function run(shell: string, args: string[], ...scripts: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await finished(spawn(shell, [...args, ...scripts], { cwd: folder }));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n').slice(0, -1);
}

/** What lines become in a shell on a terminal, after a tab at their end. */
function typed(setup: string, shell: string[], lines: string[]): Promise<string[]> {
  return run('python3', [join(root, 'test/fixtures/type_tab.py')], setup, ...lines, '--', ...shell);
}

/** The words that bash offers for the last word of a line. */
function inBash(...words: string[]): Promise<string[]> {
  const array = words.map((word) => `'${word}'`).join(' ');
  return run(
    'bash',
    ['--norc', '-c'],
    `. ./bash; COMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}; _polyseek; printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
}

describe('bash', () => {
  test.each(['polyseek', 'npx polyseek'])('completes %s', async (line) => {
    const words = line.split(' ');
    expect(await inBash(...words, '')).toEqual(expect.arrayContaining(COMMANDS));
    expect(await inBash(...words, 'se')).toEqual(['search']);
    expect(await inBash(...words, 'search', '--m')).toEqual(['--mode', '--min-confidence', '--matches']);
    expect(await inBash(...words, 'search', '--mode', '')).toEqual(['hybrid', 'semantic', 'lexical']);
    // bash splits words at the equals sign.
    expect(await inBash(...words, 'search', '--mode', '=', 'l')).toEqual(['lexical']);
    expect(await inBash(...words, 'completion', 'z')).toEqual(['zsh']);
    expect(await inBash(...words, 'help', 'inde')).toEqual(['index']);
  });

  test('leaves other programs of npx alone', async () => {
    expect(await inBash('npx', 'se')).toEqual(['']);
    expect(await inBash('npx', 'tsc', 'se')).toEqual(['']);
  });

  test('completes paths only where a path belongs', async () => {
    expect(
      await typed(
        '. ./bash',
        ['bash', '--norc', '--noprofile'],
        [
          'polyseek index te',
          'polyseek index text.',
          'polyseek index --cache te',
          'polyseek search -k te',
          'polyseek sea',
          'npx polyseek search --mode=le',
        ],
      ),
    ).toEqual([
      'polyseek index text',
      'polyseek index text.md ',
      'polyseek index --cache texts/',
      'polyseek search -k te',
      'polyseek search ',
      'npx polyseek search --mode=lexical ',
    ]);
  });
});

describe.skipIf(missingTools('fish'))('fish', () => {
  const inFish = async (line: string) => {
    const lines = await run('fish', ['--no-config', '-c'], `source fish; complete -C '${line}'`);
    return lines.map((one) => one.split('\t')[0]);
  };

  test.each(['polyseek', 'npx polyseek'])('completes %s', async (line) => {
    expect(await inFish(`${line} `)).toEqual(expect.arrayContaining(COMMANDS));
    expect(await inFish(`${line} se`)).toEqual(['search']);
    expect((await inFish(`${line} search --m`)).sort()).toEqual(['--matches', '--min-confidence', '--mode']);
    expect((await inFish(`${line} search --mode `)).sort()).toEqual(['hybrid', 'lexical', 'semantic']);
    expect(await inFish(`${line} completion z`)).toEqual(['zsh']);
    expect(await inFish(`${line} index tex`)).toEqual(['text.md', 'texts/']);
    expect(await inFish(`${line} index --cache tex`)).toEqual(['texts/']);
    expect(await inFish(`${line} search tex`)).toEqual([]);
  });

  test('leaves other programs of npx alone', async () => {
    expect(await inFish('npx sear')).toEqual([]);
  });
});

describe.skipIf(missingTools('zsh'))('zsh', () => {
  test.each(['polyseek', 'npx polyseek'])('completes %s', async (line) => {
    const ends = [
      // zsh takes the space after a completion back.
      ['sea', 'search'],
      ['search --mod', 'search --mode'],
      ['search --mode l', 'search --mode lexical'],
      ['completion z', 'completion zsh'],
      ['index text.', 'index text.md'],
      ['index --cache te', 'index --cache texts'],
      ['search -k te', 'search -k te'],
    ] as const;
    const typing = ends.map(([end]) => `${line} ${end}`);
    expect(await typed('. ./zsh', ['zsh', '--no-rcs', '-i'], typing)).toEqual(
      ends.map(([, end]) => `${line} ${end}`),
    );
  });
});
