import type { Neighbor } from '../../format/graph-file.ts';
import type { Languages, Typicality } from '../../format/languages-file.ts';
import { KEYS } from '../../format/lookup-file.ts';
import type { Overview } from '../../format/overview-types.ts';
import type { Passage } from '../../format/passage.ts';
import { type BestSentence, sentenceComparer } from '../../format/sentences-file.ts';
import type { TokenCodes } from '../../format/tokens-file.ts';
import { dot, lengthOf } from '../../format/vectors.ts';
import {
  InvalidRequest,
  noVector,
  type RestrictedStore,
  type Row,
  type Selection,
  type Store,
  type Surrounding,
  Unavailable,
} from '../store.ts';
import type { SearchClient } from './client.ts';
import { isGone, keyOfOrdinal, type LoadedSegment } from './generation.ts';
import { RangeLists, type SegmentLists } from './lists.ts';
import { damagedInS3, parseVectorKey, placeKey } from './objects.ts';
import { filterKey, sentenceBytes } from './row.ts';
import type { CachedRow, RowCache } from './row-cache.ts';

/** Vectors that a query may return. */
const MOST_HITS = 10_000;
/** Hits that a query asks for beyond those wanted, at least, if there are rows that are gone. */
const LEAST_SPARE = 10;
/** Values in a filter. S3 Vectors accepts 100 (AWS, September 2026), and an index has up to nine segments, which count too. */
const MOST_VALUES = 90;
/** Rows read at once to list all: a few calls at the same time. */
const ROWS_AT_ONCE = 400;

/** A segment of an open generation. */
export type OpenSegment = LoadedSegment & SegmentLists;

/** What a store reads from. */
interface StoreParts {
  client: Pick<SearchClient, 'query'>;
  manifest: Store['manifest'];
  /** The number of each language. */
  languageNumbers: ReadonlyMap<string, number>;
  segments: readonly OpenSegment[];
  languages: Languages;
  overview: Overview;
  rows: RowCache;
  restricted: readonly RestrictedStore[];
  /** Name of the generation, for errors. */
  name: string;
}

/** A generation of an index in S3 Vectors. */
export class S3VectorsStore implements Store {
  readonly manifest: Store['manifest'];
  readonly size: number;
  readonly lists: RangeLists;
  readonly restricted: readonly RestrictedStore[];
  readonly #passages: number;
  readonly #parts: StoreParts;
  readonly #segments: ReadonlyMap<string, OpenSegment>;
  readonly #comparer: (query: Float32Array) => BestSentence;
  /** The cosines that queries returned, by the vector that was searched. */
  readonly #similarities = new WeakMap<Float32Array, Map<number, number>>();

  constructor(parts: StoreParts) {
    const { manifest, segments, name } = parts;
    this.#parts = parts;
    this.manifest = manifest;
    this.restricted = parts.restricted;
    this.size = segments.reduce((sum, { rows }) => sum + rows, 0);
    this.#passages = manifest.counts.passages;
    this.lists = new RangeLists(segments, name);
    this.#segments = new Map(segments.map((segment) => [segment.id, segment]));
    this.#comparer = sentenceComparer(manifest.dimensions);
  }

