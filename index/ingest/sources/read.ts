import { resolve } from 'node:path';
import type { Document } from '../../documents/document.ts';
import { type Notice, Unreadable } from '../../documents/file.ts';
import { readFile } from '../../documents/formats.ts';
import { FolderSource } from './folder.ts';
import type { Source, SourceContext, SourceFile } from './source.ts';

/**
 * The files of sources, in the order of the sources. A file that is named twice is listed once. Reports a file whose name another
 * file already has.
 */
export async function* listFiles(
  sources: readonly Source[],
  context: SourceContext,
): AsyncGenerator<{ file: SourceFile; source: Source }> {
  const places = new Set<string>();
  const named = new Map<string, string>();
  for (const source of sources) {
    for await (const file of source.files(context)) {
      const place = file.localPath === undefined ? file.path : resolve(file.path);
      if (places.has(place)) continue;
      places.add(place);
      const other = named.get(file.source);
      named.set(file.source, other ?? file.path);
      if (other === undefined) yield { file, source };
      else
        context.report({
          kind: 'failed',
          place: file.path,
          reason: 'same name in the index as another file',
          fix: `${other} would also be named "${file.source}". Name a folder that contains both.`,
        });
    }
  }
}

/**
 * Reads the documents of files and folders, in the order of the paths and then of the file names.
 * @throws at the first file that cannot be read
 */
export async function* readDocuments(paths: string[]): AsyncGenerator<Document> {
  const report = ({ kind, place, reason, fix = '' }: Notice) => {
    if (kind === 'failed') throw new Unreadable(place, reason, fix);
  };
  const memory = new Map<string, string>();
  const sources = paths.map((path) => new FolderSource(path));
  for await (const { file } of listFiles(sources, { memory, report }))
    yield* readFile(file, { options: {}, depth: 0, report, readNested: readFile });
}
