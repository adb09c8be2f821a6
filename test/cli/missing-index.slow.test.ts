import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command as chat } from '../../cli/chat.ts';
import { command as evaluate } from '../../cli/eval.ts';
import { command as inspect } from '../../cli/inspect.ts';
import type { Tool } from '../../cli/kit/command.ts';
import { command as mcp } from '../../cli/mcp.ts';
import { command as packaging } from '../../cli/package.ts';
import { command as search } from '../../cli/search.ts';
import { temporaryFolder, writeRandomIndex } from '../fixtures/index.ts';

const folder = temporaryFolder();
const [before, log] = [process.cwd(), console.log];
const at = (name: string) => join(folder, name);

beforeAll(() => {
  for (const name of ['empty', 'damaged', 'cwd']) mkdirSync(at(name), { recursive: true });
  writeFileSync(at('file'), '');
  writeRandomIndex(at('index'), 20);
  cpSync(at('index'), at('damaged'), { recursive: true });
  appendFileSync(at('damaged/lookup.bin'), 'x');
  process.chdir(at('cwd'));
});
afterAll(() => {
  process.chdir(before);
  // `mcp` redirects it.
  console.log = log;
});

const run = (command: Tool, ...args: string[]) => command.parseAsync(args, { from: 'user' });

describe.each<[string, Tool, string[]]>([
  ['search', search, ['How long is the warranty?']],
  ['chat', chat, []],
  ['mcp', mcp, []],
  ['inspect', inspect, []],
  ['inspect with a name', inspect, ['faq.md']],
  ['package', packaging, ['--out', 'function']],
])('%s', (name, command, args) => {
  test('says that there is no index, and how to build one', async () => {
    const where = name === 'mcp' ? at('cwd/.polyseek/index') : '.polyseek/index';
    const place = name === 'mcp' ? ` --index ${where}` : '';
    await expect(run(command, ...args)).rejects.toThrow(
      new Error(`There is no index in ${where}. Build one with npx polyseek index PATH${place}.`),
    );
    await expect(run(command, ...args, '--index', at('none'))).rejects.toThrow(
      `There is no index in ${at('none')}. Build one with npx polyseek index PATH --index ${at('none')}.`,
    );
  });

  test.each([
    [
      'empty',
      `${at('empty')} is not an index: it has no manifest.json. Build one with npx polyseek index PATH`,
    ],
    [
      'file',
      `${at('file')} is not an index: it has no manifest.json. Build one with npx polyseek index PATH`,
    ],
    ['damaged', /damaged\/lookup\.bin is damaged: .*\. Run npx polyseek index again\.$/],
  ])('says what is wrong with a folder: %s', async (index, message) => {
    await expect(run(command, ...args, '--index', at(index))).rejects.toThrow(message);
  });
});

test('eval says which folder does not exist', async () => {
  await expect(run(evaluate, at('none'))).rejects.toThrow(
    `${at('none')} does not exist. Name the folder of an evaluation set.`,
  );
  await expect(run(evaluate, at('empty'))).rejects.toThrow(
    `${at('empty')} has neither passages.jsonl nor passages.jsonl.gz. Name the folder of an evaluation set.`,
  );
  await expect(run(evaluate, '--documents', at('none'))).rejects.toThrow(
    `${at('none')}/documents does not exist. Check the path.`,
  );
});
