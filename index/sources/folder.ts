import { createReadStream, type Dirent } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import type { ReadOptions } from '../documents/file.ts';
import { formatOf } from '../documents/formats.ts';
import type { Source, SourceContext, SourceFile } from './source.ts';

/** Names of the file with patterns in the root of a folder. */
export const IGNORE_FILE = '.polyseekignore';

/** What nobody searches in, unless a pattern such as `!vendor/` includes it again. */
const DEFAULT_EXCLUDE = [
  '.*',
  ...['node_modules/', 'bower_components/', 'vendor/', 'venv/', '__pycache__/'],
  ...['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'composer.lock'],
];

/** Settings of a file or folder. Patterns are as in .gitignore, relative to the folder. */
export interface FolderOptions extends ReadOptions {
  /** Reads only files that match one of these patterns. */
  include?: string[];
  /** Skips files and folders that match one of these patterns. */
  exclude?: string[];
  /** The address of the folder: the URL of each file is this and the file's path. */
  baseUrl?: string;
}

/**
 * A folder with its subfolders, or a single file. Skips hidden files, vendor folders, what `.polyseekignore` lists, links to folders,
 * which may form cycles, and links to files outside of the folder: whoever may add a document could otherwise publish any file of this
 * machine. A file's source is its path below the folder, or its base name if the file itself is named.
 */
export class FolderSource implements Source {
  readonly path: string;
  readonly options: FolderOptions;

  constructor(path: string, options: FolderOptions = {}) {
    this.path = path;
    this.options = options;
  }

  /** @throws if the path does not exist, cannot be read, or is a file of unknown format */
  async *files({ report }: SourceContext): AsyncGenerator<SourceFile> {
    if (!(await isFolder(this.path))) {
      if (!formatOf(this.path))
        throw new Error(`${this.path}: unknown format. docs/documents.md lists the formats.`);
      yield this.#file(this.path, basename(this.path));
      return;
    }
    const { include, exclude = [] } = this.options;
    const excluded = ignore()
      .add(DEFAULT_EXCLUDE)
      .add(await ownPatterns(this.path))
      .add(exclude);
    const included = include && ignore().add(include);
    for await (const name of walk(this.path, '', excluded, report)) {
      const path = join(this.path, name);
      if (included && !included.ignores(name))
        report({ kind: 'skipped', place: path, reason: 'not included by a pattern' });
      else yield this.#file(path, name);
    }
  }

  #file(path: string, source: string): SourceFile {
    return {
      source,
      path,
      localPath: path,
      url: this.options.baseUrl === undefined ? undefined : urlOf(this.options.baseUrl, source),
      open: () => createReadStream(path),
    };
  }
}

/** The address of a file: the base, and its path below the folder. */
function urlOf(base: string, source: string): string {
  return (base.endsWith('/') ? base : `${base}/`) + source.split('/').map(encodeURIComponent).join('/');
}

/** The files below a folder, by name: sorted by UTF-16 code units in each folder, so that the order is the same everywhere. */
async function* walk(
  root: string,
  folder: string,
  excluded: Ignore,
  report: SourceContext['report'],
): AsyncGenerator<string> {
  const entries = await listEntries(join(root, folder), report);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const name = folder + entry.name;
    const path = join(root, name);
    // A link is followed to a file only.
    const isLinked = entry.isSymbolicLink() && ((await stat(path).catch(() => undefined))?.isFile() ?? false);
    if (!entry.isDirectory() && !entry.isFile() && !isLinked) continue;
    if (excluded.ignores(entry.isDirectory() ? `${name}/` : name)) {
      if (entry.name !== IGNORE_FILE) report({ kind: 'skipped', place: path, reason: 'hidden or excluded' });
    } else if (isLinked && !(await isInside(root, path, excluded))) {
      report({
        kind: 'failed',
        place: path,
        reason: 'links to a file that is not in this folder, or is excluded',
        fix: 'Copy the file here, or name it as a source.',
      });
    } else if (entry.isDirectory()) yield* walk(root, `${name}/`, excluded, report);
    else yield name;
  }
}

/** Whether the target of a link is a file of a folder that is not excluded. */
async function isInside(root: string, link: string, excluded: Ignore): Promise<boolean> {
  try {
    const target = relative(await realpath(root), await realpath(link))
      .split(sep)
      .join('/');
    return ignore.isPathValid(target) && !excluded.ignores(target);
  } catch {
    // The link changed meanwhile.
    return false;
  }
}

async function listEntries(path: string, report: SourceContext['report']): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    report({
      kind: 'failed',
      place: path,
      reason: `cannot be opened (${code})`,
      fix: 'Check its permissions.',
    });
    return [];
  }
}

async function ownPatterns(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, IGNORE_FILE), 'utf8');
  } catch {
    // Most folders have none.
    return '';
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new Error(
      missing
        ? `${path} does not exist. Check the path.`
        : `${path}: cannot be read (${error instanceof Error ? error.message : error}). Check its permissions.`,
    );
  }
}
