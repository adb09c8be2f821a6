import { createHash } from 'node:crypto';
import type { Notice } from '../../index/documents/file.ts';
import { PASSING_REASONS } from '../../index/sources/s3.ts';
import type { Source, SourceContext, SourceFile } from '../../index/sources/source.ts';

/** A source, and what it listed. Changes between two builds show in the digest. */
export class ListedSource implements Source {
  readonly #source: Source;
  #files = 0;
  #digest: string | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  get options(): Source['options'] {
    return this.#source.options;
  }

  /** How many files it has listed. */
  get count(): number {
    return this.#files;
  }

  async *files(context: SourceContext): AsyncGenerator<SourceFile> {
    this.#files = 0;
    const hash = createHash('sha256');
    for await (const file of this.#source.files(context)) {
      this.#files++;
      hash.update(JSON.stringify([file.path, file.version]));
      yield file;
    }
    this.#digest = hash.digest('hex');
  }

  /** Whether the source lists other files, or other versions of them, than it did. */
  async hasChanged(): Promise<boolean> {
    const before = this.#digest;
    // Nothing is remembered of this listing, and the build has reported its problems.
    for await (const _ of this.files({ memory: new Map(), report: () => {} }));
    return before !== this.#digest;
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