  async nearest(vector: Float32Array, count: number, selection?: Selection): Promise<Neighbor[]> {
    const wanted = Math.min(count, selection?.ordinals.length ?? this.#passages);
    if (wanted === 0) return [];
    const gone = this.size - this.#passages;
    // Rows that are gone take places among the nearest, and so do passages that are left out.
    const least = wanted + (selection?.without?.size ?? 0);
    const usual = least + Math.min(gone, Math.max(LEAST_SPARE, Math.ceil((2 * wanted * gone) / this.size)));
    const most = Math.min(least + gone, MOST_HITS);
    const { found, hits } = await this.#query(vector, Math.min(usual, most), selection);
    const lacks = found.length < wanted && hits === usual && usual < most;
    const all = lacks ? (await this.#query(vector, most, selection)).found : found;
    return all.sort((a, b) => b.similarity - a.similarity).slice(0, wanted);
  }

  async rows(ordinals: readonly number[], vector?: Float32Array): Promise<Row[]> {
    const known = vector && (this.#similarities.get(vector) ?? new Map<number, number>());
    const bestSentence = vector ? this.#comparer(vector) : noVector;
    const rows = await this.#read(ordinals, known ? ordinals.filter((ordinal) => !known.has(ordinal)) : []);
    return ordinals.map((ordinal, i): Row => {
      const { content, vector: stored } = rows[i]!;
      const damaged = (problem: string) => damagedInS3(this.#keyOf(ordinal), problem);
      const { passage, sentences } = content;
      const language = this.#parts.languageNumbers.get(passage.lang);
      if (language === undefined) throw damaged(`its language ${passage.lang} is not one of its generation`);
      return {
        ordinal,
        language,
        similarity: () =>
          known ? (known.get(ordinal) ?? dot(vector, stored!) / lengthOf(stored!)) : noVector(),
        bestSentence: () =>
          bestSentence({
            count: sentences.length / sentenceBytes(this.manifest.dimensions),
            fill: (bytes, start) => bytes.set(sentences.subarray(start, start + bytes.length)),
            damaged: (sentence, norm) => damaged(`sentence ${sentence} has the norm ${norm}`),
          }),
        passage: () => passage,
        damaged,
      };
    });
  }

  async tokenCodes(ordinals: readonly number[]): Promise<TokenCodes> {
    if (this.manifest.model.tokens === null) throw new Error('The index has no token states.');
    const contents = (await this.#read(ordinals)).map(({ content }) => content);
    return {
      codes: Buffer.concat(contents.map(({ blocks }) => blocks)),
      counts: Uint32Array.from(contents, ({ tokens }) => tokens),
    };
  }

  /** Looks up all places at the same time, and then reads all passages. */
  async around(ordinals: readonly number[], context: number): Promise<Surrounding[]> {
    const passagesOf = async (wanted: readonly number[]): Promise<Passage[]> =>
      (await this.#read(wanted)).map(({ content }) => content.passage);
    const passages = await passagesOf(ordinals);
    const found = await Promise.all(
      passages.map((self) => Promise.all(keysAround(self, context).map((key) => this.lists.single(key)))),
    );
    const wanted = [...new Set(found.flat(2))];
    const texts = await passagesOf(wanted);
    const byOrdinal = new Map(wanted.map((ordinal, i) => [ordinal, texts[i]!]));
    return passages.map((self, i) => {
      const others = found[i]!.flatMap((there) => {
        const candidates = there.map((ordinal) => byOrdinal.get(ordinal)!);
        return candidates.find((one) => one.source === self.source && recordOf(one) === recordOf(self)) ?? [];
      });
      return {
        before: others.filter(({ position }) => position < self.position),
        after: others.filter(({ position }) => position > self.position),
      };
    });
  }

  typicality(vector: Float32Array): Typicality {
    return this.#parts.languages.typicality(vector);
  }

  async overview(): Promise<Overview> {
    return this.#parts.overview;
  }

  /** All passages, in the order of their ordinals. */
  async *passages(): AsyncGenerator<Passage> {
    for (const { start, rows, gone } of this.#parts.segments) {
      for (let first = 0; first < rows; first += ROWS_AT_ONCE) {
        const batch = Array.from({ length: Math.min(ROWS_AT_ONCE, rows - first) }, (_, i) => first + i);
        const present = batch.filter((row) => !isGone(gone, row)).map((row) => start + row);
        if (present.length === 0) continue;
        for (const { content } of await this.#read(present)) yield content.passage;
      }
    }
  }

  /** `Generations` closes the connections, which its stores share. */
  close(): void {}

  /** @returns the rows found that are not gone, and how many there were with those */
  async #query(
    vector: Float32Array,
    count: number,
    selection: Selection | undefined,
  ): Promise<{ found: Neighbor[]; hits: number }> {
    const { client, segments, rows } = this.#parts;
    const filter = {
      $and: [{ segment: { $in: segments.map(({ id }) => id) } }, ...conditionsOf(selection)],
    };
    const length = lengthOf(vector);
    const similarities = this.#similarities.get(vector) ?? new Map<number, number>();
    this.#similarities.set(vector, similarities);
    const hits = await client.query(vector, count, filter);
    const found: Neighbor[] = [];
    for (const { key, distance, metadata } of hits) {
      const ordinal = this.#ordinalOf(key);
      if (ordinal === undefined || selection?.without?.has(ordinal)) continue;
      rows.add(key, metadata);
      // The service scales the vector to length 1. The mean of two vectors is shorter.
      const similarity = length * Math.max(-1, Math.min(1, 1 - distance));
      similarities.set(ordinal, similarity);
      found.push({ ordinal, similarity });
    }
    return { found, hits: hits.length };
  }

  /** @param withVector the ordinals whose rows must have their vectors */
  async #read(ordinals: readonly number[], withVector: readonly number[] = []): Promise<CachedRow[]> {
    const keys = ordinals.map((ordinal) => this.#keyOf(ordinal));
    const needsVector = new Set(withVector.map((ordinal) => this.#keyOf(ordinal)));
    const rows = await this.#parts.rows.read(keys, needsVector);
    return keys.map((key) => {
      const row = rows.get(key);
      if (!row)
        throw new Unavailable(
          'Rows of this generation of the index were deleted while it was read. Try again: the next request reads the newest one.',
        );
      return row;
    });
  }

  #keyOf(ordinal: number): string {
    const key = keyOfOrdinal(this.#parts.segments, ordinal);
    if (key === undefined)
      throw damagedInS3(this.#parts.name, `it has no ordinal ${ordinal} of ${this.size}`);
    return key;
  }

  /** The ordinal of a vector; undefined if its row is not part of this generation. */
  #ordinalOf(key: string): number | undefined {
    const found = parseVectorKey(key);
    const segment = found && this.#segments.get(found.segment);
    if (!segment || found.row >= segment.rows)
      throw damagedInS3(key, `${this.#parts.name} has no such vector`);
    return isGone(segment.gone, found.row) ? undefined : segment.start + found.row;
  }
}

/** A condition for each field of a filter. Throws for more values than S3 Vectors accepts. */
function conditionsOf(selection: Selection | undefined): object[] {
  const keys = Object.entries(selection?.filter ?? {}).map(([field, value]) => [
    ...new Set((Array.isArray(value) ? value : [value]).map((one) => filterKey(field, one))),
  ]);
  const count = keys.flat().length;
  if (count > MOST_VALUES)
    throw new InvalidRequest(
      `The filter has ${count} values, but this index accepts ${MOST_VALUES} at most. Use fewer values.`,
    );
  return keys.map((keys) => ({ fields: { $in: keys } }));
}

/** The keys of the passages at the places around one, in their order. */
function keysAround(self: Passage, context: number): string[] {
  const record = recordOf(self);
  const places = Array.from({ length: 2 * context + 1 }, (_, i) => self.position - context + i);
  return places
    .filter((place) => place >= 0 && place !== self.position)
    .map((place) =>
      record === undefined ? placeKey(self.source, place) : `${KEYS.id}${record}#${place + 1}`,
    );
}

/**
 * The id of the record that a passage is a part of. Documents of several records share a source, so that a place is not unique. The ids of
 * their passages are the record's id and a number.
 */
function recordOf({ id, position }: Passage): string | undefined {
  const suffix = `#${position + 1}`;
  return id.endsWith(suffix) ? id.slice(0, -suffix.length) : undefined;
}
