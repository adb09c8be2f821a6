import { isUtf8 } from 'node:buffer';
import { type Dirent, lstatSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, extname, join, relative, sep } from 'node:path';
import { text } from 'node:stream/consumers';
import ignore, { type Ignore } from 'ignore';
import { type ReadOptions, Unreadable } from '../../documents/file.ts';
import { FORMAT_NAMES, mayBeKnown } from '../../documents/formats.ts';
import { codeOf } from '../../format/writable.ts';
import { messageOf } from '../../kit/errors.ts';
import { notRegular, readRegularFile } from './files.ts';
import { DESCRIPTION, type Source, type SourceContext, type SourceFile } from './source.ts';

/** Names of the file with patterns in the root of a folder. */
const IGNORE_FILE = '.polyseekignore';

/** What nobody searches in, unless a pattern such as `!vendor/` includes it again. */
const DEFAULT_EXCLUDE = [
  '.*',
  ...['node_modules/', 'bower_components/', 'vendor/', 'venv/', '__pycache__/'],
  ...['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'composer.lock'],
];

/** Bytes of the file with patterns. */
const MAX_PATTERNS = 2 ** 20;

/** Settings of a file or folder. Patterns are as in .gitignore, relative to the folder. */
export interface FolderOptions extends ReadOptions {
  include?: string[];
  exclude?: string[];
  /** The address of the folder: the URL of each file is this and the file's path. */
  baseUrl?: string;
  /** Replaces the suffix of Markdown and other text markup in URLs, as a website does that is made from it. */
  urlSuffix?: string;
}

/**
 * A folder with its subfolders, or a single file. Skips hidden files, vendor folders, what `.polyseekignore` lists, links to folders,
 * which may form cycles, and links to files outside of the folder: whoever may add a document could otherwise publish any file of this
 * machine. Reads regular files only. If the file or folder itself is a link, follows it: whoever names it has chosen it. A file's source
 * is its path below the folder, or its base name if the file itself is named.
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
      if (!mayBeKnown(this.path))
        throw new Error(
          `${this.path}: ${extname(this.path)} files aren't supported. Formats: ${FORMAT_NAMES}.`,
        );
      yield this.#file(this.path, basename(this.path), await realpath(this.path));
      const description = this.path + DESCRIPTION;
      // A link to nothing leads to an error of its reader.
      if (lstatSync(description, { throwIfNoEntry: false }))
        yield this.#file(
          description,
          basename(description),
          await realpath(description).catch(() => description),
        );
      return;
    }
    const { include, exclude = [] } = this.options;
    const excluded = ignore()
      .add(DEFAULT_EXCLUDE)
      .add(await ownPatterns(this.path))
      .add(exclude);
    const included = include && ignore().add(include);
    for await (const { name, real, filtered } of walk(
      await realpath(this.path),
      this.path,
      '',
      excluded,
      report,
    )) {
      const path = join(this.path, name);
      if (included && !included.ignores(filtered))
        report({ kind: 'skipped', place: path, reason: 'not included by a pattern' });
      else yield this.#file(path, name, real);
    }
  }

  #file(path: string, source: string, real: string): SourceFile {
    const { baseUrl, urlSuffix } = this.options;
    return {
      source,
      path,
      localPath: real,
      url: baseUrl === undefined ? undefined : urlOf(baseUrl, source, urlSuffix),
      open: () => readRegularFile(real, path),
    };
  }
}

/** A file from which website generators make a page, and an index page, which they serve as its folder. */
const MARKUP = /(?:(^|\/)(?:index|readme))?\.(?:mdx?|markdown|rst|adoc)$/i;

function urlOf(base: string, source: string, suffix?: string): string {
  const page = suffix === undefined ? source : source.replace(MARKUP, (_, folder = suffix) => folder);
  return (base.endsWith('/') ? base : `${base}/`) + page.split('/').map(encodeURIComponent).join('/');
}

/**
 * The files below a folder, with their paths on this machine without links. Sorted by UTF-16 code units in each folder, so that the order
 * is the same everywhere.
 * @param realRoot the path of the root without links
 * @returns with the name that patterns apply to: a description goes with the file that it describes
 */
async function* walk(
  realRoot: string,
  root: string,
  folder: string,
  excluded: Ignore,
  report: SourceContext['report'],
): AsyncGenerator<{ name: string; real: string; filtered: string }> {
  const entries = await listEntries(join(root, folder), report);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const names = new Set(entries.map(({ name }) => name + DESCRIPTION));
  for (const { name: own, isUtf8, kind } of entries) {
    const name = folder + own;
    const isDescription = names.has(own);
    const filtered = isDescription ? name.slice(0, -DESCRIPTION.length) : name;
    const path = join(root, name);
    // A link is followed to a file only.
    const isLink = kind.isSymbolicLink();
    if (isLink && isUtf8 && !isDescription && !(await stat(path).catch(() => undefined))?.isFile()) continue;
    if (excluded.ignores(kind.isDirectory() ? `${name}/` : filtered)) {
      if (own !== IGNORE_FILE) report({ kind: 'skipped', place: path, reason: 'hidden or excluded' });
    } else if (!isUtf8)
      report({ kind: 'failed', place: path, reason: 'name is not UTF-8', fix: 'Rename it.' });
    else if (isLink) {
      const real = await targetInside(realRoot, path, excluded);
      const reason = 'links to a file that is not in this folder, or is excluded';
      // Of a description, the reader fails too, so that the file is left out that it may restrict.
      if (real !== undefined || isDescription) yield { name, real: real ?? join(realRoot, name), filtered };
      else
        report({ kind: 'failed', place: path, reason, fix: 'Copy the file here, or name it as a source.' });
    } else if (kind.isDirectory()) yield* walk(realRoot, root, `${name}/`, excluded, report);
    else if (kind.isFile()) yield { name, real: join(realRoot, name), filtered };
    else report({ ...notRegular(path).notice, kind: 'skipped' });
  }
}

/** The target of a link without links, if it is a file of a folder that is not excluded. */
async function targetInside(realRoot: string, link: string, excluded: Ignore): Promise<string | undefined> {
  try {
    const real = await realpath(link);
    const target = relative(realRoot, real).split(sep).join('/');
    return ignore.isPathValid(target) && !excluded.ignores(target) ? real : undefined;
  } catch {
    // The link changed meanwhile.
    return undefined;
  }
}

/** An entry of a folder. Bytes of its name that are no UTF-8 are written as `\xE9`. */
interface Entry {
  name: string;
  isUtf8: boolean;
  kind: Dirent<Buffer>;
}

async function listEntries(path: string, report: SourceContext['report']): Promise<Entry[]> {
  try {
    // As text, names that are no UTF-8 would be those of other files.
    const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
    return entries.map((kind) => ({ name: nameOf(kind.name), isUtf8: isUtf8(kind.name), kind }));
  } catch (error) {
    const reason = `cannot be opened (${codeOf(error) || String(error)})`;
    report({ kind: 'failed', place: path, reason, fix: 'Check its permissions.' });
    return [];
  }
}

function nameOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  const escaped = (byte: string) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase()}`;
  return bytes.toString('latin1').replace(/[\x80-\xff]/g, escaped);
}

/** @throws if there are patterns that cannot be read: what they exclude must not be indexed */
async function ownPatterns(folder: string): Promise<string> {
  const path = join(folder, IGNORE_FILE);
  try {
    return await text(readRegularFile(await realpath(path), path, MAX_PATTERNS));
  } catch (error) {
    // Most folders have none.
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    if (!found.isDirectory() && !found.isFile()) throw notRegular(path);
    return found.isDirectory();
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    throw new Error(
      codeOf(error) === 'ENOENT'
        ? `${path} does not exist. Check the path.`
        : `${path}: cannot be read (${messageOf(error)}). Check its permissions.`,
    );
  }
}
