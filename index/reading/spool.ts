import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, type WriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { splitLines } from '../documents/records/json-lines.ts';

/** A temporary folder, removed when the process ends. */
export class Spool {
  readonly folder = mkdtempSync(join(tmpdir(), 'polyseek-'));
  readonly #remove = () => rmSync(this.folder, { recursive: true, force: true });

  constructor() {
    process.once('exit', this.#remove);
  }

  #files = 0;

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
  readonly #path: string;
  readonly #file: WriteStream;
  #error: Error | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#file = createWriteStream(path);
    this.#file.on('error', (error) => {
      this.#error = error;
    });
  }

  /** @throws if a value before was not written, as the disk is full */
  async add(value: Value): Promise<void> {
    if (this.#error) throw this.#error;
    if (!this.#file.write(`${JSON.stringify(value)}\n`)) await once(this.#file, 'drain');
  }

  /** The values in order. No value can be added afterwards. */
  async *values(): AsyncGenerator<Value> {
    if (this.#error) throw this.#error;
    await new Promise<void>((resolve, reject) => {
      this.#file.end((error?: Error | null) => (error ? reject(error) : resolve()));
    });
    for await (const line of splitLines(createReadStream(this.#path)))
      if (line.length > 0) yield JSON.parse(line.toString()) as Value;
  }
}
