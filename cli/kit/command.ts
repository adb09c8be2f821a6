import { styleText } from 'node:util';
import { Command, type ErrorOptions, type HelpContext } from 'commander';
import type { Verdict } from '../../index/search/answer.ts';
import { manifest } from './installed.ts';
import { printable, printableJson } from './printable.ts';

/** Exit code of `search`. Only a sure answer is a success. */
export const VERDICT_CODES: Record<Verdict, number> = { answered: 0, possible: 4, none: 3 };

const EXIT_CODES =
  'Exit codes: 0 success, 1 failure, 2 wrong usage, 3 no answer found, 4 no sure answer, 130 interrupted.';

// `styleText` reads the environment. An empty NO_COLOR means unset (https://no-color.org), but Node treats it as set.
if (process.env.NO_COLOR === '') delete process.env.NO_COLOR;
if (process.argv.includes('--no-color')) {
  process.env.NO_COLOR = '1';
  delete process.env.FORCE_COLOR;
}

/** The command line is wrong. Exit code 2. */
export class UsageError extends Error {}

/** A polyseek command: common flags, help with examples, and errors with the fix. */
export class Tool extends Command {
  #example = '';

  constructor(name?: string, description = '') {
    super(name);
    this.description(description)
      .helpOption('-h, --help', 'print this help')
      .configureHelp({ styleTitle: (title) => styleText('bold', title) });
  }

  override createCommand(name?: string): Tool {
    return new Tool(name);
  }

  /** Adds the common flags, and examples for the help. The error for a missing argument shows the first example. */
  examples(...lines: [string, ...string[]]): this {
    this.#example = lines[0];
    this.option('--no-color', 'disable colours, like NO_COLOR=1 in the environment');
    this.version(`polyseek ${manifest.version}`, '--version', 'print the version');
    const examples = lines.map((line) => `  ${line}`).join('\n');
    return this.addHelpText(
      'after',
      () => `\n${styleText('bold', 'Examples:')}\n${examples}\n\n${EXIT_CODES}`,
    );
  }

  override error(message: string, { code = '' }: ErrorOptions = {}): never {
    const [, name = '', similar] = /'(.*)'(?:\n\(Did you mean (.*)\?\))?/s.exec(message) ?? [];
    const suggestion = similar ? `Did you mean ${similar}?` : 'See --help.';
    const [maximum, found] = message.match(/\d+/g) ?? [];
    const own: Record<string, string> = {
      'commander.unknownOption': `Unknown option ${name}. ${suggestion}`,
      'commander.unknownCommand': `Unknown command ${name}. ${suggestion}`,
      'commander.missingArgument': `Missing argument: ${name}. Example: ${this.#example}`,
      'commander.optionMissingArgument': `Missing value: ${name}. See --help.`,
      'commander.excessArguments': `Too many arguments: ${found}, but at most ${maximum} allowed. Quote arguments that contain spaces, or see --help.`,
    };
    throw new UsageError(own[code] ?? message);
  }

  override help(context?: HelpContext | ((text: string) => string)): never {
    // Commander calls this if a required subcommand is missing.
    if (typeof context === 'object' && context.error) {
      const names = this.commands.map((command) => command.name());
      throw new UsageError(`Missing command: ${names.join(', ')}. See --help.`);
    }
    return super.help(context as HelpContext);
  }
}

/** Lets an interrupt exit at once, with 128 plus the signal's number, like a shell. */
export function exitOnInterrupt(): void {
  process.removeAllListeners('SIGINT').on('SIGINT', () => process.exit(130));
}

/** Lets the first interrupt call `stop`, and a second one exit at once. */
export function stopOnInterrupt(after: string, stop: () => void): void {
  process.removeAllListeners('SIGINT').once('SIGINT', () => {
    exitOnInterrupt();
    console.error(`Interrupted: stopping after ${after}. Interrupt again to exit at once.`);
    stop();
  });
}

/** Lets the command exit like one that was interrupted, once it ends. */
export function exitInterrupted(): void {
  process.once('exit', () => {
    process.exitCode = 130;
  });
}

