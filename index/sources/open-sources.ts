import type { ReadOptions } from '../documents/file.ts';
import type { Config, SourceConfig } from './config.ts';
import { FolderSource } from './folder.ts';
import type { Source } from './source.ts';

/**
 * Opens the sources of a config. The config's own settings apply to each source that does not set them.
 * @param paths files and folders that replace the sources of the config
 */
export function openSources(config: Config, paths: string[] = []): Source[] {
  const { include, exclude, baseUrl, plain, lang, fields } = config;
  const shared = { plain, lang, fields };
  const sources: SourceConfig[] = paths.length > 0 ? paths : (config.sources ?? []);
  return sources.map((source): Source => {
    const settings = typeof source === 'string' ? { path: source } : source;
    if ('path' in settings) {
      const { path, ...own } = settings;
      return new FolderSource(path, defined({ include, exclude, baseUrl, ...shared, ...own }));
    }
    throw new Error('not yet');
  });
}

/** Without the settings that are not set. */
function defined<Options extends ReadOptions>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}
