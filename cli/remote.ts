import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ask } from '../infra/remote/ask.ts';
import { connect, type Remote } from '../infra/remote/connect.ts';
import { describeReport } from '../infra/remote/report.ts';
import { rollback } from '../infra/remote/rollback.ts';
import { listVersions, versionTable } from '../infra/remote/versions.ts';
import { readable } from './kit/answer-text.ts';
import { main, print, Tool, UNANSWERED } from './kit/command.ts';
import { addQuestion, indexOption, jsonOption, type QuestionFlags, readQuestion } from './kit/flags.ts';

interface Target {
  function: string;
  bucket?: string;
  json?: boolean;
}

/** What cdk.json says, so that these commands mean the function that `cdk deploy` deploys, and the index. */
const { stack = 'polyseek', functionName = stack, index = 'build/index' } = readContext();

const program = new Tool('npm run remote --', 'Look after a deployed function.')
  .helpCommand('help [command]', 'print the help of a command')
  .examples(
    'npm run remote -- ask "May I be imprisoned without a trial?"',
    'npm run remote -- push --index build/index --ask "May I be imprisoned without a trial?"',
    'npm run remote -- rollback',
  );

/** A command with the flags that all have. */
const subcommand = (usage: string, does: string) =>
  program.command(usage).description(does).option('--function <name>', 'name of the function', functionName);

/** A command that changes the function's code. */
const changing = (usage: string, does: string) =>
  subcommand(usage, does)
    .option(
      '--bucket <name>',
      "bucket to upload code to; without it, cdk bootstrap's of the function's account and region",
    )
    .addOption(jsonOption());

addQuestion(subcommand('ask', 'Ask the deployed function a question, past its endpoint.'))
  .option('--qualifier <version>', 'version or alias to ask; without it, the one that is live')
  .examples(
    'npm run remote -- ask "May I be imprisoned without a trial?" -k 5',
    'npm run remote -- ask "Was kostet der Versand?" --lang de --filter year=2026 --qualifier 7',
  )
  .action(async (question: string, flags: Target & QuestionFlags & { qualifier?: string }) => {
    const request = await readQuestion(question, flags);
    const { answer, report } = await ask(target(flags), request, flags.qualifier);
    print(flags.json, { answer, report }, () => `${readable(answer)}\n\n${describeReport(report)}`);
    if (!answer.answered) process.exitCode = UNANSWERED;
  });

changing('push', 'Make an index live, as a new version that has passed a smoke test.')
  .addOption(indexOption(index))
  .option(
    '--ask <question>',
    'question that the new version must answer; repeat for several',
    (question: string, before: string[]) => [...before, question],
    [],
  )
  .examples('npm run remote -- push --ask "May I be imprisoned without a trial?"')
  .action(async (flags: Target & { index: string; ask: string[] }) => {
    // Only here is code needed that builds: the others start quickly, and run where it doesn't.
    const { push } = await import('../infra/remote/push.ts');
    heedInterrupts();
    const outcome = await push(target(flags), flags.index, flags.ask);
    print(flags.json, outcome, () => outcome.message);
  });

changing(
  'rollback [version]',
  'Make an older version live: this one, or the newest that is older than the live one.',
)
  .examples('npm run remote -- rollback', 'npm run remote -- rollback 7 --json')
  .action(async (version: string | undefined, flags: Target) => {
    heedInterrupts();
    const outcome = await rollback(target(flags), version);
    print(flags.json, outcome, () => outcome.message);
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

function target({ function: name, bucket }: Target): Remote {
  return connect({ functionName: name, bucket, step });
}

let interrupted = false;

/** From here on an interrupt waits for the end of a step, so that what was changed can be undone; a second one doesn't wait. */
function heedInterrupts(): void {
  process.removeAllListeners('SIGINT');
  process.once('SIGINT', () => {
    interrupted = true;
    process.once('SIGINT', () => process.exit(130));
    console.error('Interrupted: stopping after this step. Interrupt again to leave things as they are.');
  });
}

/** Does a step and tells of it on standard error: what, and how long it took. */
async function step<T>(what: string, run: () => Promise<T>): Promise<T> {
  if (interrupted) {
    // Once: undoing has steps too.
    interrupted = false;
    process.once('exit', () => {
      process.exitCode = 130;
    });
    throw new Error('Interrupted.');
  }
  const started = performance.now();
  const result = await run();
  console.error(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

await main(() => program.parseAsync());
