import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { collectionExpected, isCollectionName } from '../../functions/search/paths.ts';
import { DEFAULT_MODEL } from '../../index/compile/compile.ts';
import type { Mode } from '../../index/format/mode.ts';
import type { SearchRequest } from '../../index/search/answer.ts';
import { LIMITS } from '../../index/search/limits.ts';
import { UsageError } from './command.ts';

/** Flags of the commands that ask a question, as parsed by commander. */
export interface QuestionFlags {
  k: number;
  mode: Mode;
  lang?: string[];
  source?: string[];
  filter?: string[];
  minConfidence?: number;
  context: number;
  explain?: boolean;
  matches?: boolean;
  json?: boolean;
}

/** Flags of the commands that can ask an endpoint. */
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
    throw wrong(name, text, `${kind} from ${min} to ${max}`);
  };
}

/** An option with a fixed set of values. */
export function choice(flags: string, description: string, values: string[]): Option {
  const option = new Option(flags, description).choices(values);
  return option.argParser((text) => {
    if (values.includes(text)) return text;
    throw wrong(option.long ?? flags, text, `one of ${values.join(', ')}`);
  });
}

/** Parses a repeatable option, each value of which matches `form`. */
function list(name: string, form: RegExp, expected: string): (text: string, before?: string[]) => string[] {
  return (text, before = []) => {
    if (form.test(text)) return [...before, text];
    throw wrong(name, text, expected);
  };
}

function wrong(name: string, text: string, expected: string): UsageError {
  return new UsageError(`${name} is ${JSON.stringify(text)}, but must be ${expected}.`);
}

/** `--mode` of every command that searches. */
export function modeOption(): Option {
  const modes: Mode[] = ['hybrid', 'semantic', 'lexical'];
  return choice(
    '--mode <mode>',
    'compare meaning and words (hybrid), only meaning, or only words',
    modes,
  ).default('hybrid');
}

/** `--model` of every command that reads a model folder. */
export function modelOption(description = 'model folder'): Option {
  return new Option('--model <dir>', description).default(DEFAULT_MODEL, 'index/model');
}

/** `--index` of commands that search an index. */
export function searchedIndexOption(dir: string): Option {
  return indexOption(dir, 'folder of the index, or its address s3vectors://BUCKET/NAME');
}

/** `--index` of every command that reads or writes an index. */
export function indexOption(dir: string, description = 'folder of the index'): Option {
  return new Option('--index <dir>', description).default(dir);
}

/** `--jobs` of every command that embeds many texts. */
export function jobsOption(): Option {
  return new Option('--jobs <n>', 'number of embedding processes (default: one per processor)').argParser(
    numberOption('--jobs', 1, 1024, 'a whole number'),
  );
}

/** `--json` of every command that prints a result. */
export function jsonOption(description = 'print only JSON on standard output'): Option {
  return new Option('--json', description);
}

/** `--collection` of the commands that serve or package several indexes. Its value is folders by names. */
export function collectionOption(): Option {
  return new Option(
    '--collection <name=dir>',
    'folder of a further index, under /c/NAME (repeatable)',
  ).argParser((text: string, before: Record<string, string> = {}) => {
    const [, name = '', dir = ''] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
    if (!isCollectionName(name))
      throw wrong('--collection', text, `NAME=DIR, with a name of ${collectionExpected}`);
    if (Object.hasOwn(before, name)) throw new UsageError(`--collection names ${name} twice.`);
    return { ...before, [name]: dir };
  });
}

/** Adds the question and its flags to a command. */
export function addQuestion<Asking extends Command>(command: Asking): Asking {
  return command
    .argument('<question>', 'the question, in any language; - reads standard input')
    .option(
      '-k <n>',
      'number of results',
      numberOption('-k', LIMITS.k.min, LIMITS.k.max, 'a whole number'),
      3,
    )
    .addOption(modeOption())
    .option(
      '--lang <tag>',
      'search only passages in this language (repeatable)',
      list('--lang', /^[\w-]+$/, 'a language tag such as de or pt-BR (repeat the flag for several)'),
    )
    .option(
      '--source <path>',
      'search only this document, or this folder if it ends in / (repeatable)',
      list('--source', /./, 'the path of a document or folder'),
    )
    .option(
      '--filter <name=value>',
      'search only documents whose field has this value (repeatable)',
      list('--filter', /^[^=]+=/, 'NAME=VALUE, such as year=2026'),
    )
    .option(
      '--min-confidence <x>',
      'drop results below this confidence (0 to 1)',
      numberOption('--min-confidence', 0, 1, 'a number'),
    )
    .option(
      '--context <n>',
      'number of neighbouring passages to show on each side',
      numberOption('--context', LIMITS.context.min, LIMITS.context.max, 'a whole number'),
      LIMITS.context.default,
    )
    .option('--explain', 'show the parts of each score, and the evidence for its confidence')
    .option('--matches', 'mark the words that match the question')
    .addOption(jsonOption());
}

/** Builds the search request from a question and its flags. The question `-` is read from standard input. */
export async function readQuestion(question: string, flags: QuestionFlags): Promise<SearchRequest> {
  const { k, mode, lang = [], source = [], filter = [], minConfidence, context } = flags;
  const { explain = false, matches = false } = flags;
  const q = (question === '-' ? await text(process.stdin) : question).trim();
  if (q === '') throw new UsageError('The question is empty. Pass one in quotes.');
  const fields = new Map<string, string[]>();
  const add = (name: string, value: string) => fields.set(name, [...(fields.get(name) ?? []), value]);
  for (const tag of lang) add('lang', tag);
  for (const path of source) add('source', path);
  for (const pair of filter) add(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
  return {
    q,
    k,
    mode,
    context,
    explain,
    matches,
    ...(minConfidence !== undefined && { minConfidence }),
    ...(fields.size > 0 && { filter: Object.fromEntries(fields) }),
  };
}

/**
 * The endpoint to ask, if any. A flag on the command line wins over the environment variable of `--url`.
 * @param others names of options that choose something else to ask
 */
export function chosenUrl(command: Command, ...others: string[]): string | undefined {
  const typed = others.find((name) => command.getOptionValueSource(name) === 'cli');
  if (typed === undefined) return command.getOptionValue('url');
  if (command.getOptionValueSource('url') === 'cli')
    throw new UsageError(`--url and --${typed} exclude each other. Use one of them.`);
  return undefined;
}

/** Adds `--url` and `--key` to a command. */
export function addEndpoint<Asking extends Command>(command: Asking): Asking {
  return command
    .addOption(new Option('--url <url>', 'URL of an endpoint').env('POLYSEEK_URL'))
    .addOption(
      new Option(
        '--key <key>',
        'API key; prefer the environment variable, which other users of this machine cannot see',
      ).env('POLYSEEK_API_KEY'),
    );
}
