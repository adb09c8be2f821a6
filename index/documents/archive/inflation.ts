import { Unreadable } from '../file.ts';

/** What the outermost file may contain, archives in it included. */
const MAX_INFLATED = 4 * 2 ** 30;
/** Text compresses to a tenth, and tables of a spreadsheet to a fiftieth. Zip bombs compress to a thousandth, and nested ones further. */
const MAX_RATIO = 100;
const FREE_BYTES = 100 * 2 ** 20;
export const MAX_ENTRIES = 100_000;

/**
 * Limits of an outermost file: counts the entries and the inflated bytes of all archives in it, and the text of its documents.
 * Declared sizes do not matter.
 */
export class Inflation {
  #size = 0;
  #inflated = 0;
  #text = 0;
  #entries = 0;
  readonly #freeBytes: number;

  /** @param freeBytes that a file of any size may contain */
  constructor(freeBytes = FREE_BYTES) {
    this.#freeBytes = freeBytes;
  }

  /** Streams the outermost file, and counts its bytes. */
  readonly outermost = countOnce((bytes) => {
    this.#size += bytes;
  });

  /** Returns a function that counts the bytes of the file `path` in an archive while they are read. */
  counter(path: string): CountingStream {
    return countOnce((bytes) => this.add(bytes, path));
  }

  /**
   * Counts an entry of an archive.
   * @param path of the archive
   * @throws Unreadable if the limits are reached
   */
  addEntry(path: string): void {
    if (++this.#entries > MAX_ENTRIES)
      throw tooLarge(path, `Split it into archives of at most ${MAX_ENTRIES} files.`);
    this.#check(this.#inflated, path);
  }

  /**
   * Counts inflated bytes.
   * @param path of the file, for the error
   * @throws Unreadable if the limits are reached
   */
  add(bytes: number, path: string): void {
    this.#inflated += bytes;
    this.#check(this.#inflated, path);
  }

  /**
   * Counts the text of a document, since formats may repeat what they contain once.
   * @param length in UTF-16 code units
   * @throws Unreadable if the limits are reached
   */
  addText(length: number, path: string): void {
    this.#text += length;
    this.#check(this.#text, path);
  }

  #check(bytes: number, path: string): void {
    if (bytes > MAX_INFLATED)
      throw tooLarge(path, `It contains more than ${MAX_INFLATED / 2 ** 30} GiB. Split or extract it.`);
    if (bytes > this.#freeBytes && bytes > MAX_RATIO * this.#size)
      throw tooLarge(path, `It contains more than ${MAX_RATIO} times its size. Extract what you need.`);
  }
}

type CountingStream = (stream: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>;

/** Counts the bytes of a file that may be read several times: each byte once. */
function countOnce(add: (bytes: number) => void): CountingStream {
  let counted = 0;
  return async function* (stream) {
    let length = 0;
    for await (const chunk of stream) {
      length += chunk.length;
      add(Math.max(0, length - counted));
      counted = Math.max(counted, length);
      yield chunk;
    }
  };
}

function tooLarge(path: string, fix: string): Unreadable {
  return new Unreadable(path, 'too large', fix);
}
