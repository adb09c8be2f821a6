import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Document } from './document.ts';
import { listFolder } from './folder.ts';
import { readHtml } from './html.ts';
import { readMarkdown } from './markdown.ts';
import { readRecords } from './records.ts';
import { readText } from './text.ts';
import { decodeUtf8 } from './utf8.ts';

/** Reads the documents of a file. `source` is its name in the index. */
type Reader = (path: string, source: string) => AsyncIterable<Document>;

/** The reader of each format, by the end of the file name in lower case. */
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
 * Reads the documents of files and folders, in the order of the paths and then of the file names. Includes subfolders, but skips
 * hidden files and `node_modules`. A file's source is its path below the named folder, or its base name if the file itself is named.
 * Reads a file only once, even if it is named twice.
 * @param onSkip called with each file in a folder whose format is unknown
 * @throws if a path does not exist, the format of a named file is unknown, two files have the same source, or a file does not match its format
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
        `${other.path} and ${path} would both be named "${source}" in the index. Name a folder that contains both.`,
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
        throw new Error(`${path}: unknown format. The formats are ${Object.keys(READERS).join(', ')}.`);
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
        ? `${path} does not exist. Check the path.`
        : `${path}: cannot be read (${error instanceof Error ? error.message : error}). Check its permissions.`,
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
