import type { Notice } from '../../index/documents/file.ts';
import { PASSING_REASONS } from '../../index/ingest/sources/s3.ts';
import type { Source, SourceContext, SourceFile } from '../../index/ingest/sources/source.ts';

/** A source that counts its files. */
export class CountedSource implements Source {
  readonly #source: Source;
  #count = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  get options(): Source['options'] {
    return this.#source.options;
  }

  /** How many files it has listed. */
  get count(): number {
    return this.#count;
  }

  async *files(context: SourceContext): AsyncGenerator<SourceFile> {
    this.#count = 0;
    for await (const file of this.#source.files(context)) {
      this.#count++;
      yield file;
    }
  }
}

/** Documents could not be read, although they exist. Without them, the index would lose what it has. */
export class Unread extends Error {
  constructor({ place, reason }: Notice) {
    super(`${place}: ${reason}. The build runs again.`);
  }
}

/** The object changed between listing and reading. */
export const isChanged = ({ reason }: Notice): boolean => reason === PASSING_REASONS.changed;
/** The object exists, but S3 did not deliver it. */
export const isUndelivered = ({ reason }: Notice): boolean => reason === PASSING_REASONS.failed;
