import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { damaged } from './damaged.ts';

/** Reads a file that contains a JSON object. Its values are unchecked. */
export function readJsonObject(path: string): Record<string, unknown> {
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
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}
