import { Unreadable } from '../file.ts';

/** What an archive may contain, archives in it included. */
const MAX_INFLATED = 4 * 2 ** 30;
export const MAX_ENTRIES = 100_000;
/** Text compresses to a tenth. A file that repeats one byte compresses to a thousandth, which is a zip bomb if it is large. */
const MAX_RATIO = 1000;
const FREE_BYTES = 10 * 2 ** 20;

/** Limits of an outermost archive: counts the entries and the inflated bytes of all archives in it. Declared sizes do not matter. */
export class Inflation {
  #bytes = 0;
  #entries = 0;
  readonly #maxBytes: number;

  constructor(maxBytes = MAX_INFLATED) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Counts an entry of an archive.
   * @param path of the archive
   * @throws Unreadable if the limits are reached
   */
  addEntry(path: string): void {
    if (++this.#entries > MAX_ENTRIES)
      throw tooLarge(path, `Split it into archives of at most ${MAX_ENTRIES} files.`);
    this.#check(path);
  }

  /**
   * Counts the bytes of a stream while it is read.
   * @param path of the file, for the error
   * @param compressed returns the number of compressed bytes so far
   * @throws Unreadable if the limits are reached
   */
  async *count(
    stream: AsyncIterable<Uint8Array>,
    path: string,
    compressed: () => number,
  ): AsyncGenerator<Uint8Array> {
    let own = 0;
    for await (const chunk of stream) {
      own += chunk.length;
      this.#bytes += chunk.length;
      this.#check(path);
      if (own > FREE_BYTES && own > MAX_RATIO * compressed())
        throw tooLarge(path, `It inflates to more than ${MAX_RATIO} times its size. Extract what you need.`);
      yield chunk;
    }
  }

  #check(path: string): void {
    if (this.#bytes > this.#maxBytes)
      throw tooLarge(
        path,
        `The archive inflates to more than ${this.#maxBytes / 2 ** 30} GiB. Split or extract it.`,
      );
  }
}

function tooLarge(path: string, fix: string): Unreadable {
  return new Unreadable(path, 'too large', fix);
}
