import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareBlocks, openChecks } from '../../index/format/checks.ts';

/**
 * Reads a file that packaging put beside a module.
 * @param module URL of the module
 * @throws if the file is damaged
 */
export function readPackagedFile(name: string, module: string): string {
  const folder = fileURLToPath(new URL('.', module));
  const bytes = readFileSync(join(folder, name));
  openChecks(folder, compareBlocks)?.of(name).checkAll(bytes);
  return bytes.toString();
}
