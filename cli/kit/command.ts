import { readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { Command, type ErrorOptions, type HelpContext } from 'commander';

/** The exit code of `search` and `remote ask` where no passage is certain enough to be an answer. */
export const UNANSWERED = 3;

const EXIT_CODES = 'Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing found, 130 interrupted.';

// `styleText` heeds the environment. An empty NO_COLOR counts as none (https://no-color.org), which Node does not know.
if (process.env.NO_COLOR === '') delete process.env.NO_COLOR;
if (process.argv.includes('--no-color')) {
  process.env.NO_COLOR = '1';
  delete process.env.FORCE_COLOR;
}

/** The command line is wrong, so that trying again won't help: exit code 2. */
export class UsageError extends Error {}

/** A command of polyseek: the flags that all have, help with examples, and errors in one sentence with the fix. */
export class Tool extends Command {
  #example = '';

  constructor(name?: string, does = '') {
    super(name);
    this.description(does)
      .helpOption('-h, --help', 'print this')
      .configureHelp({ styleTitle: (title) => styleText('bold', title) });
  }

  override createCommand(name?: string): Tool {
    return new Tool(name);
  }

  /** Ends the flags with those that all commands have, and the help with lines for a shell; errors show the first as the right usage. */
  examples(...lines: [string, ...string[]]): this {
    this.#example = lines[0];
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    this.option('--no-color', 'no colours, as with NO_COLOR=1 in the environment');
    this.version(`polyseek ${version}`, '--version', 'print the version');
    return this.addHelpText(
      'after',
      () =>
        `\n${styleText('bold', 'Examples:')}\n${lines.map((line) => `  ${line}`).join('\n')}\n\n${EXIT_CODES}`,
    );
  }

  override error(message: string, { code }: ErrorOptions = {}): never {
    const [, name = '', similar] = /'(.*)'(?:\n\(Did you mean (.*)\?\))?/s.exec(message) ?? [];
    const suggestion = similar ? `did you mean ${similar}?` : 'see --help.';
    if (code === 'commander.unknownOption') throw new UsageError(`Unknown option ${name}: ${suggestion}`);
    if (code === 'commander.unknownCommand') throw new UsageError(`Unknown command ${name}: ${suggestion}`);
    if (code === 'commander.missingArgument')
      throw new UsageError(`The ${name} is missing: write it as in ${this.#example}`);
    if (code === 'commander.optionMissingArgument')
      throw new UsageError(`The value of ${name} is missing: write it after the flag.`);
    if (code === 'commander.excessArguments') {
      const [most, found] = message.match(/\d+/g) ?? [];
      throw new UsageError(
        `Too many arguments (${found}, but at most ${most}): put what has spaces in quotes, or see --help.`,
      );
    }
    throw new UsageError(message);
  }

  override help(context?: HelpContext | ((text: string) => string)): never {
    // Asked for by commander itself where a command has commands and none is named.
    if (typeof context === 'object' && context.error) {
      const names = this.commands.map((command) => command.name());
      throw new UsageError(`The command is missing: it is one of ${names.join(', ')}; see --help.`);
    }
    return super.help(context as HelpContext);
  }
}

/**
 * Runs a command. An error becomes its sentence on standard error, with exit code 2 for a `UsageError` and 1 for others; an
 * interrupt ends it with 128 and the signal's number, as shells tell it.
 */
export async function main(run: () => Promise<unknown>): Promise<void> {
  process.on('SIGINT', () => process.exit(130));
  process.on('SIGTERM', () => process.exit(143));
  // Who reads the output has had enough, as `head` has.
  process.stdout.on('error', () => process.exit(141));
  try {
    await run();
  } catch (error) {
    // At the exit, so that a progress bar has left its line before.
    process.once('exit', () => {
      const mark = process.stderr.isTTY ? styleText('red', 'error: ', { stream: process.stderr }) : '';
      console.error(`${mark}${sentenceOf(error)}`);
    });
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}

/** Prints a result on standard output: as JSON for programs, or else as text for people. */
export function print(json: boolean | undefined, value: unknown, text: () => string): void {
  console.log(json ? JSON.stringify(value, null, 2) : text());
}

/** Number of bytes for people. */
export function size(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What an operating system's refusal of a file asks for. */
const FIXES: Record<string, string> = {
  EACCES: 'get the right to it, or name another',
  EPERM: 'get the right to it, or name another',
  EROFS: 'name a place that can be written to',
  ENOSPC: 'free some space on the disk',
  ENOENT: 'name one that is there',
  ENOTDIR: 'name a folder',
  EISDIR: 'name a file',
  EEXIST: 'remove it, or name another',
};

/** The message of an error; of one by the operating system about a file, a sentence with the fix. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = '', path }: NodeJS.ErrnoException = error;
  const fix = FIXES[code];
  // Node writes `EACCES: permission denied, open '/path'`.
  const reason = error.message.match(/^\w+: (.*?),/)?.[1];
  return fix && path && reason ? `${path}: ${reason}; ${fix}.` : error.message;
}
