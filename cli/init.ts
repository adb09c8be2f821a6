import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, posix, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONFIG_FILE, readConfig } from '../index/ingest/sources/config.ts';
import { formatJson, print, Tool } from './kit/command.ts';
import { jsonOption } from './kit/flags.ts';

/** The program of the project. Without `--no-install`, npx would offer to run the package of this name in the registry, whoever owns it. */
const PROGRAM = 'npx --no-install polyseek';
const WORKFLOW = '.github/workflows/polyseek.yml';
const IGNORED = ['.polyseek/', 'cdk.out/', 'node_modules/'];

/** The settings of CDK that `cdk init` would write too, and those of polyseek. `cdk.json` of this repository has the same. */
const CDK = {
  app: `${PROGRAM} cdk-app`,
  notices: false,
  context: {
    stack: 'polyseek',
    index: '.polyseek/index',
    architecture: 'x86_64',
    auth: 'api-key',
    apiKeys: {},
    'cli-telemetry': false,
    '@aws-cdk/core:validateAgainstDefaultRules': true,
    '@aws-cdk/core:enablePartitionLiterals': true,
    '@aws-cdk/core:target-partitions': ['aws'],
    '@aws-cdk/aws-iam:minimizePolicies': true,
    '@aws-cdk/aws-lambda:recognizeLayerVersion': true,
  },
};

type Initialized = { file: string; state: 'written' | 'changed' | 'kept' };

export const command = new Tool(
  'init',
  'Write polyseek.config.json, cdk.json, a GitHub Actions workflow and lines of .gitignore. Keeps every file that exists.',
)
  .argument(
    '[docs-path]',
    'file or folder with your documents (default: docs), or s3://bucket/prefix to build the index in AWS',
  )
  .addOption(jsonOption())
  .examples('npx polyseek init docs', 'npx polyseek init s3://my-bucket/docs', 'npx polyseek init --json')
  .action((path: string | undefined, { json }: { json?: boolean }) => {
    const files = initialize(path ?? 'docs');
    const next = path && isAddress(path) ? STEPS_IN_AWS : nextSteps();
    print(json, { files, next }, () => {
      const written = files.map(({ file, state }) => `${state.padEnd(8)} ${file}`);
      return [...written, '', 'Next:', ...next.map((step, i) => `${i + 1}. ${step}`)].join('\n');
    });
  });

/** Writes the files of a project into the current folder. Overwrites none. AWS builds from an address `s3://…`, without a workflow. */
export function initialize(documents: string): Initialized[] {
  const inBucket = isAddress(documents);
  const source = inBucket ? { s3: documents } : documents.split(sep).join('/');
  const config = { ...schemaReference(), sources: [source] };
  const cdk = inBucket ? { ...CDK, context: { documents, ...CDK.context } } : CDK;
  return [
    write(CONFIG_FILE, () => formatJson(config)),
    write('cdk.json', () => formatJson(cdk)),
    ...(inBucket ? [] : [write(WORKFLOW, () => workflow(triggers()))]),
    ignore(),
  ];
}

const isAddress = (documents: string) => documents.startsWith('s3://');

function write(file: string, content: () => string): Initialized {
  if (existsSync(file)) return { file, state: 'kept' };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content(), { flag: 'wx' });
  return { file, state: 'written' };
}

function ignore(): Initialized {
  const file = '.gitignore';
  const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  const lines = new Set(before?.split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, '')));
  const missing = IGNORED.filter((line) => !lines.has(line.replace(/\/$/, '')));
  if (missing.length === 0) return { file, state: 'kept' };
  const start = before === undefined || before === '' || before.endsWith('\n') ? '' : '\n';
  writeFileSync(file, `${start}${missing.join('\n')}\n`, { flag: 'a' });
  return { file, state: before === undefined ? 'written' : 'changed' };
}

/** `$schema` of the config file, if polyseek is installed in this project and has the schema. */
function schemaReference(): { $schema?: string } {
  const file = fileURLToPath(new URL('../docs/polyseek.schema.json', import.meta.url));
  const path = relative('.', file).split(sep).join('/');
  return existsSync(file) && !path.startsWith('..') ? { $schema: `./${path}` } : {};
}

/** Patterns of the files that the index depends on. Undefined if a source is outside this folder. */
function triggers(): string[] | undefined {
  const { sources = [] } = readConfig();
  const paths = sources.flatMap((source) => {
    if (typeof source === 'string') return [source];
    return 'path' in source ? [source.path] : [];
  });
  const patterns = paths.map((path) => {
    const inside = relative('.', resolve(path)).split(sep).join('/');
    const isFile = existsSync(path) && statSync(path).isFile();
    return isFile ? inside : posix.join(inside, '**');
  });
  if (patterns.some((pattern) => pattern.startsWith('..'))) return undefined;
  return [...patterns, CONFIG_FILE, 'package-lock.json', WORKFLOW];
}

