import { randomBytes } from 'node:crypto';
import { isKeyName, nameExpected, toApiKeys } from '../functions/search/auth.ts';

/** So many keys with the longest names fit into the 4 KB that Lambda allows for a function's environment as JSON. */
export const MAX_KEYS = 32;

/** A new API key: 256 random bits, with a prefix by which scanners for leaked secrets can find it. */
export const newKey = () => `ps_${randomBytes(32).toString('base64url')}`;

function asObject(value: unknown, what: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new Error(`${what} is not an object, but must be one: mend it first.`);
}

/**
 * The text of a cdk.json with one more key in `context.apiKeys`, and everything else as it was.
 * Throws an `Error` of one sentence if the name is wrong or taken, there are `MAX_KEYS`, or the text is not as it must be.
 * @param file what sentences call it
 * @param digest SHA-256 of the key, 64 lowercase hexadecimal digits
 */
export function addKey(text: string, file: string, name: string, digest: string): string {
  if (!isKeyName(name)) {
    throw new Error(`The name is ${JSON.stringify(name)}, but must be ${nameExpected}.`);
  }
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw new Error(`${file} is not JSON: mend it first, as CDK can't read it either.`);
  }
  const settings: { context?: unknown } = asObject(config, file);
  const context: { apiKeys?: unknown } = asObject(settings.context ?? {}, `context of ${file}`);
  const keys = toApiKeys(context.apiKeys ?? {}, `context.apiKeys of ${file}`);
  if (keys.has(name)) {
    throw new Error(
      `There is a key "${name}" already: to rotate it, make one with a new name, deploy, change the callers to it, delete the line "${name}" from ${file} and deploy again.`,
    );
  }
  if (keys.size >= MAX_KEYS) {
    throw new Error(
      `${file} has ${keys.size} keys, and more than ${MAX_KEYS} may not fit into a function's environment: delete one that is not used.`,
    );
  }
  // A computed name makes a property of its own, even of "__proto__".
  const apiKeys = { ...asObject(context.apiKeys ?? {}, file), [name]: digest };
  return format({ ...settings, context: { ...context, apiKeys } });
}

/** JSON indented by two spaces, with short flat lists on one line, as formatters leave it. */
function format(value: object): string {
  // A line feed of this text is never part of a string, where it would be escaped.
  const text = JSON.stringify(value, null, 2).replace(/\[\n([^[\]{}]+)\n *\]/g, (list, items: string) => {
    const line = `[${items.trim().replace(/\n */g, ' ')}]`;
    return line.length <= 80 ? line : list;
  });
  return `${text}\n`;
}
