import { readFileSync } from 'node:fs';
import { parseJson } from '../kit/json.ts';
import type { FileChecks } from './checks.ts';
import { damaged } from './container.ts';
import { type Check, invalidKey } from './shapes.ts';

/** The errors for an object that is not as expected. */
interface ObjectErrors {
  /** @param problem a clause */
  damaged: (problem: string) => Error;
  otherFormat: (format: unknown) => Error;
}

/**
 * Reads a JSON file: an object with a `format` and a digest over all other keys. Checks both and its shape.
 * @param checks of the file, in place of the digest: loading `node:crypto` would take 3 ms and 2 MB of a cold start
 * @throws if the format differs, or the file is damaged
 */
export function readDigestedObject(
  path: string,
  format: number,
  digestKey: string,
  shape: Record<string, Check>,
  checks?: FileChecks,
): Record<string, unknown> {
  const errors: ObjectErrors = {
    damaged: (problem) => damaged(path, problem),
    otherFormat: (found) =>
      new Error(
        `${path} has format ${found}, but this polyseek reads format ${format}. Run npx polyseek index again.`,
      ),
  };
  const bytes = readFileSync(path);
  checks?.checkAll(bytes);
  return parseDigestedObject(bytes, format, digestKey, shape, errors, !checks);
}

/**
 * Reads an object like `readDigestedObject`, from the bytes of its file.
 * @param verify whether to compare the digest
 */
export function parseDigestedObject(
  bytes: Uint8Array,
  format: number,
  digestKey: string,
  shape: Record<string, Check>,
  errors: ObjectErrors,
  verify = true,
): Record<string, unknown> {
  const parsed = parseJson(bytes);
  if (parsed === undefined) throw errors.damaged('it is not JSON');
  // The spread turns JSON that is no object into an object without keys.
  const { [digestKey]: digest, ...contents }: Record<string, unknown> = { ...(parsed as object) };
  if (contents.format !== format) throw errors.otherFormat(contents.format);
  const found = verify ? digestOf(contents) : digest;
  if (digest !== found) throw errors.damaged(`its ${digestKey} is ${digest}, but its contents give ${found}`);
  const invalid = invalidKey(contents, shape);
  if (invalid) throw errors.damaged(`its ${invalid} is missing or invalid`);
  return { [digestKey]: digest, ...contents };
}

/** The first 12 hexadecimal digits of the SHA-256 of an object as JSON without white space. */
export function digestOf(value: object): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}
