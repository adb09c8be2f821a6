import type { Neighbor } from '../../format/graph-file.ts';
import type { Languages, Typicality } from '../../format/languages-file.ts';
import { KEYS } from '../../format/lookup-file.ts';
import { parseOverview } from '../../format/overview.ts';
import type { Overview } from '../../format/overview-types.ts';
import type { Passage } from '../../format/passage.ts';
import { SentenceComparer } from '../../format/sentences-file.ts';
import type { TokenCodes } from '../../format/tokens-file.ts';
import { lengthOf } from '../../format/vector-length.ts';
import type { Row, Selection, Store, Surrounding } from '../store.ts';
import type { Client } from './client.ts';
import { damagedInS3 } from './damaged.ts';
import type { Generation } from './generation.ts';
import type { GoneRows } from './gone-rows.ts';
import { filterKey } from './metadata.ts';
import { parseVectorKey, vectorKey } from './objects.ts';
import { RangeLists } from './range-lists.ts';
import { sentenceBytes } from './row.ts';
import type { CachedRow, RowCache } from './row-cache.ts';
import type { SegmentLookup } from './segment-lookup.ts';
import { surroundings } from './surroundings.ts';

/** A segment of an open generation. */
export interface OpenSegment {
  id: string;
  /** The ordinal of its first row. */
  start: number;
  rows: number;
  gone: GoneRows;
  lookup: SegmentLookup;
}

/** What a store reads from. */
export interface StoreParts {
  client: Pick<Client, 'query'>;
  manifest: Generation;
  segments: readonly OpenSegment[];
  languages: Languages;
  /** The content of `overview.json`. */
  overview: Overview;
  rows: RowCache;
  /** Name of the generation, for errors. */
  name: string;
}

/** A generation of an index in S3 Vectors. */
export class S3VectorsStore implements Store {
  readonly manifest: Store['manifest'];
  readonly size: number;
  readonly lists: RangeLists;
  readonly #parts: StoreParts;
  readonly #segments: ReadonlyMap<string, OpenSegment>;
  readonly #languageNumbers: ReadonlyMap<string, number>;
  readonly #comparer: SentenceComparer;
  /** The cosines that queries returned, by the vector that was searched. */
  readonly #similarities = new WeakMap<Float32Array, Map<number, number>>();

  constructor(parts: StoreParts) {
    const { manifest, segments, name } = parts;
    this.#parts = parts;
    this.manifest = { ...manifest, languages: Object.fromEntries(mostFirst(manifest.languages)) };
    this.size = segments.reduce((sum, { rows }) => sum + rows, 0);
    this.lists = new RangeLists(segments, name);
    this.#segments = new Map(segments.map((segment) => [segment.id, segment]));
    this.#languageNumbers = new Map(manifest.languages.map(([language], number) => [language, number]));
    this.#comparer = new SentenceComparer(manifest.dimensions);
  }

  async nearest(vector: Float32Array, count: number, selection?: Selection): Promise<Neighbor[]> {
    const { client, segments, rows } = this.#parts;
    const wanted = Math.min(count, selection?.ordinals.length ?? this.size);
    if (wanted === 0) return [];
    const filter = {
      $and: [{ segment: { $in: segments.map(({ id }) => id) } }, ...conditionsOf(selection)],
    };
    const length = lengthOf(vector);
    const found: Neighbor[] = [];
    const similarities = this.#similarities.get(vector) ?? new Map<number, number>();
    this.#similarities.set(vector, similarities);
    for (const { key, distance, metadata } of await client.query(vector, wanted, filter)) {
      const ordinal = this.#ordinalOf(key);
      if (ordinal === undefined) continue;
      rows.add(key, metadata);
      // The service scales the vector to length 1. The mean of two vectors is shorter.
      const similarity = length * Math.max(-1, Math.min(1, 1 - distance));
      similarities.set(ordinal, similarity);
      found.push({ ordinal, similarity });
    }
    return found;
  }

