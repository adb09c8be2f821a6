import { resolve } from 'node:path';
import { type InputFile, type Notice, type ReadOptions, Unreadable } from '../../documents/file.ts';

export interface SourceFile extends InputFile {
  /** Its path without links, if it is on this machine. */
  localPath?: string;
  /** Equal for two versions with the same content: an ETag, for instance. Without one, the content is compared. */
  version?: string;
}

/** What sources remember from build to build, such as ETags. */
export interface Memory {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

export interface SourceContext {
  memory: Memory;
  report: (notice: Notice) => void;
}

export interface Source {
  readonly options: ReadOptions;
  /** Lists its files, in an order that depends on their names only. */
  files(context: SourceContext): AsyncIterable<SourceFile>;
}

/** How the name of a file ends that describes the file beside it, as in Amazon Bedrock: `leave.pdf.metadata.json`. */
export const DESCRIPTION = '.metadata.json';

/** A file of a source. */
export interface ListedFile {
  file: SourceFile;
  source: Source;
}

/**
 * The files of sources, in the order of the sources. A file that is named twice is listed once. Reports a file whose name another
 * file already has.
 */
export async function* listFiles(
  sources: readonly Source[],
  context: SourceContext,
): AsyncGenerator<ListedFile> {
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

/** Takes notices, and throws the first failure. */
export function refuse({ kind, place, reason, fix = '' }: Notice): void {
  if (kind === 'failed') throw new Unreadable(place, reason, fix);
}
