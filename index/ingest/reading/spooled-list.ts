import { once } from 'node:events';
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  realpathSync,
  rmSync,
  type WriteStream,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { splitLines } from '../../documents/records/json-lines.ts';

/** A temporary folder, removed when the process ends. */
export class TemporaryFolder {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'polyseek-')));
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
  #written = 0;
  /** Values that were removed again: the first line, and the line after the last. */
  readonly #dropped: [start: number, end: number][] = [];
  #droppedCount = 0;

  constructor(path: string) {
    this.#path = path;
    this.#file = createWriteStream(path);
    this.#file.on('error', (error) => {
      this.#error = error;
    });
  }

  get length(): number {
    return this.#written - this.#droppedCount;
  }

  /** Removes the last values, so that this many are left. */
  drop(length: number): void {
    const count = this.length - length;
    if (count > 0) this.#dropped.push([this.#written - count, this.#written]);
    this.#droppedCount += count;
  }

  /** @throws if a value before was not written, as the disk is full */
  async add(value: Value): Promise<void> {
    if (this.#error) throw this.#error;
    this.#written++;
    if (!this.#file.write(`${JSON.stringify(value)}\n`)) await once(this.#file, 'drain');
  }

  /** The values in order. No value can be added afterwards. */
  async *values(): AsyncGenerator<Value> {
    if (this.#error) throw this.#error;
    await new Promise<void>((resolve, reject) => {
      this.#file.end((error?: Error | null) => (error ? reject(error) : resolve()));
    });
    let number = 0;
    for await (const line of splitLines(createReadStream(this.#path))) {
      if (number === this.#dropped[0]?.[1]) this.#dropped.shift();
      const [start = Infinity] = this.#dropped[0] ?? [];
      if (line.length > 0 && number++ < start) yield JSON.parse(line.toString()) as Value;
    }
  }
}
