import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import { ask } from '../infra/remote/ask.ts';
import { connect, Interrupted, type Remote } from '../infra/remote/connect.ts';
import { DEFAULT_KEEP, describePruned, prune } from '../infra/remote/prune.ts';
import { describeReport } from '../infra/remote/report.ts';
import { rollback } from '../infra/remote/rollback.ts';
import { listVersions, versionTable } from '../infra/remote/versions.ts';
import { readable } from './kit/answer-text.ts';
import { main, print, Tool, VERDICT_CODES } from './kit/command.ts';
import {
  addQuestion,
  indexOption,
  jsonOption,
  numberOption,
  type QuestionFlags,
  readQuestion,
} from './kit/flags.ts';

interface Target {
  function: string;
  bucket?: string;
  json?: boolean;
}

/** Settings from cdk.json, so that the defaults match `cdk deploy`. */
const { stack = 'polyseek', functionName = stack, index = 'build/index' } = readContext();

const program = new Tool('npm run remote --', 'Operate a deployed function.')
  .helpCommand('help [command]', 'print help for a command')
  .examples(
    'npm run remote -- ask "May I be imprisoned without a trial?"',
    'npm run remote -- push --index build/index --ask "May I be imprisoned without a trial?"',
    'npm run remote -- rollback',
  );

/** A subcommand with the common flags. */
const subcommand = (usage: string, description: string) =>
  program
    .command(usage)
    .description(description)
    .option('--function <name>', 'name of the function', functionName);

/** A subcommand that changes the function's code or versions. */
const changing = (usage: string, description: string) =>
  subcommand(usage, description)
    .option(
      '--bucket <name>',
      "bucket for uploaded code (default: cdk bootstrap's bucket in the function's account and region)",
    )
    .addOption(jsonOption());

addQuestion(subcommand('ask', 'Ask the deployed function a question, bypassing the HTTP endpoint.'))
  .option('--qualifier <version>', 'version or alias (default: live)')
  .examples(
    'npm run remote -- ask "May I be imprisoned without a trial?" -k 5',
    'npm run remote -- ask "Was kostet der Versand?" --lang de --filter year=2026 --qualifier 7',
  )
  .action(async (question: string, flags: Target & QuestionFlags & { qualifier?: string }) => {
    const request = await readQuestion(question, flags);
    const { answer, report } = await ask(target(flags), request, flags.qualifier);
    print(flags.json, { answer, report }, () => `${readable(answer)}\n\n${describeReport(report)}`);
    process.exitCode = VERDICT_CODES[answer.verdict];
  });

changing('push', 'Publish an index as a new version, test it, make it live, and delete old versions.')
  .addOption(indexOption(index))
  .option(
    '--ask <question>',
    'question that the new version must answer (repeatable)',
    (question: string, before: string[]) => [...before, question],
    [],
  )
  .addOption(keepOption())
  .examples('npm run remote -- push --ask "May I be imprisoned without a trial?"')
  .action(async (flags: Target & { index: string; ask: string[]; keep: number }) => {
    // Only push needs the code that packages. The other commands start faster without it, and run on more systems.
    const { push } = await import('../infra/remote/push.ts');
    deferInterrupts();
    const outcome = await push(target(flags), flags.index, flags.ask, flags.keep);
    const { message, pruned } = outcome;
    const hasNews = pruned && pruned.deleted.length + pruned.failures.length > 0;
    print(flags.json, outcome, () => (hasNews ? `${message}\n${describePruned(pruned)}` : message));
  });

changing(
  'rollback [version]',
  'Make an older version live (default: the newest one before the live version).',
)
  .examples('npm run remote -- rollback', 'npm run remote -- rollback 7 --json')
  .action(async (version: string | undefined, flags: Target) => {
    deferInterrupts();
    const outcome = await rollback(target(flags), version);
    print(flags.json, outcome, () => outcome.message);
  });

changing('prune', 'Delete old versions and their uploads. Keeps the newest ones, and those with an alias.')
  .addOption(keepOption())
  .option('--dry-run', 'show the result without deleting anything')
  .examples('npm run remote -- prune --keep 3', 'npm run remote -- prune --dry-run')
  .action(async (flags: Target & { keep: number; dryRun?: boolean }) => {
    deferInterrupts();
    const pruned = await prune(target(flags), flags.keep, flags.dryRun);
    print(flags.json, pruned, () => describePruned(pruned));
    if (pruned.failures.length > 0) process.exitCode = 1;
  });

subcommand('versions', 'List the versions, newest first.')
  .addOption(jsonOption())
  .examples('npm run remote -- versions')
  .action(async (flags: Target) => {
    const versions = await listVersions(target(flags));
    print(flags.json, versions, () => versionTable(versions));
  });

function readContext(): { stack?: string; functionName?: string; index?: string } {
  const path = fileURLToPath(new URL('../cdk.json', import.meta.url));
  const { context } = JSON.parse(readFileSync(path, 'utf8')) as { context: ReturnType<typeof readContext> };
  return context;
}

/** `--keep` of the commands that delete old versions. */
function keepOption(): Option {
  return new Option('--keep <n>', 'number of versions to keep')
    .argParser(numberOption('--keep', 1, 1000, 'a whole number'))
    .default(DEFAULT_KEEP);
}

function target({ function: name, bucket }: Target): Remote {
  return connect({ functionName: name, bucket, step });
}

let interrupted = false;

/** From now on, an interrupt waits for the end of a step, so that the command can undo its changes. A second interrupt exits at once. */
function deferInterrupts(): void {
  process.removeAllListeners('SIGINT');
  process.once('SIGINT', () => {
    interrupted = true;
    process.once('SIGINT', () => process.exit(130));
    console.error('Interrupted: stopping after this step. Interrupt again to exit at once.');
  });
}

/** Runs a step, and reports its name and duration on standard error. */
async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  if (interrupted) {
    // Only once: undoing has steps too.
    interrupted = false;
    process.once('exit', () => {
      process.exitCode = 130;
    });
    throw new Interrupted();
  }
  const started = performance.now();
  const result = await run();
  console.error(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

await main(() => program.parseAsync());
