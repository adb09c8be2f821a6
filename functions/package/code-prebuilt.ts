import { cpSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FunctionCode, StoreName } from './licence-notices.ts';

/** The code that the npm package contains, as `cli/npm/build-package.ts` wrote it. package.json's `imports` select this module there. */
const CODE = new URL('../../', import.meta.url);

/** Copies the npm package's code of a function, whose index will be in `store`, into a folder. */
export async function writeFunctionCode(out: string, store: StoreName): Promise<FunctionCode> {
  const filter = (path: string) => store === 's3vectors' || basename(path) !== 'current-index.mjs';
  cpSync(fileURLToPath(new URL('function', CODE)), out, { recursive: true, filter });
  return JSON.parse(readFileSync(new URL('function.json', CODE), 'utf8'))[store];
}

/** Copies the npm package's code of a builder into a folder. */
export async function writeBuilderCode(out: string): Promise<FunctionCode> {
  cpSync(fileURLToPath(new URL('builder', CODE)), out, { recursive: true });
  return JSON.parse(readFileSync(new URL('builder.json', CODE), 'utf8'));
}
