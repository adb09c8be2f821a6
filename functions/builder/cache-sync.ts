import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Bucket } from '../../index/aws/s3.ts';

const OBJECTS = 'builder/cache/';
/** Names of the cache's segments (index/ingest/cache). Nothing else is copied. */
const SEGMENT = /^[0-9a-f]{16}\.cache$/;
/** Bytes that stay free on the disk for the index. */
const RESERVE = 400e6;

/**
 * Copies the cache of embeddings between a folder and the bucket. Its files only grow, so equal names and sizes mean equal files. What
 * is damaged or missing costs time only, because the cache checks every value.
 */
export class CacheSync {
  readonly folder: string;
  /** How often something new was saved in the bucket. */
  uploads = 0;
  readonly #bucket: Bucket;
  /** Bytes in the bucket of each segment that is in the folder, or was. */
  readonly #stored = new Map<string, number>();
  #isComplete = false;
  /** Saves follow each other. */
  #last: Promise<void> = Promise.resolve();

  constructor(bucket: Bucket, folder: string) {
    this.#bucket = bucket;
    this.folder = folder;
  }

  /** Makes the folder a copy of the bucket. Keeps what earlier invocations downloaded. Throws if the disk is too small. */
  async download(): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    const objects = (await this.#bucket.list(OBJECTS))
      .map((object) => ({ ...object, name: object.key.slice(OBJECTS.length) }))
      .filter(({ name }) => SEGMENT.test(name));
    const names = new Set(objects.map(({ name }) => name));
    for (const name of readdirSync(this.folder))
      if (!names.has(name)) rmSync(join(this.folder, name), { recursive: true });
    const missing = objects.filter(({ name, bytes }) => (this.#sizeOf(name) ?? -1) < bytes);
    for (const object of objects) if (!missing.includes(object)) this.#stored.set(object.name, object.bytes);
    this.#checkSpace(missing.reduce((sum, { bytes }) => sum + bytes, 0));
    for (const { key, name, bytes, modified } of missing) {
      const path = join(this.folder, name);
      await this.#bucket.download(key, path);
      // The cache reads older segments first, and leaves young ones alone.
      utimesSync(path, modified, modified);
      this.#stored.set(name, bytes);
    }
    this.#isComplete = true;
  }

  /** Uploads segments that are new or have grown, then deletes those that were merged into others. Does nothing after a download that failed. */
  async save(): Promise<void> {
    if (!this.#isComplete) return;
    this.#last = this.#last.catch(() => {}).then(() => this.#save());
    await this.#last;
  }

  async #save(): Promise<void> {
    const names = readdirSync(this.folder).filter((name) => SEGMENT.test(name));
    for (const name of names) {
      const bytes = this.#sizeOf(name);
      if (bytes === undefined || bytes === this.#stored.get(name)) continue;
      await this.#bucket.putFile(OBJECTS + name, join(this.folder, name), bytes);
      this.#stored.set(name, bytes);
      this.uploads++;
    }
    const merged = [...this.#stored.keys()].filter((name) => !existsSync(join(this.folder, name)));
    await this.#bucket.delete(merged.map((name) => OBJECTS + name));
    for (const name of merged) this.#stored.delete(name);
  }

  /** The bytes of a segment in the folder; undefined if it does not exist. */
  #sizeOf(name: string): number | undefined {
    return statSync(join(this.folder, name), { throwIfNoEntry: false })?.size;
  }

  #checkSpace(bytes: number): void {
    const { bavail, bsize } = statfsSync(this.folder);
    const megabytes = (number: number) => `${Math.ceil(number / 1e6)} MB`;
    if (bavail * bsize < bytes + RESERVE)
      throw new Error(
        `The builder's disk has ${megabytes(bavail * bsize)} free, but the cache of embeddings and an index need ${megabytes(bytes + RESERVE)}. Enlarge its ephemeral storage, or delete the objects below ${OBJECTS} in its bucket to build from nothing.`,
      );
  }
}
