import type { Document } from '../../documents/document.ts';
import { type Notice, type ReadOptions, Unreadable } from '../../documents/file.ts';
import { readFile } from '../../documents/read-file.ts';
import type { Config, SourceConfig } from './config.ts';
import { FolderSource } from './folder.ts';
import { listFiles, refuse, type Source } from './source.ts';

/**
 * Opens the sources of a config. The config's own settings apply to each source that does not set them.
 * @param paths files and folders that replace the sources of the config
 */
export async function openSources(config: Config, paths: string[] = []): Promise<Source[]> {
  let queries = 0;
  return Promise.all(
    (paths.length > 0 ? paths : (config.sources ?? [])).map((source: SourceConfig) => {
      // The rows of each query have a name of their own.
      const isFurther = typeof source === 'object' && 'query' in source && queries++ > 0;
      return openSource(isFurther ? { name: `sql-${queries}.jsonl`, ...source } : source, config);
    }),
  );
}

/** Opens a source. Packages for databases and AWS are loaded only if a source needs them. */
async function openSource(settings: SourceConfig, config: Config): Promise<Source> {
  const { include, exclude, baseUrl, urlSuffix, plain, lang, fields, access } = config;
  const folder = { include, exclude, baseUrl, urlSuffix };
  const shared = { plain, lang, fields, access };
  if (typeof settings === 'string') return new FolderSource(settings, defined({ ...folder, ...shared }));
  if ('path' in settings) {
    const { path, ...own } = settings;
    return new FolderSource(path, defined({ ...folder, ...shared, ...own }));
  }
  const options = defined({
    plain: settings.plain ?? plain,
    lang: settings.lang ?? lang,
    fields: settings.fields ?? fields,
    access: settings.access ?? access,
  });
  if ('stdin' in settings) return new (await import('./stdin.ts')).StdinSource(options);
  if ('sitemap' in settings) return new (await import('./sitemap.ts')).SitemapSource(settings, options);
  if ('s3' in settings) return new (await import('./s3-source.ts')).S3Source(settings.s3, options);
  return new (await import('./sql.ts')).SqlSource(settings, options);
}

function defined<Options extends ReadOptions>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}

/**
 * Reads the documents of files and folders, in the order of the paths and then of the file names.
 * @param report called with each file that cannot be read; by default, the first one is thrown
 */
export async function* readDocuments(
  paths: string[],
  report: (notice: Notice) => void = refuse,
): AsyncGenerator<Document> {
  const memory = new Map<string, string>();
  const sources = paths.map((path) => new FolderSource(path));
  for await (const { file } of listFiles(sources, { memory, report })) {
    try {
      yield* readFile(file, { options: {}, depth: 0, report, readNested: readFile });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      report(error.notice);
    }
  }
}