/** Runs a command. Prints the message of an error on standard error, and exits with 2 for a `UsageError`, or 1 for others. */
export async function main(run: () => Promise<unknown>): Promise<void> {
  exitOnInterrupt();
  process.on('SIGTERM', () => process.exit(143));
  let failure: Error | null = null;
  const failOutput = (error: Error) => {
    failure = error;
    process.exit(1);
  };
  process.stdout.on('error', failOutput);
  // Nobody can read messages any more, but the result may still be complete.
  process.stderr.on('error', () => {});
  process.once('exit', () => {
    // A last write that fails emits no event before the exit.
    failure ??= process.stdout.errored;
    if (failure && process.stdout.listeners('error').includes(failOutput))
      process.exitCode = explainOutput(failure);
  });
  try {
    await run();
  } catch (error) {
    // Printed on exit, after a progress bar has ended its line.
    process.once('exit', () => {
      const mark = process.stderr.isTTY ? styleText('red', 'error: ', { stream: process.stderr }) : '';
      console.error(`${mark}${forTerminal(describeError(error))}`);
    });
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}

/** Says why standard output failed, and returns the exit code: 141 if its reader has closed it, as `head` does. */
function explainOutput(error: Error): number {
  if ('code' in error && error.code === 'EPIPE') return 141;
  console.error(
    `Standard output: ${reasonOf(error) ?? error.message}. Free disk space, or write to another file.`,
  );
  return 1;
}

export function print(json: boolean | undefined, value: unknown, text: () => string): void {
  console.log(json ? printableJson(JSON.stringify(value, null, 2)) : forTerminal(text()));
}

/** What commands write beside text: the styles bold, dim, underline and colours, links to files, and the ends of these. */
const STYLE = /(\p{Cc}\[(?:[124]|2[24]|3[1-9])m|\p{Cc}\]8;;(?:file:[!-~]+)?\p{Cc}\\)/u;

/** Replaces control characters but those of styles. Texts of documents could otherwise move the cursor or write to the clipboard. */
export function forTerminal(text: string): string {
  const parts = text.split(STYLE);
  // Biome allows no escape character in the expression.
  const isStyle = (part: string) => !/\p{Cc}/u.test(part.replaceAll('\u001b', ''));
  return parts.map((part, i) => (i % 2 === 1 && isStyle(part) ? part : printable(part))).join('');
}

/** JSON indented by two spaces, with short flat lists on one line, as formatters write it. */
export function formatJson(value: object): string {
  // A line feed here is never part of a string, because JSON escapes it there.
  const text = JSON.stringify(value, null, 2).replace(/\[\n([^[\]{}]+)\n *\]/g, (list, items: string) => {
    const line = `[${items.trim().replace(/\n */g, ' ')}]`;
    return line.length <= 80 ? line : list;
  });
  return `${text}\n`;
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function size(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The fix for an operating system's error about a file, by its code. */
const FIXES: Record<string, string> = {
  EACCES: 'Change its permissions, or choose another path',
  EPERM: 'Change its permissions, or choose another path',
  EROFS: 'Choose a writable path',
  ENOSPC: 'Free disk space',
  ENOENT: 'Choose an existing path',
  ENOTDIR: 'Choose a folder',
  EISDIR: 'Choose a file',
  EEXIST: 'Remove it, or choose another path',
};

/** The message of an error. For an operating system's error about a file: path, reason and fix. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = '', path }: NodeJS.ErrnoException = error;
  const hint = installHint(error.message);
  if (hint) return hint;
  const fix = FIXES[code];
  const reason = reasonOf(error);
  if (!fix || !reason) return error.message;
  // The error of a write names no file.
  return path ? `${path}: ${reason}. ${fix}.` : `${reason[0]!.toUpperCase()}${reason.slice(1)}. ${fix}.`;
}

/** The system's own words in a message such as `EACCES: permission denied, open '/path'`. */
function reasonOf({ message }: Error): string | undefined {
  return message.match(/^\w+: (.*?),/)?.[1];
}

/** Node's message for a package that is not installed, from `import` and `require`. */
const MISSING = /Cannot find (?:package|module) '((?:@[^/']+\/)?[^/']+)/;

/** The fix for an error about a package that few need, and that a user of the npm package installs. Undefined for other errors. */
function installHint(message: string): string | undefined {
  const name = MISSING.exec(message)?.[1] ?? '';
  const version = manifest.peerDependencies[name]?.replace('^', '');
  return (
    version && `This needs the package ${name}, which is not installed. Run npm install ${name}@${version}.`
  );
}
