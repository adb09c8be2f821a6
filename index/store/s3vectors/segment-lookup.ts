import { headBytes, type Place, readHead } from '../../format/container.ts';
import { LOOKUP } from '../../format/lookup-file.ts';
import { LookupReader } from '../../format/lookup-reader.ts';
import type { RemoteFile } from './remote-file.ts';

/** The `lookup.bin` of a segment in S3. Its ordinals are the numbers of the segment's rows. */
export class SegmentLookup {
  readonly #file: RemoteFile;
  readonly #rows: number;
  #opened: Promise<{ reader: LookupReader; places: Place[] }> | undefined;

  /**
   * Reads nothing.
   * @param rows of the segment, the bound of all ordinals
   */
  constructor(file: RemoteFile, rows: number) {
    this.#file = file;
    this.#rows = rows;
  }

  /** Reads what every lookup needs: all of a small file, or the head of a large one. */
  async prefetch(): Promise<void> {
    await this.#open();
  }

  /** The list under a key: numbers of rows, ascending, and the bytes after it. Undefined if the key is absent. */
  async list(key: string): Promise<{ ordinals: Uint32Array; rest: Buffer } | undefined> {
    const { reader } = await this.#open();
    const data = await this.#find(key);
    if (!data) return undefined;
    const list = reader.list(data);
    if (list.rest.length !== 0 && list.rest.length !== list.ordinals.length)
      throw this.#file.damaged(`a list has ${list.ordinals.length} rows, but ${list.rest.length} bytes`);
    return list;
  }

  /** The row under a key, or undefined. */
  async row(key: string): Promise<number | undefined> {
    const { reader } = await this.#open();
    const data = await this.#find(key);
    return data && reader.ordinal(data);
  }

  async #find(key: string): Promise<Buffer | undefined> {
    const { reader, places } = await this.#open();
    const search = reader.find(key);
    let step = search.next();
    while (!step.done) {
      const { section, start, length } = step.value;
      const place = places[section]!;
      const count = Math.max(0, Math.min(length, place.length - start));
      step = search.next(await this.#file.read(place.start + start, count));
    }
    return step.value;
  }

  #open(): Promise<{ reader: LookupReader; places: Place[] }> {
    if (this.#opened) return this.#opened;
    const opening = this.#readLayout();
    this.#opened = opening;
    // The next lookup tries again.
    opening.catch(() => {
      this.#opened = undefined;
    });
    return opening;
  }

  async #readLayout(): Promise<{ reader: LookupReader; places: Place[] }> {
    const { name, bytes } = this.#file;
    const head = await this.#file.read(0, headBytes(LOOKUP.sections));
    const places = readHead(head, LOOKUP, name, bytes);
    const reader = new LookupReader({
      lengths: [places[0]!.length, places[1]!.length],
      passages: this.#rows,
      damaged: (problem) => this.#file.damaged(problem),
    });
    return { reader, places };
  }
}
