import { randomBytes } from 'node:crypto';
import {
  type ApiKeySetting,
  BROWSER_KEY,
  isKeyName,
  nameExpected,
  SECRET_KEY,
  toApiKeys,
} from '../functions/search/auth.ts';

/** Lambda's quota for all environment variables of a function together, in bytes of their JSON. */
const ENVIRONMENT_LIMIT = 4096;

/** A new API key: 256 random bits, with a prefix that scanners for leaked secrets recognise. */
export const newKey = (browser: boolean) =>
  (browser ? BROWSER_KEY : SECRET_KEY) + randomBytes(32).toString('base64url');

/**
 * Checks that Lambda accepts environment variables.
 * @throws with their sizes and the remedy if they are too large
 */
export function checkEnvironment(variables: Readonly<Record<string, string>>): void {
  const bytesOf = (value: object) => Buffer.byteLength(JSON.stringify(value));
  const bytes = bytesOf(variables);
  if (bytes <= ENVIRONMENT_LIMIT) return;
  const largest = Object.entries(variables)
    .map(([name, value]) => ({ name, bytes: bytesOf({ [name]: value }) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
    .map(({ name, bytes }) => `${name} ${bytes}`);
  throw new Error(
    `The function's environment has ${bytes} bytes, but Lambda's limit is ${ENVIRONMENT_LIMIT} (${largest.join(', ')}). Delete unused API keys, or shorten the lists of origins.`,
  );
}

function asObject(value: unknown, what: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new Error(`${what} is not a JSON object. Repair it first.`);
}

/** The value of an object's own property: `__proto__` is a name like any other. */
const own = (object: object, name: string): unknown =>
  Object.hasOwn(object, name) ? Reflect.get(object, name) : undefined;

/** A key to add. */
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
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw new Error(`${file} is not valid JSON. Repair it first.`);
  }
  const context = asObject(own(asObject(config, file), 'context') ?? {}, `context of ${file}`);
  const path = stage === undefined ? ['context'] : ['context', 'stages', stage];
  const settings = stage === undefined ? context : findStage(context, stage, file);
  checkCollections(key, [context, settings], file);
  const apiKeys = addTo(own(settings, 'apiKeys') ?? {}, `${path.join('.')}.apiKeys of ${file}`, key);
  return formatJson(replaceAt(config, [...path, 'apiKeys'], apiKeys));
}

function findStage(context: object, stage: string, file: string): object {
  const stages = asObject(own(context, 'stages') ?? {}, `context.stages of ${file}`);
  const found = own(stages, stage);
  if (found !== undefined) return asObject(found, `context.stages.${stage} of ${file}`);
  const names = Object.keys(stages);
  throw new Error(
    `${file} has no stage ${JSON.stringify(stage)}. ` +
      (names.length > 0
        ? `Stages: ${names.join(', ')}.`
        : `Add it as "stages": {"${stage}": {}} in context.`),
  );
}

/** Checks that a key's collections exist, as it could use nothing otherwise. */
function checkCollections({ collections = [] }: NewKey, settings: object[], file: string): void {
  const names = settings.flatMap((one) =>
    Object.keys(asObject(own(one, 'collections') ?? {}, `collections of ${file}`)),
  );
  const unknown = collections.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new Error(
    `${file} has no collection ${JSON.stringify(unknown)}. ` +
      (names.length > 0
        ? `Collections: ${[...new Set(names)].join(', ')}.`
        : `Add it as "collections": {"${unknown}": "FOLDER"} in context.`),
  );
}

/** The keys with one more. */
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

/** A copy of a value in which the property at a path has another value. */
function replaceAt(value: unknown, [name, ...rest]: string[], other: object): object {
  if (name === undefined) return other;
  const object = typeof value === 'object' && value !== null ? value : {};
  return { ...object, [name]: replaceAt(own(object, name), rest, other) };
}

/** JSON indented by two spaces, with short flat lists on one line, as formatters write it. */
export function formatJson(value: object): string {
  // A line feed here is never part of a string, because JSON escapes it there.
  const text = JSON.stringify(value, null, 2).replace(/\[\n([^[\]{}]+)\n *\]/g, (list, items: string) => {
    const line = `[${items.trim().replace(/\n */g, ' ')}]`;
    return line.length <= 80 ? line : list;
  });
  return `${text}\n`;
}
