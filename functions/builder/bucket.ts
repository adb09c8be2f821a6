import { createReadStream, createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';

/** Attempts to transfer a file. The SDK does not repeat the upload of a stream, nor a download that was cut. */
const ATTEMPTS = 4;
/** Half of the milliseconds before the second attempt. Each further pause is twice as long. */
const PAUSE = 50;

/** An object in a listing. */
export interface StoredObject {
  key: string;
  bytes: number;
  modified: Date;
}

/** What must be true for a write: the object has this ETag, or there is none. */
export type Condition = { ifMatch: string } | { ifNoneMatch: '*' };

/** The stack's own bucket, where the builder keeps everything between its invocations. */
export class Bucket {
  readonly #name: string;
  readonly #s3: S3Client;

  constructor(name: string, s3: S3Client) {
    this.#name = name;
    this.#s3 = s3;
  }

  /** The text of an object; undefined if there is none. */
  async read(Key: string): Promise<{ text: string; etag: string } | undefined> {
    try {
      const { Body, ETag } = await this.#s3.send(new GetObjectCommand({ Bucket: this.#name, Key }));
      return { text: await Body!.transformToString(), etag: ETag! };
    } catch (error) {
      if (nameOf(error) === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  /**
   * Writes a text.
   * @returns the object's ETag; undefined if the condition was not met
   */
  async write(Key: string, Body: string, condition?: Condition): Promise<string | undefined> {
    const conditions = {
      IfMatch: condition && 'ifMatch' in condition ? condition.ifMatch : undefined,
      IfNoneMatch: condition && 'ifNoneMatch' in condition ? condition.ifNoneMatch : undefined,
    };
    try {
      const input = { Bucket: this.#name, Key, Body, ContentType: 'application/json', ...conditions };
      return (await this.#s3.send(new PutObjectCommand(input))).ETag;
    } catch (error) {
      // S3 answers 404 for the ETag of a missing object, and 409 for two writes at once.
      const unmet = ['PreconditionFailed', 'NoSuchKey', 'ConditionalRequestConflict'];
      if (condition && unmet.includes(nameOf(error))) return undefined;
      throw error;
    }
  }

  /** All objects whose keys have a prefix, in the order of their keys. */
  async list(Prefix: string): Promise<StoredObject[]> {
    const found: StoredObject[] = [];
    const pages = paginateListObjectsV2({ client: this.#s3 }, { Bucket: this.#name, Prefix });
    for await (const { Contents = [] } of pages)
      found.push(
        ...Contents.map(({ Key, Size, LastModified }) => ({
          key: Key!,
          bytes: Size!,
          modified: LastModified!,
        })),
      );
    return found;
  }

  async delete(Key: string): Promise<void> {
    await this.#s3.send(new DeleteObjectCommand({ Bucket: this.#name, Key }));
  }

  /** Stores the first bytes of a file, which may grow meanwhile. */
  upload(Key: string, path: string, bytes: number): Promise<void> {
    return retried(async () => {
      const Body = createReadStream(path, { end: bytes - 1 });
      await this.#s3.send(new PutObjectCommand({ Bucket: this.#name, Key, Body, ContentLength: bytes }));
    });
  }

  /** Copies an object into a file, which appears when it is complete. */
  download(Key: string, path: string): Promise<void> {
    return retried(async () => {
      const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: this.#name, Key }));
      const part = `${path}.part`;
      await pipeline(Body as Readable, createWriteStream(part));
      await rename(part, path);
    });
  }
}

async function retried(run: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await sleep(PAUSE * 2 ** attempt);
    }
  }
}

/** The name of the SDK's error, also behind a described one. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return error.cause instanceof Error ? error.cause.name : error.name;
}

/** The error for an object of the builder that another version of polyseek wrote. */
export function otherFormat(key: string, found: unknown, format: number): Error {
  return new Error(
    `${key} has format ${found}, but this polyseek reads format ${format}. Use the newest version of polyseek, here and in the deployed stack.`,
  );
}
