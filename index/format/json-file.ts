import { readFileSync } from 'node:fs';
import { damaged } from './damaged.ts';
import { type Check, invalidKey } from './shapes.ts';

/** Defined in the packaged function by `bundle.ts`. */
declare const POLYSEEK_FUNCTION: true | undefined;

/** Lambda has verified the function's archive. Loading `node:crypto` for a digest would take 3 ms and 2 MB of a cold start. */
const isVerified = typeof POLYSEEK_FUNCTION !== 'undefined';

/**
 * Reads a JSON object with a `format` and a digest over all other keys, and checks both and its shape.
 * @param digestKey the key of the digest
 * @throws if the format differs, or the file is damaged
 */
export function readDigestedObject(
  path: string,
  format: number,
  digestKey: string,
  shape: Record<string, Check>,
): Record<string, unknown> {
  const { [digestKey]: digest, ...contents } = readJsonObject(path);
  if (contents.format !== format) {
    throw new Error(
      `${path} has format ${contents.format}, but this polyseek reads format ${format}. Run npx polyseek index again.`,
    );
  }
  const found = isVerified ? digest : digestOf(contents);
  if (digest !== found) throw damaged(path, `its ${digestKey} is ${digest}, but its contents give ${found}`);
  const invalid = invalidKey(contents, shape);
  if (invalid) throw damaged(path, `its ${invalid} is missing or invalid`);
  return { [digestKey]: digest, ...contents };
}

/** Reads a file that contains a JSON object. Its values are unchecked. */
function readJsonObject(path: string): Record<string, unknown> {
  try {
    // The spread turns JSON that is no object into an object without keys.
    return { ...JSON.parse(readFileSync(path, 'utf8')) };
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged(path, 'it is not JSON');
    throw error;
  }
}

/** The first 12 hexadecimal digits of the SHA-256 of an object as JSON without white space. */
export function digestOf(value: object): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}
