import { failureOf } from '../../aws/describe-error.ts';
import { Languages } from '../../format/languages-file.ts';
import { parseOverview } from '../../format/overview.ts';
import { Lru } from '../../kit/lru.ts';
import { type Address, formatAddress } from './address.ts';
import { SearchClient } from './client.ts';
import { type Generation, loadGeneration, loadObject, loadSegments, readCurrent } from './generation.ts';
import { type Parts, SegmentLookup } from './lists.ts';
import { damagedInS3, OBJECTS, segmentObject } from './objects.ts';
import { RowCache } from './row-cache.ts';
import { type OpenSegment, S3VectorsStore } from './s3-vectors-store.ts';

/** Bytes of cached parts of segments. */
const MOST_PARTS = 32 << 20;

/** The generations of an index in S3 Vectors. Those opened share connections, rows and segments. */
export class Generations {
  /** The index's address. */
  readonly name: string;
  readonly #client: SearchClient;
  readonly #parts: Parts = new Lru(MOST_PARTS);
  /** Lookups of the segments of the generation that was opened last, and of restricted ones since. */
  #lookups = new Map<string, SegmentLookup>();
  #rows: RowCache | undefined;
  /** The generation that was current at the last look, and the tag of `current.json`. */
  #seen: { generation: number; etag: string } | undefined;

  /** Makes no call. A request may take `timeout` seconds. */
  constructor(address: Address, timeout: number) {
    this.name = formatAddress(address);
    this.#client = new SearchClient(address, timeout);
  }

  /** The number of the current generation; undefined if there is no index yet. */
  async current(): Promise<number | undefined> {
    try {
      const { bytes, etag } = await this.#client.objects.get(OBJECTS.current, { unless: this.#seen?.etag });
      const { generation } = readCurrent(bytes, this.#client.nameOf(OBJECTS.current));
      this.#seen = { generation, etag };
    } catch (error) {
      const failure = failureOf(error);
      if (failure === 'no object') this.#seen = undefined;
      else if (failure !== 'unchanged') throw error;
    }
    return this.#seen?.generation;
  }

  /** Opens a generation for questions. Starts to read its segments, but does not wait for them. */
  async open(generation: number): Promise<S3VectorsStore> {
    const client = this.#client;
    const manifest = await loadGeneration(client, generation);
    const { dimensions, counts } = manifest;
    const name = `${this.name}/generations/${generation}`;
    const [segments, languageBytes, overviewBytes] = await Promise.all([
      this.#openSegments(manifest),
      loadObject(client, manifest, OBJECTS.languages),
      loadObject(client, manifest, OBJECTS.overview),
    ]);
    const languagesName = `${name}/${OBJECTS.languages}`;
    const languages = new Languages(languagesName, dimensions, 0, { bytes: languageBytes });
    if (languages.count !== manifest.languages.length)
      throw damagedInS3(
        languagesName,
        `it has ${languages.count} languages, but its manifest says ${manifest.languages.length}`,
      );
    const mostFirst = [...manifest.languages].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    const passagesByLanguage = Object.fromEntries(mostFirst);
    const overview = parseOverview(overviewBytes, { counts, languages: passagesByLanguage });
    if (!overview) throw damagedInS3(`${name}/${OBJECTS.overview}`, 'it is invalid');
    if (this.#rows?.dimensions !== dimensions) this.#rows = new RowCache(client, dimensions);
    return new S3VectorsStore({
      client,
      manifest: { ...manifest, languages: passagesByLanguage },
      languageNumbers: new Map(manifest.languages.map(([language], number) => [language, number])),
      segments,
      languages,
      overview,
      rows: this.#rows,
      restricted: (manifest.restricted ?? []).map(({ access, generation }) => ({
        groups: access,
        open: () => this.open(generation),
      })),
      name,
    });
  }

  /** Closes the connections. No call may run or follow. */
  close(): void {
    this.#client.close();
  }

  async #openSegments(generation: Generation): Promise<OpenSegment[]> {
    const lookups = new Map(
      generation.segments.map(({ id, rows, files }) => {
        const name = segmentObject(id, OBJECTS.lookup);
        const file = files[OBJECTS.lookup]!;
        const known = this.#lookups.get(id);
        return [id, known ?? new SegmentLookup(this.#client.objects, name, file, rows, this.#parts)];
      }),
    );
    this.#lookups = generation.access ? new Map([...this.#lookups, ...lookups]) : lookups;
    // A failure shows when a question needs it, which tries again.
    for (const lookup of lookups.values()) lookup.prefetch().catch(() => {});
    const segments = await loadSegments(this.#client, generation);
    return segments.map((segment) => ({ ...segment, lookup: lookups.get(segment.id)! }));
  }
}
