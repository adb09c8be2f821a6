import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { locateFolder } from '../../index/format/drafts.ts';
import { DEFAULT_INDEX, readManifest } from '../../index/format/manifest.ts';
import { DEFAULT_CACHE, openLocal } from '../../index/ingest/local.ts';
import { CONFIG_FILE, readConfig } from '../../index/ingest/sources/config.ts';
import { type Check, check, ok, warning } from './checks.ts';
import { size } from './command.ts';

/**
 * Checks the files of the project in the current folder.
 * @param index its index; by default, that of the config file
 */
export async function checkProject(index?: string): Promise<Check[]> {
  return [
    await check(CONFIG_FILE, checkConfig),
    await check('index', () => checkIndex(index ?? readConfig().index ?? DEFAULT_INDEX)),
    await check('cache', checkCache, 'warning'),
  ];
}

function checkConfig(): Check {
  if (!existsSync(CONFIG_FILE)) return ok(CONFIG_FILE, 'none; npx polyseek init writes one');
  const { sources = [] } = readConfig();
  const paths = sources.flatMap((source) => {
    if (typeof source === 'string') return [source];
    return 'path' in source ? [source.path] : [];
  });
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length > 0)
    return warning(
      CONFIG_FILE,
      `${missing.join(', ')} does not exist`,
      'Correct sources, or put the documents there.',
    );
  return ok(CONFIG_FILE, `${sources.length} ${sources.length === 1 ? 'source' : 'sources'}`);
}

/** Opens the index with the model that built it, and compares all checksums. */
async function checkIndex(index: string): Promise<Check> {
  const folder = locateFolder(index);
  if (!existsSync(folder))
    return warning('index', `none in ${index}`, 'Build one with npx polyseek index PATH.');
  const search = await openLocal(index);
  const { version, passages, model } = search.info;
  search.close();
  const { files, counts } = readManifest(folder, undefined, false);
  const bytes = Object.keys(files).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  return ok(
    'index',
    `${index}: ${counts.documents} documents, ${passages} passages, ${size(bytes)}, version ${version}, model ${model}, intact`,
  );
}

function checkCache(): Check {
  const folder = readConfig().cache ?? DEFAULT_CACHE;
  if (!existsSync(folder)) return ok('cache', 'none yet');
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  return ok('cache', `${folder}: ${size(bytes)}`);
}
