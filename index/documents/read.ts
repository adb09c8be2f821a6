import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Document } from './document.ts';
import { listFolder } from './folder.ts';
import { readHtml } from './html.ts';
import { readMarkdown } from './markdown.ts';
import { readRecords } from './records.ts';
import { readText } from './text.ts';
import { decodeUtf8 } from './utf8.ts';

/** Reads the documents of a file; `source` is what it is called in the index. */
type Reader = (path: string, source: string) => AsyncIterable<Document>;

/** A format is a reader and a line here. Names are compared in lower case. */
const READERS: Record<string, Reader> = {
  '.txt': onePerFile(readText),
  '.md': onePerFile(readMarkdown),
  '.markdown': onePerFile(readMarkdown),
  '.html': onePerFile(readHtml),
  '.htm': onePerFile(readHtml),
  '.jsonl': readRecords,
  '.ndjson': readRecords,
  '.jsonl.gz': readRecords,
};

interface SourceFile {
  path: string;
  source: string;
  read: Reader;
}

/**
 * Reads the documents of files and folders (with all below them but hidden files and `node_modules`), in the order of
 * the paths and then of names. A file's source is its path below the named folder, or its name where the file itself
 * is named: it does not depend on what else is named. A file that is named twice is read once. `onSkip` is told of
 * each file in a folder that is of no known format.
 * @throws Error if a path leads nowhere, if a named file is of no known format, if two files would have one source,
 * or if a file does not hold what its format asks for.
 */
export async function* readDocuments(
  paths: string[],
  onSkip: (path: string) => void = () => {},
): AsyncGenerator<Document> {
  for (const { path, source, read } of await listFiles(paths, onSkip)) yield* read(path, source);
}

async function listFiles(paths: string[], onSkip: (path: string) => void): Promise<SourceFile[]> {
  const places = new Set<string>();
  const bySource = new Map<string, SourceFile>();
  const add = (path: string, source: string, read: Reader) => {
    const place = resolve(path);
    if (places.has(place)) return;
    places.add(place);
    const other = bySource.get(source);
    if (other) {
      throw new Error(
        `${other.path} and ${path} would both be called "${source}" in the index: name a folder that holds both instead.`,
      );
    }
    bySource.set(source, { path, source, read });
  };
  for (const path of paths) {
    if (await isFolder(path)) {
      for (const source of await listFolder(path)) {
        const read = readerOf(source);
        if (read) add(join(path, source), source, read);
        else onSkip(join(path, source));
      }
    } else {
      const read = readerOf(path);
      if (!read) {
        throw new Error(`${path} is of no known format: expected one of ${Object.keys(READERS).join(', ')}.`);
      }
      add(path, basename(path), read);
    }
  }
  return [...bySource.values()];
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new Error(
      missing
        ? `${path} does not exist: name files and folders that do.`
        : `${path} cannot be read: ${error instanceof Error ? error.message : error}.`,
    );
  }
}

function readerOf(path: string): Reader | undefined {
  const name = basename(path).toLowerCase();
  const extension = Object.keys(READERS).find((each) => name.endsWith(each));
  return extension === undefined ? undefined : READERS[extension];
}

function onePerFile(parse: (text: string, source: string, path: string) => Document): Reader {
  return async function* (path, source) {
    yield parse(decodeUtf8(await readFile(path), path), source, path);
  };
}
