import { cpSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FunctionCode } from './notices.ts';

/** The code that the npm package contains, as `cli/npm/build-package.ts` wrote it. package.json's `imports` select this module there. */
const CODE = new URL('../../builder/', import.meta.url);

/** Copies the npm package's code of a builder into a folder. */
export async function writeBuilderCode(out: string): Promise<FunctionCode> {
  cpSync(fileURLToPath(CODE), out, { recursive: true });
  return JSON.parse(readFileSync(new URL('../builder.json', CODE), 'utf8'));
}