function nextSteps(): string[] {
  const { sources = [] } = readConfig();
  const [missing] = sources.filter((source) => typeof source === 'string' && !existsSync(source));
  const installs = existsSync('package.json') && /"polyseek"/.test(readFileSync('package.json', 'utf8'));
  const install =
    'npm install --save-dev ./polyseek-VERSION.tgz   (from npm run pack; commit the file, as the workflow runs npm ci)';
  return [
    ...(installs ? [] : [install]),
    ...(missing ? [`Put your documents in ${missing}, or change sources in ${CONFIG_FILE}.`] : []),
    'npx polyseek index    builds the index',
    'npx polyseek start    searches it in a browser',
    'npx polyseek deploy   deploys it to AWS; asks for what is missing',
    `For ${WORKFLOW}: set the variables POLYSEEK_ROLE and AWS_REGION of the repository, as the file says.`,
    ...(existsSync('.git') ? [] : rootSteps()),
  ];
}

const STEPS_IN_AWS = [
  'In the properties of the bucket, turn on Amazon EventBridge.',
  'npx polyseek deploy          deploys to AWS; asks for what is missing',
  'npx polyseek remote builds   lists the builds; the first one starts after the deploy',
];

/** GitHub reads workflows at the root of a repository only. */
function rootSteps(): string[] {
  for (let folder = dirname(resolve('.')); folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(resolve(folder, '.git')))
      return [
        `Move ${WORKFLOW} to ${folder}, where GitHub reads it. Set defaults.run.working-directory to ${relative(folder, '.')} there, and add it to its paths.`,
      ];
  return [];
}

/** Actions of the workflow, by commit. `.github/workflows/ci.yml` uses the same first two. */
const ACTIONS = {
  checkout: 'actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0',
  setupNode: 'actions/setup-node@a0853c24544627f65ddf259abe73b1d18a591444 # v5.0.0',
  cache: 'actions/cache@cdf6c1fa76f9f475f3d7449005a359c84ca0f306 # v5.0.3',
};

/** A GitHub Actions workflow that makes a new index live when files of these patterns change, or else on every push. */
export function workflow(paths: readonly string[] | undefined): string {
  const filter = paths ? `\n    paths: [${paths.map((path) => JSON.stringify(path)).join(', ')}]` : '';
  return `# Builds the index and makes it live when the documents change. polyseek init wrote this file. You may edit it.
#
# It needs two variables of the repository (Settings, Secrets and variables, Actions, Variables), and no secret:
#   POLYSEEK_ROLE  output PushRole of the stack, after a deploy with "githubRepository" in cdk.json. Its value is what this
#                  command prints after repo: gh api repos/OWNER/NAME/actions/oidc/customization/sub --jq .sub_claim_prefix
#   AWS_REGION     region of the deployed function, such as eu-central-1
name: polyseek

on:
  push:
    branches: [main]${filter}
  workflow_dispatch:

permissions:
  contents: read
  id-token: write

concurrency: polyseek

jobs:
  push:
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    steps:
      - uses: ${ACTIONS.checkout}
        with:
          persist-credentials: false
      - uses: ${ACTIONS.setupNode}
        with:
          node-version: 22
          cache: npm
      - run: npm ci
      # Each build saves its cache under a new key, and reads the newest one.
      - uses: ${ACTIONS.cache}
        with:
          path: .polyseek/cache
          key: polyseek-\${{ github.run_id }}-\${{ github.run_attempt }}
          restore-keys: polyseek-
      - name: Build the index
        # Exit code 4: the index was built, but some files failed. The log lists them.
        run: ${PROGRAM} index || [ $? -eq 4 ]
      # Last, as the token is valid for minutes. The AWS SDK exchanges it for credentials.
      - name: Get an OIDC token
        env:
          ROLE: \${{ vars.POLYSEEK_ROLE }}
          REGION: \${{ vars.AWS_REGION }}
        run: |
          if [ -z "$ROLE" ] || [ -z "$REGION" ]; then
            echo "::error::Set the variables POLYSEEK_ROLE and AWS_REGION of this repository."
            exit 1
          fi
          umask 077
          curl --silent --show-error --fail --retry 3 --header "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
            "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" --output "$RUNNER_TEMP/oidc.json"
          # The SDK sends the file as it is, so that it must not end with a line feed.
          node --eval 'process.stdout.write(require(process.env.RUNNER_TEMP + "/oidc.json").value)' > "$RUNNER_TEMP/oidc.jwt"
          {
            echo "AWS_WEB_IDENTITY_TOKEN_FILE=$RUNNER_TEMP/oidc.jwt"
            echo "AWS_ROLE_ARN=$ROLE"
            echo "AWS_ROLE_SESSION_NAME=polyseek-$GITHUB_RUN_ID"
            echo "AWS_REGION=$REGION"
          } >> "$GITHUB_ENV"
      - name: Make the index live
        run: ${PROGRAM} push
`;
}
