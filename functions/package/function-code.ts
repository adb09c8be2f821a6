import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPage, loadWidget } from '../web/assets.ts';
import { bundle } from './bundle.ts';
import { type FunctionCode, packageFolders, readPackageLicence, type StoreName } from './notices.ts';

const HANDLER = fileURLToPath(new URL('../search/lambda.ts', import.meta.url));
/** Loaded by the handler for an index in S3 Vectors. */
const CURRENT_INDEX = fileURLToPath(new URL('../search/current-index.ts', import.meta.url));

/**
 * Writes a function's code, and the files that it serves to browsers, into a folder: bundled from the sources of this clone.
 * @param store where the function's index is
 */
export async function writeFunctionCode(out: string, store: StoreName): Promise<FunctionCode> {
  const bundles = [await bundle({ lambda: HANDLER }, out)];
  if (store === 's3vectors') bundles.push(await bundle({ 'current-index': CURRENT_INDEX }, out));
  const modules = [...new Set(bundles.flatMap((one) => one.modules))];
  writeFileSync(join(out, 'page.json'), JSON.stringify(await loadPage()));
  writeFileSync(join(out, 'widget.js'), await loadWidget());
  const headers = dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json'));
  return {
    modules,
    components: packageFolders(modules).map(readPackageLicence),
    engine: [readPackageLicence(headers)],
    comments: bundles.flatMap((one) => one.comments),
  };
}
