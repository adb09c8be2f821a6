import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Document } from '../documents/document.ts';
import { type Notice, Unreadable } from '../documents/file.ts';
import { formatOf, readFile } from '../documents/formats.ts';
import { listFolder } from './folder.ts';
import type { SourceFile } from './source.ts';

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
  const report = ({ kind, place, reason, fix = '' }: Notice) => {
    if (kind === 'failed') throw new Unreadable(place, reason, fix);
  };
  for (const file of await listFiles(paths, onSkip))
    yield* readFile(file, { options: {}, depth: 0, report, readNested: readFile });
}

async function listFiles(paths: string[], onSkip: (path: string) => void): Promise<SourceFile[]> {
  const places = new Set<string>();
  const bySource = new Map<string, SourceFile>();
  const add = (path: string, source: string) => {
    const place = resolve(path);
    if (places.has(place)) return;
    places.add(place);
    const other = bySource.get(source);
    if (other) {
      throw new Error(
        `${other.path} and ${path} would both be named "${source}" in the index. Name a folder that contains both.`,
      );
    }
    bySource.set(source, { path, source, open: () => createReadStream(path) });
  };
  for (const path of paths) {
    if (await isFolder(path)) {
      for (const source of await listFolder(path)) {
        if (formatOf(source)) add(join(path, source), source);
        else onSkip(join(path, source));
      }
    } else {
      if (!formatOf(path)) throw new Unreadable(path, 'unknown format', 'Name a file of a known format.');
      add(path, basename(path));
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
