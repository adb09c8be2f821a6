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
import { exitOnInterrupt, print, Tool } from './kit/command.ts';
import { compareIndex, profileOption, stageOption, target } from './kit/deployed.ts';
import { jsonOption } from './kit/flags.ts';
import { findInstalled, missingPackages } from './kit/installed.ts';

interface Flags {
  stage?: string;
  profile?: string;
  input: boolean;
  json?: boolean;
}

type Outputs = Record<string, Record<string, string>>;

/** Whether there is a person who can answer questions. */
let canAsk = false;

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
    canAsk = input && !json && process.stdin.isTTY === true && process.stderr.isTTY === true;
    const flags = [
      ...(stage === undefined ? [] : ['-c', `stage=${stage}`]),
      ...(profile === undefined ? [] : ['--profile', profile]),
    ];
    await requireProject();
    await requirePackages();
    await requireIndex(stage);
    await requireKey(stage);
    await requireEnvironment(stage, flags);
    // AWS would refuse it at the end of a deploy.
    const excess = await findExcess(target({ stage }), readSettings(stage));
    if (excess) throw new Error(`${excess.found}. ${excess.fix}`);
    await requireNewest(stage);

    const folder = mkdtempSync(join(tmpdir(), 'polyseek-'));
    try {
      const file = join(folder, 'outputs.json');
      const approval = canAsk ? [] : ['--require-approval', 'never'];
      await cdk(['deploy', ...approval, '--outputs-file', file, ...flags, ...cdkArguments], json);
      const outputs: Outputs = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
      if (json) print(json, outputs, () => '');
      else for (const step of Object.values(outputs).flatMap(nextSteps)) console.error(`\n${step}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

function nextSteps({ Url, Documents, Index }: Record<string, string>): string[] {
  const steps = [
    Documents
      ? `Put documents into ${Documents}. npx polyseek remote builds lists the builds, and npx polyseek remote build starts one.`
      : Index && `Fill the index: npx polyseek index PATH --to ${Index}`,
    Url && `Ask it: npx polyseek search "QUESTION" --url ${Url.replace(/\/$/, '')}`,
  ];
  return steps.filter((step) => step !== undefined);
}

async function requireProject(): Promise<void> {
  if (existsSync('cdk.json')) return;
  const missing = 'There is no cdk.json in this folder.';
  await confirm(
    `${missing} Write it, with the other files of polyseek init?`,
    `${missing} Write it with npx polyseek init, or change to the folder that has it.`,
  );
  const question = 'Where are your documents (a folder, or s3://bucket/prefix)?';
  const paths = existsSync(CONFIG_FILE)
    ? []
    : [await ask(question, '', existsSync('docs') ? 'docs' : undefined)];
  await runCommand(import('./init.ts'), paths);
}

async function requirePackages(): Promise<void> {
  const missing = missingPackages();
  if (!missing) return;
  const question = `${missing.found}. Run npm ${missing.install.join(' ')}`;
  await confirm(`${question}?`, question);
  await run('npm', missing.install, 'npm install');
}

/** An index to package, unless AWS builds it, or S3 Vectors has it. */
async function requireIndex(stage: string | undefined): Promise<void> {
  const { index, documents, store } = readSettings(stage);
  if (documents || store === 's3vectors' || existsSync(locateFolder(index))) return;
  const { sources = [], index: target = DEFAULT_INDEX } = readConfig();
  const flags = index === target ? [] : ['--index', index];
  const missing = `There is no index in ${index}.`;
  const remedy = (...args: string[]) =>
    `${missing} Build it with ${['npx polyseek index', ...args, ...flags].join(' ')}`;
  const paths: string[] = [];
  if (sources.length > 0) await confirm(`${missing} Build it from the sources of ${CONFIG_FILE}?`, remedy());
  else paths.push(await ask(`${missing} Where are your documents?`, remedy('PATH')));
  await runCommand(import('./index.ts'), [...paths, ...flags]);
  // Some files may have failed, which the build has reported.
  process.exitCode = 0;
}

async function requireKey(stage: string | undefined): Promise<void> {
  const { auth, apiKeys } = readSettings(stage);
  if (auth !== 'api-key' || Object.keys(apiKeys).length > 0) return;
  const flags = stage === undefined ? [] : ['--stage', stage];
  const name = await ask(
    'Callers need an API key, and there is none. Name of its first user?',
    `auth is api-key, but there is no API key. Create one with npx polyseek key ${['NAME', ...flags].join(' ')}, or set auth in cdk.json.`,
    'me',
  );
  await runCommand(import('./key.ts'), [name, ...flags]);
}

/** Credentials, a region, and CDK's bucket in it. `flags` are for CDK. */
async function requireEnvironment(stage: string | undefined, flags: string[]): Promise<void> {
  const { bootstrapQualifier } = readSettings(stage);
  const { region, isBootstrapped } = await readEnvironment(target({ stage }), bootstrapQualifier);
  // If it is unknown, CDK checks.
  if (isBootstrapped !== false) return;
  const missing = `CDK has no bucket in ${region} yet.`;
  await confirm(
    `${missing} Create it with cdk bootstrap, once per account and region?`,
    `${missing} Create it with npx cdk bootstrap`,
  );
  await cdk(['bootstrap', ...flags]);
}

/** That the deploy replaces neither a newer index nor a version that is being tried. */
async function requireNewest(stage: string | undefined): Promise<void> {
  const compared = await ifKnown(() => compareIndex(readSettings(stage)));
  if (!compared) return;
  const { live, canary, local, isOlder } = compared;
  if (canary)
    throw new Error(
      `Version ${canary.version} gets ${canary.percent} % of requests, and a deploy moves live. First end that with npx polyseek push --promote or npx polyseek rollback.`,
    );
  if (!isOlder) return;
  const newer = `Version ${live.version} is live with index ${live.index?.version}, which was published after the index here (${local}) was built.`;
  await confirm(
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
  return run(process.execPath, [join(folder, 'bin/cdk'), ...args], `cdk ${args[0]}`, quiet);
}

/** Runs a program on this terminal until it ends. Throws if it fails; its own message is on the terminal. */
async function run(program: string, args: string[], name: string, quiet = false): Promise<void> {
  // An interrupt reaches the program too, which then cleans up.
  process.removeAllListeners('SIGINT').on('SIGINT', () => {});
  const child = spawn(program, args, {
    stdio: ['inherit', quiet ? 2 : 'inherit', 'inherit'],
    // npm is a script on Windows.
    shell: process.platform === 'win32' && program === 'npm',
  });
  const [code, signal] = await once(child, 'close');
  exitOnInterrupt();
  if (signal === 'SIGINT' || code === 130) process.exit(130);
  if (code !== 0) throw new Error(`${name} failed. Its messages above say why.`);
}

/** Asks the person at the terminal. An empty line means `fallback`. Throws the sentence `instead` if nobody can be asked. */
async function ask(question: string, instead: string, fallback?: string): Promise<string> {
  if (!canAsk) throw new Error(instead);
  const shown = fallback === undefined ? `${question} ` : `${question} [${fallback}] `;
  for (;;) {
    const answer = (await readAnswer(shown)).trim() || fallback;
    if (answer) return answer;
  }
}

/** Asks for consent. An empty line means `usual`. Throws the sentence `instead` if nobody can be asked, or the answer is no. */
async function confirm(question: string, instead: string, usual: 'y' | 'n' = 'y'): Promise<void> {
  const answer = await ask(`${question} (y/n)`, instead, usual);
  if (!/^y(es)?$/i.test(answer)) throw new Error(instead);
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
