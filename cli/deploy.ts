import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { findExcess, readEnvironment } from '../functions/deployed/account.ts';
import { ifKnown } from '../functions/deployed/connect.ts';
import { readSettings } from '../functions/deployed/settings.ts';
import { locateFolder } from '../index/format/drafts.ts';
import { DEFAULT_INDEX } from '../index/format/manifest.ts';
import { CONFIG_FILE, readConfig } from '../index/ingest/sources/config.ts';
import { print, Tool } from './kit/command.ts';
import { compareIndex, profileOption, stageOption, target } from './kit/deployed.ts';
import { jsonOption } from './kit/flags.ts';
import { CDK_PACKAGES, findInstalled, installCommand } from './kit/installed.ts';

interface Flags {
  stage?: string;
  profile?: string;
  input: boolean;
  json?: boolean;
}

type Outputs = Record<string, Record<string, string>>;

export const command = new Tool(
  'deploy',
  'Deploy to AWS with CDK. On a terminal, asks for what is missing: settings, documents, packages, an API key. Arguments after -- go to cdk deploy.',
)
  .argument('[cdk-args...]', 'arguments of cdk deploy, after --')
  .addOption(stageOption())
  .addOption(profileOption())
  .option('--no-input', 'ask nothing: fail if something is missing, and skip the approval of CDK')
  .addOption(jsonOption('print the outputs of the stack as JSON; implies --no-input'))
  .examples(
    'npx polyseek deploy',
    'npx polyseek deploy --stage prod',
    'npx polyseek deploy --no-input --json',
  )
  .action(async (cdkArguments: string[], { stage, profile, input, json }: Flags) => {
    const questions = new Questions(input && !json);
    await requireProject(questions);
    await requirePackages(questions);
    await requireIndex(questions, stage);
    await requireKey(questions, stage);
    const flags = [...context(stage), ...(profile === undefined ? [] : ['--profile', profile])];
    await requireEnvironment(questions, stage, flags);
    await requireConcurrency(stage);
    await requireNewest(questions, stage);

    const folder = mkdtempSync(join(tmpdir(), 'polyseek-'));
    try {
      const file = join(folder, 'outputs.json');
      const approval = questions.isPossible ? [] : ['--require-approval', 'never'];
      await cdk(['deploy', ...approval, '--outputs-file', file, ...flags, ...cdkArguments], json);
      const outputs: Outputs = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
      if (json) print(json, outputs, () => '');
      else
        for (const stack of Object.values(outputs)) for (const line of nextSteps(stack)) console.error(line);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

/** What to do with a deployed stack, by its outputs. */
function nextSteps({ Url, Documents, Index }: Record<string, string>): string[] {
  return [
    ...(Documents
      ? [
          `\nPut documents into ${Documents}. npx polyseek remote builds lists the builds, and npx polyseek remote build starts one.`,
        ]
      : Index
        ? [`\nFill the index: npx polyseek index PATH --to ${Index}`]
        : []),
    ...(Url ? [`\nAsk it: ${askCommand(Url)}`] : []),
  ];
}

const askCommand = (url: string) => `npx polyseek search "QUESTION" --url ${url.replace(/\/$/, '')}`;
const context = (stage: string | undefined) => (stage === undefined ? [] : ['-c', `stage=${stage}`]);

async function requireProject(questions: Questions): Promise<void> {
  if (existsSync('cdk.json')) return;
  await questions.confirm(
    'There is no cdk.json in this folder. Write it, with the other files of polyseek init?',
    'There is no cdk.json in this folder. Write it with npx polyseek init, or change to the folder that has it.',
  );
  const path = existsSync(CONFIG_FILE)
    ? undefined
    : await questions.ask(
        'Where are your documents (a folder, or s3://bucket/prefix)?',
        '',
        existsSync('docs') ? 'docs' : undefined,
      );
  await runCommand(import('./init.ts'), path === undefined ? [] : [path]);
}

async function requirePackages(questions: Questions): Promise<void> {
  const missing = CDK_PACKAGES.filter((name) => !findInstalled(name));
  if (missing.length === 0) return;
  const [program = '', ...rest] = installCommand(missing);
  const line = [program, ...rest].join(' ');
  const names = `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not installed.`;
  await questions.confirm(`${names} Run ${line}?`, `${names} Run ${line}`);
  await run(program, rest, { name: 'npm install' });
}

/** An index to package, unless AWS builds it, or S3 Vectors has it. */
async function requireIndex(questions: Questions, stage: string | undefined): Promise<void> {
  const { index, documents, store } = readSettings(stage);
  if (documents || store === 's3vectors' || existsSync(locateFolder(index))) return;
  const { sources = [], index: target = DEFAULT_INDEX } = readConfig();
  const flags = index === target ? [] : ['--index', index];
  const missing = `There is no index in ${index}.`;
  const paths: string[] = [];
  if (sources.length > 0) {
    await questions.confirm(
      `${missing} Build it from the sources of ${CONFIG_FILE}?`,
      `${missing} Build it with ${['npx polyseek index', ...flags].join(' ')}`,
    );
  } else {
    paths.push(
      await questions.ask(
        `${missing} Where are your documents?`,
        `${missing} Build it with ${['npx polyseek index PATH', ...flags].join(' ')}`,
      ),
    );
  }
  await runCommand(import('./index.ts'), [...paths, ...flags]);
  // Some files may have failed, which the build has reported.
  process.exitCode = 0;
}

async function requireKey(questions: Questions, stage: string | undefined): Promise<void> {
  const { auth, apiKeys } = readSettings(stage);
  if (auth !== 'api-key' || Object.keys(apiKeys).length > 0) return;
  const flags = stage === undefined ? [] : ['--stage', stage];
  const name = await questions.ask(
    'Callers need an API key, and there is none. Name of its first user?',
    `auth is api-key, but there is no API key. Create one with npx polyseek key ${['NAME', ...flags].join(' ')}, or set auth in cdk.json.`,
    'me',
  );
  await runCommand(import('./key.ts'), [name, ...flags]);
}

/**
 * Credentials, a region, and CDK's bucket in it.
 * @param flags for CDK
 */
async function requireEnvironment(
  questions: Questions,
  stage: string | undefined,
  flags: string[],
): Promise<void> {
  const { bootstrapQualifier } = readSettings(stage);
  const { region, isBootstrapped } = await readEnvironment(target({ stage }), bootstrapQualifier);
  // If it is unknown, CDK checks.
  if (isBootstrapped !== false) return;
  const missing = `CDK has no bucket in ${region} yet.`;
  await questions.confirm(
    `${missing} Create it with cdk bootstrap, once per account and region?`,
    `${missing} Create it with npx cdk bootstrap`,
  );
  await cdk(['bootstrap', ...flags]);
}

/** The concurrent runs that the function takes from the account: AWS would refuse it at the end of a deploy. */
async function requireConcurrency(stage: string | undefined): Promise<void> {
  const excess = await findExcess(target({ stage }), readSettings(stage));
  if (excess) throw new Error(`${excess.found}. ${excess.fix}`);
}

/** That the deploy replaces neither a newer index nor a version that is being tried. */
async function requireNewest(questions: Questions, stage: string | undefined): Promise<void> {
  const compared = await ifKnown(() => compareIndex(readSettings(stage)));
  if (!compared) return;
  const { live, canary, local, isOlder } = compared;
  if (canary)
    throw new Error(
      `Version ${canary.version} gets ${canary.percent} % of requests, and a deploy moves live. First end that with npx polyseek push --promote or npx polyseek rollback.`,
    );
  if (!isOlder) return;
  const newer = `Version ${live.version} is live with index ${live.index?.version}, which was published after the index here (${local}) was built.`;
  await questions.confirm(
    `${newer} Deploy, which makes the older index live?`,
    `${newer} Build the index again with npx polyseek index, or make the older one live with npx cdk deploy.`,
    'n',
  );
}

/** Runs another command of polyseek, as if it was typed. */
async function runCommand(module: Promise<{ command: Tool }>, args: string[]): Promise<void> {
  await (await module).command.parseAsync(args, { from: 'user' });
}

/** @param quiet keeps standard output free for a result */
function cdk(args: string[], quiet = false): Promise<void> {
  const { folder } = findInstalled('aws-cdk')!;
  return run(process.execPath, [join(folder, 'bin/cdk'), ...args], { name: `cdk ${args[0]}`, quiet });
}

/**
 * Runs a program on this terminal until it ends.
 * @throws if it fails. Its own message is on the terminal.
 */
async function run(
  program: string,
  args: string[],
  { name, quiet = false }: { name: string; quiet?: boolean },
): Promise<void> {
  // An interrupt reaches the program too, which then cleans up.
  process.removeAllListeners('SIGINT').on('SIGINT', () => {});
  const child = spawn(program, args, {
    stdio: ['inherit', quiet ? 2 : 'inherit', 'inherit'],
    // npm is a script on Windows.
    shell: process.platform === 'win32' && program === 'npm',
  });
  const [code, signal] = await once(child, 'close');
  process.removeAllListeners('SIGINT').on('SIGINT', () => process.exit(130));
  if (signal === 'SIGINT' || code === 130) process.exit(130);
  if (code !== 0) throw new Error(`${name} failed. Its messages above say why.`);
}

/** Asks the person at the terminal. Without one, each question fails with the sentence that says what to do instead. */
class Questions {
  readonly isPossible: boolean;

  /** @param isAllowed false for `--no-input` */
  constructor(isAllowed: boolean) {
    this.isPossible = isAllowed && process.stdin.isTTY === true && process.stderr.isTTY === true;
  }

  /**
   * Asks for a text.
   * @param instead the error's message if nobody can be asked
   * @param fallback the answer to an empty line
   */
  async ask(question: string, instead: string, fallback?: string): Promise<string> {
    if (!this.isPossible) throw new Error(instead);
    const shown = fallback === undefined ? `${question} ` : `${question} [${fallback}] `;
    for (;;) {
      const answer = (await readAnswer(shown)).trim() || fallback;
      if (answer) return answer;
    }
  }

  /**
   * Asks for consent.
   * @param usual the answer to an empty line
   * @param instead the error's message if nobody can be asked, or the answer is no
   */
  async confirm(question: string, instead: string, usual: 'y' | 'n' = 'y'): Promise<void> {
    const answer = await this.ask(`${question} (y/n)`, instead, usual);
    if (!/^y(es)?$/i.test(answer)) throw new Error(instead);
  }
}

/** Reads a line from the terminal. Ctrl-C and Ctrl-D exit like an interrupt. */
async function readAnswer(shown: string): Promise<string> {
  // Standard output is for results.
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const interrupted = () => {
    console.error();
    process.exit(130);
  };
  lines.once('SIGINT', interrupted).once('close', interrupted);
  const answer = await lines.question(shown);
  lines.removeListener('close', interrupted).close();
  return answer;
}
