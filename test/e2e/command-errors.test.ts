import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { UsageError } from '../../cli/kit/command.ts';
import { loadCommands } from '../fixtures/commands.ts';
import { temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';
import { command } from '../fixtures/processes.ts';

const commands = await loadCommands();

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const [documents, index] = [at('documents'), at('index')];
const QUESTION = 'Wie oft blinkt der Leuchtturm von Korvane?';

beforeAll(() => {
  for (const name of ['documents', 'empty', 'mine']) mkdirSync(at(name), { recursive: true });
  writeFileSync(at('documents/notes.txt'), 'The light flashes once every 12 seconds.');
  writeFileSync(at('documents.png'), '');
  writeFileSync(at('mine/notes.txt'), 'mine');
  writeRandomIndex(index, 20);
});

test.each([
  ['index', [], /^Missing argument: path\. Name files or folders, .* Example: npx polyseek index docs$/],
  ['index', [documents, '--quiet'], /^Unknown option --quiet\. See --help\.$/],
  ['index', [documents, '--inde', 'x'], /^Unknown option --inde\. Did you mean --index\?$/],
  ['index', [documents, '--index'], /^Missing value: --index <dir>\. See --help\.$/],
  ['search', ['--index', index], /^Missing argument: question\. Example: npx polyseek search ".*\?" -k 5$/],
  [
    'search',
    [QUESTION, 'more', '--index', index],
    /^Too many arguments: 2, but at most 1 allowed\. Quote arguments that contain spaces, or see --help\.$/,
  ],
  [
    'search',
    [QUESTION, '--mode', 'fuzzy'],
    /^--mode is "fuzzy", but must be one of hybrid, semantic, lexical\.$/,
  ],
  ['search', [QUESTION, '-k', '0'], /^-k is "0", but must be a whole number from 1 to 100\.$/],
  ['search', [QUESTION, '-k', '2.5'], /^-k is "2\.5", but must be a whole number from 1 to 100\.$/],
  ['search', [QUESTION, '--context', '6'], /^--context is "6", but must be a whole number from 0 to 5\.$/],
  [
    'search',
    [QUESTION, '--min-confidence', '2'],
    /^--min-confidence is "2", but must be a number from 0 to 1\.$/,
  ],
  ['search', [QUESTION, '--lang', 'de,en'], /^--lang is "de,en", but must be a language tag such as de or /],
  ['search', [QUESTION, '--source', ''], /^--source is "", but must be the path of a document or folder\.$/],
  ['search', [QUESTION, '--filter', 'year'], /^--filter is "year", but must be NAME=VALUE, such as /],
  ['search', ['  ', '--index', index], /^The question is empty\. Pass one in quotes\.$/],
  ['eval', [], /^Missing argument: set\. Example: npx polyseek eval /],
  [
    'eval',
    ['--documents', documents, '--small-talk', documents],
    /^--small-talk needs evaluation sets\. Name their folders first\.$/,
  ],
  [
    'eval',
    [documents, '--to', 's3vectors://bucket/passages'],
    /^--to s3vectors:\/\/bucket\/passages: eval replaces the index there, so its name must begin with eval/,
  ],
  ['eval', [documents, '--failures'], /^--failures needs --documents\. Add it\.$/],
  ['eval', [documents, '--svg', at('x.svg')], /^--svg needs --confidence\. Add it\.$/],
  [
    'eval',
    [documents, '--confidence', '--svg', at('none/x.svg')],
    /none does not exist\. Create it first\.$/,
  ],
  ['eval', [documents, '--articles', 'odd'], /^--articles is "odd", but must be one of fit, test, all\.$/],
  ['index', [documents, '--tokens', 'yes'], /^--tokens is "yes", but must be one of auto, on, off\.$/],
  [
    'search',
    [QUESTION, '--url', 'https://a.example', '--function', 'f'],
    /^--url and --function exclude each other\. Use one of them\.$/,
  ],
  [
    'chat',
    ['--url', 'https://a.example', '--index', index],
    /^--url and --index exclude each other\. Use one of them\.$/,
  ],
  ['search', [QUESTION, '--url', 'ftp://a.example'], /^--url must start with http:\/\/ or https:\/\/\.$/],
  ['package', ['--arch', 'x86'], /^--arch is "x86", but must be one of x86_64, arm64\.$/],
])('wrong usage is an error of one line: %s %j', async (script, args, message) => {
  expect(await failureOf(script, args, message)).toBeInstanceOf(UsageError);
});

test.each([
  ['index', [at('none')], /none does not exist\. Check the path\.$/],
  ['index', [at('empty')], /^No text found\. Formats: \.txt, .*\.ipynb\.$/],
  ['index', [at('documents.png')], /documents\.png: \.png files aren't supported\. Formats: \.txt, .*\.$/],
  [
    'index',
    [documents, '--index', at('mine')],
    /mine contains notes\.txt, which is not part of an index\. Choose a new folder, or an index to replace\.$/,
  ],
  ['index', [documents, '--model', at('mine')], /mine has no config\.json\. .*\.$/],
  [
    'index',
    [documents, '--index', at('documents.png/index')],
    /documents\.png is a file\. Choose a folder in another place\.$/,
  ],
  [
    'search',
    [QUESTION, '--index', index, '--filter', 'year=2026'],
    /^No passage has the field "year"\. Filter on /,
  ],
  [
    'eval',
    [at('mine')],
    /mine has neither passages\.jsonl nor passages\.jsonl\.gz\. Name the folder of an evaluation set\.$/,
  ],
  [
    'package',
    ['--index', index, '--out', at('mine')],
    /mine contains notes\.txt, which is not part of a packaged function\. .*\.$/,
  ],
  ['embed', ['--model', at('none')], /none has no config\.json\. .*\.$/],
])('a failure is an error of one line: %s %j', async (script, args, message) => {
  expect(await failureOf(script, args, message)).not.toBeInstanceOf(UsageError);
});

test.each([
  ['wrong usage', 2, [QUESTION, '-k', '0'], /^-k is "0", but [^\n]+\n$/],
  ['an empty input', 2, ['-', '--index', index], /^The question is empty\. Pass one in quotes\.\n$/],
  ['a failure', 1, [QUESTION, '--index', at('none')], /^There is no index in [^\n]+\n$/],
])('%s prints one line and exits with code %d', async (_, code, args, message) => {
  expect(await command('search', args)).toEqual({ code, stdout: '', stderr: expect.stringMatching(message) });
});

/** The error of a command in this process, which prints nothing. */
async function failureOf(name: string, args: string[], message: RegExp): Promise<unknown> {
  const printed = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
  const logged = (['log', 'error'] as const).map((method) => vi.spyOn(console, method));
  const run = commands.get(name)!.parseAsync(args, { from: 'user' });
  const error: unknown = await run.catch((error: unknown) => error);
  for (const spy of [...printed, ...logged]) {
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  }
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message).not.toContain('\n');
  return error;
}
