import { Command } from 'commander';
import { DEFAULT_INDEX, openLocal } from '../local.ts';
import type { Filter, Mode } from '../search/answer.ts';
import { main, modeOption, numberOption } from './main.ts';
import { readable } from './readable.ts';

interface Options {
  k: number;
  index: string;
  mode: Mode;
  lang?: string[];
  source?: string[];
  minConfidence?: number;
  context: number;
  explain?: boolean;
  json?: boolean;
}

const command = new Command('npm run search --')
  .description('Ask an index a question, in any language.')
  .argument('<question>', 'the question')
  .option('-k <n>', 'how many results', numberOption('-k', 1, 100, 'a whole number'), 3)
  .option('--index <dir>', 'folder of the index', DEFAULT_INDEX)
  .addOption(modeOption())
  .option('--lang <tag...>', 'only passages in these languages')
  .option('--source <path...>', 'only these documents, or folders (ending in /)')
  .option(
    '--min-confidence <x>',
    'leave out what is less certain',
    numberOption('--min-confidence', 0, 1, 'a number'),
  )
  .option(
    '--context <n>',
    'neighbouring passages to show on each side',
    numberOption('--context', 0, 5, 'a whole number'),
    0,
  )
  .option('--explain', 'show the parts of each score')
  .option('--json', 'print the answer as HTTP gives it')
  .addHelpText('after', '\nExample:\n  npm run search -- "May I be imprisoned without a trial?" -k 5');

await main(async () => {
  command.parse();
  const { json, lang, source, index, ...options } = command.opts<Options>();
  const query = command.args[0]!;
  if (query.trim() === '') throw new Error('The question is empty: write one, in quotes.');
  const filter: Filter = { ...(lang && { lang }), ...(source && { source }) };
  const search = await openLocal(index);
  const answer = await search.search({
    query,
    filter,
    ...options,
  });
  console.log(json ? JSON.stringify(answer, null, 2) : readable(answer));
});
