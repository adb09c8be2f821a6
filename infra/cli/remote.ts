import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { main, numberOption } from '../../index/cli/main.ts';
import { readable } from '../../index/cli/readable.ts';
import { ask } from '../remote/ask.ts';
import { connect, type Remote } from '../remote/connect.ts';
import { describeReport } from '../remote/report.ts';
import { rollback } from '../remote/rollback.ts';
import { listVersions, versionTable } from '../remote/versions.ts';

interface Target {
  function?: string;
  bucket?: string;
}

/** What cdk.json says, so that these commands mean the function that `cdk deploy` deploys, and the index. */
const { stack = 'polyseek', functionName = stack, index = 'build/index' } = readContext();

const program = new Command('npm run remote --').description('Look after a deployed function.');

/** A command with the flags that all have. */
const subcommand = (usage: string, does: string) =>
  program.command(usage).description(does).option('--function <name>', 'name of the function', functionName);

/** A command that changes the function's code. */
const changing = (usage: string, does: string) =>
  subcommand(usage, does).option(
    '--bucket <name>',
    "bucket to upload code to; without it, cdk bootstrap's of the function's account and region",
  );

subcommand('ask <question>', 'Ask the deployed function a question, past its endpoint.')
  .option('-k <n>', 'how many results', numberOption('-k', 1, 100, 'a whole number'), 3)
  .option('--lang <tag...>', 'only passages in these languages')
  .option('--version <n>', 'version to ask; without it, the one that is live')
  .option('--json', "print the answer as HTTP gives it, and Lambda's report")
  .action(async (query: string, options: Target & AskOptions) => {
    const { k, lang, version: qualifier, json } = options;
    const { answer, report } = await ask(target(options), { query, k, lang, qualifier });
    console.log(
      json ? JSON.stringify({ answer, report }, null, 2) : `${readable(answer)}\n\n${describeReport(report)}`,
    );
  });

interface AskOptions {
  k: number;
  lang?: string[];
  version?: string;
  json?: boolean;
}

changing('push', 'Make an index live, as a new version that has passed a smoke test.')
  .option('--index <dir>', 'folder of the index', index)
  .option('--ask <question...>', 'questions that the new version must answer', [])
  .action(async (options: Target & { index: string; ask: string[] }) => {
    // Only here is code needed that builds: the others start quickly, and run where it doesn't.
    const { push } = await import('../remote/push.ts');
    console.log(await push(target(options), options.index, options.ask));
  });

changing(
  'rollback [version]',
  'Make an older version live: this one, or the newest that is older than the live one.',
).action(async (version: string | undefined, options: Target) => {
  console.log(await rollback(target(options), version));
});

subcommand('versions', 'List the versions, newest first.')
  .option('--json', 'print them as JSON')
  .action(async (options: Target & { json?: boolean }) => {
    const versions = await listVersions(target(options));
    console.log(options.json ? JSON.stringify(versions, null, 2) : versionTable(versions));
  });

program.addHelpText('after', '\nExample:\n  npm run remote -- ask "May I be imprisoned without a trial?"');

function readContext(): { stack?: string; functionName?: string; index?: string } {
  const path = fileURLToPath(new URL('../../cdk.json', import.meta.url));
  const { context } = JSON.parse(readFileSync(path, 'utf8')) as { context: ReturnType<typeof readContext> };
  return context;
}

function target({ function: functionName = '', bucket }: Target): Remote {
  return connect({ functionName, bucket, step });
}

/** Tells of a step when it is done: what, and how long it took. */
async function step<T>(what: string, run: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await run();
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

await main(() => program.parseAsync());
