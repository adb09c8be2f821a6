import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { DEFAULT_MODEL } from '../../index/compile/compile.ts';
import type { Mode } from '../../index/format/mode.ts';
import type { SearchRequest } from '../../index/search/answer.ts';
import { LIMITS } from '../../index/search/limits.ts';
import { UsageError } from './command.ts';

/** Flags of the commands that ask a question, as commander reads them. */
export interface QuestionFlags {
  k: number;
  mode: Mode;
  lang?: string[];
  source?: string[];
  filter?: string[];
  minConfidence?: number;
  context: number;
  explain?: boolean;
  json?: boolean;
}

/** Reads an option's value as a number within limits, whole for `kind` 'a whole number'; throws the sentence that says what it must be. */
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

/** An option whose value is one of a few. */
export function choice(flags: string, does: string, values: string[]): Option {
  const option = new Option(flags, does).choices(values);
  return option.argParser((text) => {
    if (values.includes(text)) return text;
    throw wrong(option.long ?? flags, text, `one of ${values.join(', ')}`);
  });
}

/** Reads an option that can be repeated, each value of this form. */
function list(name: string, form: RegExp, expected: string): (text: string, before?: string[]) => string[] {
  return (text, before = []) => {
    if (form.test(text)) return [...before, text];
    throw wrong(name, text, expected);
  };
}

function wrong(name: string, text: string, expected: string): UsageError {
  return new UsageError(`${name} is ${JSON.stringify(text)}, but must be ${expected}.`);
}

/** `--mode`, the same for every command that searches. */
export function modeOption(): Option {
  const modes: Mode[] = ['hybrid', 'semantic', 'lexical'];
  return choice('--mode <mode>', 'compare meaning and words, meaning alone or words alone', modes).default(
    'hybrid',
  );
}

/** `--model`, the same for every command that takes a model folder. */
export function modelOption(does = 'model folder'): Option {
  return new Option('--model <dir>', does).default(DEFAULT_MODEL, 'index/model');
}

/** `--index`, the same for every command that reads an index. */
export function indexOption(dir: string): Option {
  return new Option('--index <dir>', 'folder of the index').default(dir);
}

/** `--json`, the same for every command that prints a result. */
export function jsonOption(): Option {
  return new Option('--json', 'print JSON, and nothing else, on standard output');
}

/** The question and the flags of every command that asks one. */
export function addQuestion<Asking extends Command>(command: Asking): Asking {
  return command
    .argument('<question>', 'the question, in any language; - reads it from standard input')
    .option('-k <n>', 'how many results', numberOption('-k', LIMITS.k.min, LIMITS.k.max, 'a whole number'), 3)
    .addOption(modeOption())
    .option(
      '--lang <tag>',
      'only passages in this language; repeat for several',
      list('--lang', /^[\w-]+$/, 'a language tag such as de or pt-BR; for several, repeat the flag'),
    )
    .option(
      '--source <path>',
      'only this document, or a folder (ending in /); repeat for several',
      list('--source', /./, 'the path of a document or folder'),
    )
    .option(
      '--filter <name=value>',
      'only documents whose field has this value; repeat for other fields, or for several values of one',
      list('--filter', /^[^=]+=/, 'NAME=VALUE, such as year=2026'),
    )
    .option(
      '--min-confidence <x>',
      'leave out what is less certain',
      numberOption('--min-confidence', 0, 1, 'a number'),
    )
    .option(
      '--context <n>',
      'neighbouring passages to show on each side',
      numberOption('--context', LIMITS.context.min, LIMITS.context.max, 'a whole number'),
      LIMITS.context.default,
    )
    .option('--explain', 'show the parts of each score')
    .addOption(jsonOption());
}

/** What to search for, of a question and its flags; `-` is read from standard input. */
export async function readQuestion(question: string, flags: QuestionFlags): Promise<SearchRequest> {
  const { k, mode, lang = [], source = [], filter = [], minConfidence, context, explain = false } = flags;
  const q = (question === '-' ? await text(process.stdin) : question).trim();
  if (q === '') throw new UsageError('The question is empty: write one, in quotes.');
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
    ...(minConfidence !== undefined && { minConfidence }),
    ...(fields.size > 0 && { filter: Object.fromEntries(fields) }),
  };
}
