import { randomBytes } from 'node:crypto';
import { isKeyName, nameExpected, toApiKeys } from '../functions/search/auth.ts';

/** With the longest names, this many keys fit into the 4 KB that Lambda allows for a function's environment as JSON. */
export const MAX_KEYS = 32;

/** A new API key: 256 random bits, with a prefix that scanners for leaked secrets recognise. */
export const newKey = () => `ps_${randomBytes(32).toString('base64url')}`;

function asObject(value: unknown, what: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new Error(`${what} is not a JSON object. Repair it first.`);
}

/**
 * Adds a key to `context.apiKeys` of a cdk.json and leaves everything else unchanged.
 * @param text content of the file
 * @param file its name, for errors
 * @param digest SHA-256 of the key, 64 lowercase hexadecimal digits
 * @returns the new content
 * @throws if the name is wrong or taken, if there are `MAX_KEYS` keys, or if the text is not a valid cdk.json
 */
export function addKey(text: string, file: string, name: string, digest: string): string {
  if (!isKeyName(name)) {
    throw new Error(`Wrong name ${JSON.stringify(name)}: expected ${nameExpected}.`);
  }
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw new Error(`${file} is not valid JSON. Repair it first.`);
  }
  const settings: { context?: unknown } = asObject(config, file);
  const context: { apiKeys?: unknown } = asObject(settings.context ?? {}, `context of ${file}`);
  const keys = toApiKeys(context.apiKeys ?? {}, `context.apiKeys of ${file}`);
  if (keys.has(name)) {
    throw new Error(
      `A key "${name}" already exists. To rotate it: create a key with a new name, deploy, switch the callers, delete the line "${name}" from ${file}, and deploy again.`,
    );
  }
  if (keys.size >= MAX_KEYS) {
    throw new Error(
      `${file} already has ${keys.size} keys, the most that fit into a function's environment. Delete an unused one.`,
    );
  }
  // A computed property name is safe even for "__proto__".
  const apiKeys = { ...asObject(context.apiKeys ?? {}, file), [name]: digest };
  return format({ ...settings, context: { ...context, apiKeys } });
}

/** JSON indented by two spaces, with short flat lists on one line, as formatters write it. */
function format(value: object): string {
  // A line feed here is never part of a string, because JSON escapes it there.
  const text = JSON.stringify(value, null, 2).replace(/\[\n([^[\]{}]+)\n *\]/g, (list, items: string) => {
    const line = `[${items.trim().replace(/\n */g, ' ')}]`;
    return line.length <= 80 ? line : list;
  });
  return `${text}\n`;
}
