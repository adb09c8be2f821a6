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
import { formatJson, print, Tool } from './kit/command.ts';
import { jsonOption, wrongValue } from './kit/flags.ts';

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

/** A new API key: 256 random bits, with a prefix that scanners for leaked secrets recognise. */
export const newKey = (browser: boolean) =>
  (browser ? BROWSER_KEY : SECRET_KEY) + randomBytes(32).toString('base64url');

type Json = Record<string, unknown>;

function asObject(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new Error(`${what} is not a JSON object. Repair it first.`);
}

export interface NewKey {
  name: string;
  /** SHA-256 of the key, 64 lowercase hexadecimal digits. */
  digest: string;
  /** For a browser key: the origins of its pages. */
  origins?: string[] | undefined;
  /** Collections that it may use. Default: all, and the default index. */
  collections?: string[] | undefined;
  /** Adds the key to `context.stages.STAGE.apiKeys` instead of `context.apiKeys`. */
  stage?: string | undefined;
}

/**
 * Adds a key to a cdk.json and leaves everything else unchanged.
 * @param text content of the file
 * @param file its name, for errors
 * @returns the new content
 * @throws if the name is wrong or taken, if the stage or a collection does not exist, if the keys exceed Lambda's limit, or if the
 *   text is not a valid cdk.json
 */
export function addKey(text: string, file: string, key: NewKey): string {
  const { name, stage } = key;
  if (!isKeyName(name)) {
    throw new Error(`Wrong name ${JSON.stringify(name)}: expected ${nameExpected}.`);
  }
  const config = parseJson(text);
  if (config === undefined) throw new Error(`${file} is not valid JSON. Repair it first.`);
  const root = asObject(config, file);
  const context = asObject(root.context ?? {}, `context of ${file}`);
  const settings = stage === undefined ? context : findStage(context, stage, file);
  checkCollections(key, [context, settings], file);
  const place = stage === undefined ? 'context' : `context.stages.${stage}`;
  settings.apiKeys = addTo(settings.apiKeys ?? {}, `${place}.apiKeys of ${file}`, key);
  return formatJson({ ...root, context });
}

function findStage(context: Json, stage: string, file: string): Json {
  const stages = asObject(context.stages ?? {}, `context.stages of ${file}`);
  // `__proto__` is a name like any other.
  if (Object.hasOwn(stages, stage)) return asObject(stages[stage], `context.stages.${stage} of ${file}`);
  const names = Object.keys(stages).join(', ');
  throw new Error(
    `${file} has no stage ${JSON.stringify(stage)}. ` +
      (names ? `Stages: ${names}.` : `Add it as "stages": {"${stage}": {}} in context.`),
  );
}

/** Checks that a key's collections exist, as it could use nothing otherwise. */
function checkCollections({ collections = [] }: NewKey, settings: Json[], file: string): void {
  const all = settings.map((one) => asObject(one.collections ?? {}, `collections of ${file}`));
  const names = [...new Set(all.flatMap(Object.keys))];
  const unknown = collections.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new Error(
    `${file} has no collection ${JSON.stringify(unknown)}. ` +
      (names.length > 0
        ? `Collections: ${names.join(', ')}.`
        : `Add it as "collections": {"${unknown}": "FOLDER"} in context.`),
  );
}

function addTo(keys: unknown, where: string, { name, digest, origins, collections }: NewKey): object {
  if (toApiKeys(keys, where).has(name)) {
    throw new Error(
      `A key "${name}" already exists. To rotate it: create a key with a new name, deploy, switch the callers, delete "${name}" from ${where}, and deploy again.`,
    );
  }
  const setting: ApiKeySetting =
    origins || collections
      ? { sha256: digest, ...(origins && { origins }), ...(collections && { collections }) }
      : digest;
  // A computed property name is safe even for "__proto__".
  const all = { ...asObject(keys, where), [name]: setting };
  checkEnvironment({ API_KEYS: JSON.stringify(all) });
  return all;
}
