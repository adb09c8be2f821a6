import { describeError, failureOf, type Sentences } from '../../aws/describe-error.ts';
import { Bucket, type ListedObject, s3Client } from '../../aws/s3.ts';
import { entryName } from '../../documents/archive/names.ts';
import { type ReadOptions, Unreadable } from '../../documents/file.ts';
import { messageOf } from '../../kit/errors.ts';
import { limitBytes, MAX_FILE_BYTES, tooLarge } from './files.ts';
import { DESCRIPTION, type Source, type SourceContext, type SourceFile } from './source.ts';

/** Reasons why an object could not be read this time, although another try may succeed. */
export const PASSING_REASONS = { changed: 'changed while the build ran', failed: 'download failed' } as const;

/** A listing with more objects or requests than this may have no end. */
const LIMITS = { objects: 1_000_000, requests: 10_000 };

const SENTENCES: Sentences = {
  'no bucket': () => 'no such bucket. Check its name.',
  denied: () => 'access denied. Allow s3:ListBucket and s3:GetObject to these credentials.',
};

/** The objects of a bucket below a prefix. Region and credentials are those of the AWS CLI. */
export class S3Source implements Source {
  readonly options: ReadOptions;
  readonly #bucket: Bucket;
  readonly #prefix: string;
  readonly #limits: typeof LIMITS;

  /**
   * @param address `s3://bucket/prefix`. The prefix is a folder, or the key of one object.
   * @throws if the address has another form
   */
  constructor(
    address: string,
    options: ReadOptions = {},
    client = s3Client({ followRegionRedirects: true, maxAttempts: 1 }),
    limits = LIMITS,
  ) {
    const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(address) ?? [];
    if (bucket === undefined)
      throw new Error(`${address} is not an address of S3. Write s3://bucket/prefix.`);
    this.#bucket = new Bucket(bucket, client, {
      explain: (cause, call) =>
        call === 's3:GetObject'
          ? cause
          : new Error(`s3://${bucket}: ${describeError(cause, { call, bucket }, SENTENCES)}`, { cause }),
    });
    this.#prefix = prefix.replace(/\/+$/, '');
    this.#limits = limits;
    this.options = options;
  }

  /** Lists the objects by their keys. Leaves out hidden ones, as in a folder. */
  async *files({ report }: Pick<SourceContext, 'report'>): AsyncGenerator<SourceFile> {
    for await (const { key, etag: version, bytes } of this.#objects()) {
      const below = this.#below(key);
      if (below === undefined || key.endsWith('/')) continue;
      const path = `s3://${this.#bucket.name}/${key}`;
      const entry = entryName(below);
      if (entry.kind === 'unsafe')
        report({ kind: 'skipped', place: path, reason: 'unsafe name', fix: 'Rename the object.' });
      if (entry.kind !== 'named') continue;
      if (bytes > MAX_FILE_BYTES) report(tooLarge(path).notice);
      else yield { source: entry.name, path, version, open: () => this.#open(key, path, version) };
    }
  }

  /** The part of a key below the prefix, or undefined for a key such as `docs2/a` with the prefix `docs`. */
  #below(key: string): string | undefined {
    if (this.#prefix === '') return key;
    if (key === this.#prefix || key === this.#prefix + DESCRIPTION)
      return key.slice(key.lastIndexOf('/') + 1);
    return key.startsWith(`${this.#prefix}/`) ? key.slice(this.#prefix.length + 1) : undefined;
  }

  async *#objects(): AsyncGenerator<ListedObject> {
    let [objects, requests] = [0, 0];
    for await (const page of this.#bucket.pages(this.#prefix)) {
      objects += page.length;
      if (objects > this.#limits.objects || ++requests > this.#limits.requests)
        throw new Error(
          `s3://${this.#bucket.name}/${this.#prefix}: too many objects. Name a prefix with at most ${this.#limits.objects}.`,
        );
      yield* page;
    }
  }

  async *#open(key: string, path: string, version: string | undefined): AsyncGenerator<Uint8Array> {
    try {
      yield* limitBytes(await this.#bucket.stream(key, version), path);
    } catch (error) {
      throw objectError(path, error);
    }
  }
}

function objectError(path: string, error: unknown): Unreadable {
  if (error instanceof Unreadable) return error;
  switch (failureOf(error)) {
    case 'archived':
      return new Unreadable(path, 'archived', 'Restore the object from Glacier, and build again.');
    case 'denied':
      return new Unreadable(path, 'access denied', 'Allow s3:GetObject to these credentials.');
    case 'no object':
    case 'unmet':
      return new Unreadable(path, PASSING_REASONS.changed, 'Build again.');
    default:
      return new Unreadable(path, PASSING_REASONS.failed, `Build again (${messageOf(error)}).`);
  }
}
