import type { InputFile, ReadOptions } from '../documents/file.ts';

/** A file of a source. */
export interface SourceFile extends InputFile {
  /** Equal for two versions with the same content: an ETag, for instance. Without one, the content is compared. */
  version?: string;
}

/** What a source remembers from build to build, such as ETags. */
export interface Memory {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

/** A place with documents. */
export interface Source {
  readonly options: ReadOptions;
  /** Lists its files, in an order that depends on their names only. */
  files(memory: Memory): AsyncIterable<SourceFile>;
}
