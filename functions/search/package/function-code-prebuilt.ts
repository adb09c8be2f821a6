import { cpSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FunctionCode } from './notices.ts';

/** The code that the npm package contains, as `cli/npm/build-package.ts` wrote it. package.json's `imports` select this module there. */
const CODE = new URL('../../../function/', import.meta.url);

/** Copies the npm package's code of a function into a folder. */
export async function writeFunctionCode(out: string): Promise<FunctionCode> {
  cpSync(fileURLToPath(CODE), out, { recursive: true });
  return JSON.parse(readFileSync(new URL('../function.json', CODE), 'utf8'));
}
