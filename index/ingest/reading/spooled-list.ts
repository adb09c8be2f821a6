import { createWriteStream, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Spool } from '../../format/container-file.ts';

/** A temporary folder, removed when the process ends. */
export class TemporaryFolder {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'polyseek-')));
  readonly #remove = () => rmSync(this.folder, { recursive: true, force: true });
  #files = 0;

  constructor() {
    process.once('exit', this.#remove);
  }

  /** Copies bytes into a new file of the folder, and returns its path. */
  async save(bytes: AsyncIterable<Uint8Array>): Promise<string> {
    const path = join(this.folder, `file-${this.#files++}`);
    await pipeline(bytes, createWriteStream(path));
    return path;
  }

  close(): void {
    process.off('exit', this.#remove);
    this.#remove();
  }
}

/** A list of JSON values in a file, for lists that need not fit in memory. */
export class SpooledList<Value> {
  readonly #file: Spool;
  readonly #places: { start: number; bytes: number }[] = [];

  constructor(path: string) {
    this.#file = new Spool(path);
  }

  get length(): number {
    return this.#places.length;
  }

  /** Removes the last values, so that this many are left. */
  drop(length: number): void {
    this.#places.length = length;
  }

  /** @throws if the disk is full */
  add(value: Value): void {
    const json = Buffer.from(JSON.stringify(value));
    this.#places.push({ start: this.#file.length, bytes: json.length });
    this.#file.append(json);
  }

  *values(): Generator<Value> {
    for (const { start, bytes } of this.#places) yield JSON.parse(this.#file.read(start, bytes).toString());
  }

  close(): void {
    this.#file.remove();
  }
}