  async rows(ordinals: readonly number[], vector?: Float32Array): Promise<Row[]> {
    const known = vector && (this.#similarities.get(vector) ?? new Map<number, number>());
    const bestSentence = vector && this.#comparer.best(vector);
    const needsVector = new Set(
      known ? ordinals.filter((ordinal) => !known.has(ordinal)).map((ordinal) => this.#keyOf(ordinal)) : [],
    );
    const rows = await this.#read(ordinals, (key) => needsVector.has(key));
    return ordinals.map((ordinal, i): Row => {
      const { content, vector: stored } = rows[i]!;
      const damaged = (problem: string) => damagedInS3(this.#keyOf(ordinal), problem);
      const { passage, sentences } = content;
      const language = this.#languageNumbers.get(passage.lang);
      if (language === undefined) throw damaged(`its language ${passage.lang} is not one of its generation`);
      return {
        ordinal,
        language,
        similarity: () => {
          if (!vector || !known) throw new Error('These rows were read without a vector.');
          return known.get(ordinal) ?? dot(vector, stored!) / lengthOf(stored!);
        },
        bestSentence: () => {
          if (!bestSentence) throw new Error('These rows were read without a vector.');
          return bestSentence({
            count: sentences.length / sentenceBytes(this.manifest.dimensions),
            fill: (bytes, start) => bytes.set(sentences.subarray(start, start + bytes.length)),
            damaged: (sentence, norm) => damaged(`sentence ${sentence} has the norm ${norm}`),
          });
        },
        passage: () => passage,
        damaged,
      };
    });
  }

  async tokenCodes(ordinals: readonly number[]): Promise<TokenCodes> {
    if (this.manifest.model.tokens === null) throw new Error('The index has no token states.');
    const contents = (await this.#read(ordinals, () => false)).map(({ content }) => content);
    return {
      codes: Buffer.concat(contents.map(({ blocks }) => blocks)),
      counts: Uint32Array.from(contents, ({ tokens }) => tokens),
    };
  }

  async around(ordinals: readonly number[], context: number): Promise<Surrounding[]> {
    const passagesOf = async (wanted: readonly number[]): Promise<Passage[]> =>
      (await this.#read(wanted, () => false)).map(({ content }) => content.passage);
    return surroundings(await passagesOf(ordinals), context, (key) => this.lists.single(key), passagesOf);
  }

  typicality(vector: Float32Array): Typicality {
    return this.#parts.languages.typicality(vector);
  }

  async overview(): Promise<Overview> {
    return this.#parts.overview;
  }

  /** Whoever opened the client closes it: generations share it. */
  close(): void {}

  async #read(ordinals: readonly number[], withVector: (key: string) => boolean): Promise<CachedRow[]> {
    const keys = ordinals.map((ordinal) => this.#keyOf(ordinal));
    const rows = await this.#parts.rows.read(keys, withVector);
    return keys.map((key) => rows.get(key)!);
  }

  #keyOf(ordinal: number): string {
    const segment = this.#parts.segments.findLast(({ start }) => start <= ordinal);
    if (!segment || ordinal >= segment.start + segment.rows)
      throw damagedInS3(this.#parts.name, `it has no ordinal ${ordinal} of ${this.size}`);
    return vectorKey(segment.id, ordinal - segment.start);
  }

  /** The ordinal of a vector; undefined if its row is not part of this generation. */
  #ordinalOf(key: string): number | undefined {
    const found = parseVectorKey(key);
    const segment = found && this.#segments.get(found.segment);
    if (!segment || found.row >= segment.rows)
      throw damagedInS3(key, `${this.#parts.name} has no such vector`);
    return segment.gone.has(found.row) ? undefined : segment.start + found.row;
  }
}

/** A condition for each field of a filter. */
function conditionsOf(selection: Selection | undefined): object[] {
  return Object.entries(selection?.filter ?? {}).map(([field, value]) => {
    const values = Array.isArray(value) ? value : [value];
    return { fields: { $in: [...new Set(values.map((one) => filterKey(field, one)))] } };
  });
}

function mostFirst(languages: Generation['languages']): Generation['languages'] {
  return [...languages].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
