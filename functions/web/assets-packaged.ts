import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareBlocks, openChecks } from '../../index/format/checks.ts';
import type { Page } from './assets.ts';

// The `imports` in package.json select this module as `#assets` in the function's bundle and in the npm package.

/** The page that packaging assembled. Rejects if it is damaged. */
export const loadPage = async (): Promise<Page> => JSON.parse(readPackagedFile('page.json'));

/** The widget that packaging assembled. Rejects if it is damaged. */
export const loadWidget = async (): Promise<string> => readPackagedFile('widget.js');

/** Reads a file that packaging put beside this module. */
function readPackagedFile(name: string): string {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const bytes = readFileSync(join(folder, name));
  openChecks(folder, compareBlocks)?.of(name).checkAll(bytes);
  return bytes.toString();
}
