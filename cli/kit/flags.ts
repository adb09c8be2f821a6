import { type Command, Option } from 'commander';
import { collectionExpected, isCollectionName } from '../../functions/search/paths.ts';
import { DEFAULT_MODEL } from '../../index/compile/compile.ts';
import { DEFAULT_INDEX } from '../../index/format/manifest.ts';
import type { Mode } from '../../index/search/answer.ts';
import { UsageError } from './command.ts';

export interface EndpointFlags {
  url?: string;
  key?: string;
}

/** Parses an option's value as a number within limits. Throws a `UsageError` with the allowed values. */
export function numberOption(
  name: string,
  min: number,
  max: number,
  kind: 'a number' | 'a whole number',
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const fits = kind === 'a number' || Number.isInteger(value);
    if (text.trim() !== '' && value >= min && value <= max && fits) return value;
    throw wrongValue(name, text, `${kind} from ${min} to ${max}`);
  };
}

export function choice(flags: string, description: string, values: readonly string[]): Option {
  const option = new Option(flags, description).choices([...values]);
  return option.argParser((text) => {
    if (values.includes(text)) return text;
    throw wrongValue(option.long ?? flags, text, `one of ${values.join(', ')}`);
  });
}

export function wrongValue(name: string, text: string, expected: string): UsageError {
  return new UsageError(`${name} is ${JSON.stringify(text)}, but must be ${expected}.`);
}

/** Parses a value of an option that may be repeated, and adds it to a list. */
export function repeatable<Value>(
  parse: (text: string) => Value,
): (text: string, before?: Value[]) => Value[] {
  return (text, before = []) => [...before, parse(text)];
}

const MODES: Mode[] = ['hybrid', 'semantic', 'lexical'];
export const modeOption = () =>
  choice('--mode <mode>', 'compare meaning and words (hybrid), only meaning, or only words', MODES).default(
    'hybrid',
  );

export const modelOption = (description = 'model folder') =>
  new Option('--model <dir>', description).default(DEFAULT_MODEL, 'index/model');

export const indexOption = (description = 'folder of the index') =>
  new Option('--index <dir>', description).default(DEFAULT_INDEX);

export const searchedIndexOption = () =>
  indexOption('folder of the index, or its address s3vectors://BUCKET/NAME');

export const portOption = () =>
  new Option('--port <n>', 'port to bind; 0 picks a free one')
    .env('PORT')
    .default(8787)
    .argParser(numberOption('--port or PORT', 0, 65535, 'a whole number'));

export const jobsOption = () =>
  new Option('--jobs <n>', 'number of embedding processes (default: one per processor)').argParser(
    numberOption('--jobs', 1, 1024, 'a whole number'),
  );

export const jsonOption = (description = 'print only JSON on standard output') =>
  new Option('--json', description);

/** `--collection` of the commands that serve or package several indexes. Its value is folders by names. */
export function collectionOption(): Option {
  return new Option(
    '--collection <name=dir>',
    'folder of a further index, under /c/NAME (repeatable)',
  ).argParser((text: string, before: Record<string, string> = {}) => {
    const [, name = '', dir = ''] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
    if (!isCollectionName(name))
      throw wrongValue('--collection', text, `NAME=DIR, with a name of ${collectionExpected}`);
    if (Object.hasOwn(before, name)) throw new UsageError(`--collection names ${name} twice.`);
    return { ...before, [name]: dir };
  });
}

/** The endpoint to ask, if any. A typed flag of the others, which choose something else to ask, wins over the environment. */
export function chosenUrl(command: Command, ...others: string[]): string | undefined {
  const typed = others.find((name) => command.getOptionValueSource(name) === 'cli');
  if (typed === undefined) return command.getOptionValue('url');
  if (command.getOptionValueSource('url') === 'cli')
    throw new UsageError(`--url and --${typed} exclude each other. Use one of them.`);
  return undefined;
}

export function addEndpoint<Asking extends Command>(command: Asking): Asking {
  return command
    .addOption(
      new Option('--url <url>', 'URL of an endpoint').env('POLYSEEK_URL').argParser((text) => {
        if (/^https?:\/\//i.test(text)) return text;
        throw new UsageError('--url must start with http:// or https://.');
      }),
    )
    .addOption(
      new Option(
        '--key <key>',
        'API key; prefer the environment variable, which other users of this machine cannot see',
      ).env('POLYSEEK_API_KEY'),
    );
}
