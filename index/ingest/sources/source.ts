import type { InputFile, Notice, ReadOptions } from '../../documents/file.ts';

/** A file of a source. */
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

/** What a source gets from the build. */
export interface SourceContext {
  memory: Memory;
  /** Reports a file that is left out. */
  report: (notice: Notice) => void;
}

/** A place with documents. */
export interface Source {
  readonly options: ReadOptions;
  /** Lists its files, in an order that depends on their names only. */
  files(context: SourceContext): AsyncIterable<SourceFile>;
}
