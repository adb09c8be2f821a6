import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { digestOf, isOrigin } from '../functions/search/auth.ts';
import { BROWSER_PREFIX } from '../functions/search/paths.ts';
import { addKey, newKey } from '../infra/keys.ts';
import { print, Tool, UsageError } from './kit/command.ts';
import { jsonOption } from './kit/flags.ts';

interface Flags {
  origin?: string[];
  collection?: string[];
  stage?: string;
  file: string;
  json?: boolean;
}

export const command = new Tool(
  'key',
  'Create an API key, print it, and add its SHA-256 digest to context.apiKeys of cdk.json. To revoke a key, delete it there and deploy.',
)
  .argument('<name>', 'name of the caller, used in cdk.json and in the log: 1 to 32 letters, digits, _ or -')
  .option(
    '--origin <origin>',
    'create a browser key, which only searches, for pages of this origin (repeatable)',
    (text: string, before: string[] = []) => [...before, readOrigin(text)],
  )
  .option(
    '--collection <name>',
    'let the key use only this collection (repeatable)',
    (text: string, before: string[] = []) => [...before, text],
  )
  .option('--stage <name>', 'add the key to context.stages.NAME.apiKeys')
  .option('--file <path>', 'file with the digests', 'cdk.json')
  .addOption(jsonOption())
  .examples(
    'npx polyseek key chatbot > chatbot.key',
    'npx polyseek key website --origin https://www.example.com',
  )
  .action((name: string, { origin: origins, collection: collections, stage, file, json }: Flags) => {
    const key = newKey(origins !== undefined);
    const digest = digestOf(key).toString('hex');
    const limits = { ...(origins && { origins }), ...(collections && { collections }) };
    replace(file, addKey(read(file), file, { name, digest, ...limits, stage }));
    print(json, { name, key, digest, ...limits, ...(stage !== undefined && { stage }) }, () => key);
    console.error(describe(file, origins, stage));
  });

/** What to do with a new key. */
function describe(file: string, origins: string[] | undefined, stage: string | undefined): string {
  const kept = `${file} contains only its digest.`;
  const works = `It works after the next npx polyseek deploy${stage === undefined ? '' : ` --stage ${stage}`}.`;
  if (!origins)
    return `Save this key now: ${kept} Send it in the header x-api-key, or as Authorization: Bearer KEY. ${works}`;
  return [
    `This is a browser key, for pages of ${origins.join(', ')}. ${kept} ${works}`,
    `Everyone can read it in the page. It can only search, at paths that start with ${BROWSER_PREFIX}, which have a throttle of their own. Browsers refuse it to pages of other origins, but a program can pretend to be a page. Index only documents that everyone may read, or limit the key with --collection.`,
  ].join('\n');
}

/** Reads an origin as browsers send it. Accepts the address of a site's root too. */
function readOrigin(text: string): string {
  const { origin, href } = URL.canParse(text) ? new URL(text) : { origin: '', href: '' };
  if (isOrigin(origin) && (href === origin || href === `${origin}/`)) return origin;
  throw new UsageError(
    `--origin is ${JSON.stringify(text)}, but must be an origin such as https://www.example.com, without a path.`,
  );
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error(
        `${file} does not exist. Run this command in the folder of cdk.json, or pass its path with --file.`,
      );
    }
    throw error;
  }
}

/** Replaces a file atomically. */
function replace(file: string, text: string): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}
