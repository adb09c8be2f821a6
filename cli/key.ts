import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import {
  type ApiKeySetting,
  BROWSER_KEY,
  digestOf,
  isKeyName,
  isOrigin,
  nameExpected,
  SECRET_KEY,
  toApiKeys,
} from '../functions/search/auth.ts';
import { BROWSER_PREFIX } from '../functions/search/paths.ts';
import { codeOf } from '../index/format/writable.ts';
import { parseJson } from '../index/kit/json.ts';
import { checkEnvironment } from '../infra/function-environment.ts';
import { formatJson, print, Tool, UsageError } from './kit/command.ts';
import { jsonOption, repeatable, wrongValue } from './kit/flags.ts';

interface Flags {
  origin?: string[];
  collection?: string[];
  group?: string[];
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
    repeatable(readOrigin),
  )
  .option('--collection <name>', 'let the key use only this collection (repeatable)', repeatable(String))
  .option(
    '--group <name>',
    'let the key read documents restricted to this group (repeatable)',
    repeatable(String),
  )
  .option('--stage <name>', 'add the key to context.stages.NAME.apiKeys')
  .option('--file <path>', 'file with the digests', 'cdk.json')
  .addOption(jsonOption())
  .examples(
    'npx polyseek key chatbot > chatbot.key',
    'npx polyseek key website --origin https://www.example.com',
  )
  .action((name: string, flags: Flags) => {
    const { origin: origins, collection: collections, group: groups, stage, file, json } = flags;
    if (origins && groups)
      throw new UsageError(
        '--group does not go with --origin: everyone can read a browser key in its page, and with it the documents of the group.',
      );
    const key = newKey(origins !== undefined);
    const digest = digestOf(key).toString('hex');
    const limits = limitsOf({ origins, collections, groups });
    replace(file, addKey(read(file), file, { name, digest, ...limits, stage }));
    print(json, { name, key, digest, ...limits, ...(stage !== undefined && { stage }) }, () => key);
    console.error(describe(file, origins, stage));
  });

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
  throw wrongValue('--origin', text, 'an origin such as https://www.example.com, without a path');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new Error(
      `${file} does not exist. Run this command in the folder of cdk.json, or pass its path with --file.`,
    );
  }
}

function replace(file: string, text: string): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A new API key: 256 random bits, with a prefix that scanners for leaked secrets recognise. */
export const newKey = (browser: boolean) =>
  (browser ? BROWSER_KEY : SECRET_KEY) + randomBytes(32).toString('base64url');

type Json = Record<string, unknown>;

function asObject(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new Error(`${what} is not a JSON object. Repair it first.`);
}

/** A new key: its SHA-256 as 64 hexadecimal digits, its limits, and its stage if it is one of `context.stages` alone. */
export interface NewKey {
  name: string;
  digest: string;
  origins?: string[] | undefined;
  collections?: string[] | undefined;
  groups?: string[] | undefined;
  stage?: string | undefined;
}

/**
 * Adds a key to the text of a cdk.json and leaves everything else unchanged. `file` is its name, for errors.
 * @throws if the text is not a cdk.json, the name is wrong or taken, the stage or a collection does not exist, or the keys exceed Lambda's limit
 */
export function addKey(text: string, file: string, key: NewKey): string {
  const { name, stage, collections = [] } = key;
  if (!isKeyName(name)) throw new Error(`Wrong name ${JSON.stringify(name)}: expected ${nameExpected}.`);
  const config = parseJson(text);
  if (config === undefined) throw new Error(`${file} is not valid JSON. Repair it first.`);
  const root = asObject(config, file);
  const context = asObject(root.context ?? {}, `context of ${file}`);
  let settings = context;
  if (stage !== undefined) {
    const stages = asObject(context.stages ?? {}, `context.stages of ${file}`);
    // `__proto__` is a name like any other.
    if (!Object.hasOwn(stages, stage)) throw missing(file, 'stage', stage, Object.keys(stages), '{}');
    settings = asObject(stages[stage], `context.stages.${stage} of ${file}`);
  }
  // A key of a collection that does not exist could use nothing.
  const known = [context, settings].flatMap((one) =>
    Object.keys(asObject(one.collections ?? {}, `collections of ${file}`)),
  );
  const unknown = collections.find((one) => !known.includes(one));
  if (unknown !== undefined) throw missing(file, 'collection', unknown, [...new Set(known)], '"FOLDER"');
  const place = stage === undefined ? 'context' : `context.stages.${stage}`;
  settings.apiKeys = addTo(settings.apiKeys ?? {}, `${place}.apiKeys of ${file}`, key);
  return formatJson({ ...root, context });
}

function missing(file: string, kind: string, name: string, known: string[], example: string): Error {
  const remedy =
    known.length > 0
      ? `${kind[0]!.toUpperCase()}${kind.slice(1)}s: ${known.join(', ')}.`
      : `Add it as "${kind}s": {"${name}": ${example}} in context.`;
  return new Error(`${file} has no ${kind} ${JSON.stringify(name)}. ${remedy}`);
}

/** The limits that a key has. */
const limitsOf = ({ origins, collections, groups }: Pick<NewKey, 'origins' | 'collections' | 'groups'>) => ({
  ...(origins && { origins }),
  ...(collections && { collections }),
  ...(groups && { groups }),
});

function addTo(keys: unknown, where: string, { name, digest, ...key }: NewKey): object {
  if (toApiKeys(keys, where).has(name))
    throw new Error(
      `A key "${name}" already exists. To rotate it: create a key with a new name, deploy, switch the callers, delete "${name}" from ${where}, and deploy again.`,
    );
  const limits = limitsOf(key);
  const setting: ApiKeySetting = Object.keys(limits).length > 0 ? { sha256: digest, ...limits } : digest;
  // A computed property name is safe even for "__proto__".
  const all = { ...asObject(keys, where), [name]: setting };
  checkEnvironment({ API_KEYS: JSON.stringify(all) });
  return all;
}
