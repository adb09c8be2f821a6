import { KEYS } from '../../format/lookup-file.ts';
import type { Lists } from '../store.ts';
import { damagedInS3 } from './damaged.ts';
import type { GoneRows } from './gone-rows.ts';
import type { SegmentLookup } from './segment-lookup.ts';

/** A segment of a generation. */
export interface SegmentLists {
  lookup: Pick<SegmentLookup, 'list' | 'row'>;
  /** The ordinal of its first row. */
  start: number;
  gone: GoneRows;
}

/** The lists of a generation: those of its segments, joined, without the rows that are gone. */
export class RangeLists implements Lists {
  readonly #segments: readonly SegmentLists[];
  readonly #name: string;

  /**
   * @param segments in the order of their ordinals
   * @param name of the generation, for errors
   */
  constructor(segments: readonly SegmentLists[], name: string) {
    this.#segments = segments;
    this.#name = name;
  }

  async list(key: string): Promise<{ ordinals: Uint32Array; rest: Uint8Array } | undefined> {
    const found = await Promise.all(
      this.#segments.map(async ({ lookup, start, gone }) => {
        const list = await lookup.list(key);
        return list && gone.remove(list.ordinals, start, list.rest);
      }),
    );
    const parts = found.flatMap((part) => (part && part.ordinals.length > 0 ? [part] : []));
    if (parts.length === 0) return undefined;
    const count = parts.reduce((sum, { ordinals }) => sum + ordinals.length, 0);
    const [ordinals, rest] = [new Uint32Array(count), Buffer.concat(parts.map((part) => part.rest))];
    let at = 0;
    for (const part of parts) {
      ordinals.set(part.ordinals, at);
      at += part.ordinals.length;
    }
    return { ordinals, rest };
  }

  async ordinal(id: string): Promise<number | undefined> {
    const ordinals = await this.single(KEYS.id + id);
    if (ordinals.length > 1) throw this.damaged('two of its rows have the same id');
    return ordinals[0];
  }

  /** The ordinals under a key of single passages: at most one of each segment. */
  async single(key: string): Promise<number[]> {
    const found = await Promise.all(
      this.#segments.map(async ({ lookup, start, gone }) => {
        const row = await lookup.row(key);
        return row === undefined || gone.has(row) ? [] : [start + row];
      }),
    );
    return found.flat();
  }

  damaged(problem: string): Error {
    return damagedInS3(this.#name, problem);
  }
}
