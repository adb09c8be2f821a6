import type { FileList } from '../../format/checks.ts';
import { Languages } from '../../format/languages-file.ts';
import { parseOverview } from '../../format/overview.ts';
import { Lru } from '../../kit/lru.ts';
import { type Address, formatAddress } from './address.ts';
import { Client } from './client.ts';
import {
  type Generation,
  GoneRows,
  hasGoneObject,
  ordinalStarts,
  readCurrent,
  readGeneration,
  readGone,
  type Segment,
} from './generation.ts';
import { SegmentLookup } from './lists.ts';
import { damagedInS3, generationObject, goneObject, OBJECTS, segmentObject } from './objects.ts';
import { type Blocks, RemoteFile } from './remote-file.ts';
import { RowCache } from './row-cache.ts';
import { type OpenSegment, S3VectorsStore } from './s3-vectors-store.ts';

/** Bytes of cached blocks of large objects. */
const MOST_BLOCKS = 32 << 20;

/** The generations of an index in S3 Vectors. Those opened share connections, rows and segments. */
export class Generations {
  /** The index's address. */
  readonly name: string;
  readonly #client: Client;
  readonly #blocks: Blocks = new Lru(MOST_BLOCKS);
  /** Lookups of the segments of the generation that was opened last. */
  #lookups = new Map<string, SegmentLookup>();
  #rows: { cache: RowCache; dimensions: number } | undefined;
  /** The generation that was current at the last look, and the tag of `current.json`. */
  #seen: { generation: number; etag: string } | undefined;

  /**
   * Makes no call.
   * @param timeout seconds that a request may take
   */
  constructor(address: Address, timeout: number) {
    this.name = formatAddress(address);
    this.#client = new Client(address, timeout);
  }

  /** The number of the current generation; undefined if there is no index yet. */
  async current(): Promise<number | undefined> {
    const found = await this.#client.changed(OBJECTS.current, this.#seen?.etag);
    if (found === undefined) this.#seen = undefined;
    else if (found !== 'same') {
      const { generation } = readCurrent(found.bytes, `${this.name}/${OBJECTS.current}`);
      this.#seen = { generation, etag: found.etag };
    }
    return this.#seen?.generation;
  }

  /** Reads the manifest of a generation. */
  async manifest(generation: number): Promise<Generation> {
    const name = generationObject(generation, OBJECTS.manifest);
    const manifest = readGeneration(await this.#client.object(name), `${this.name}/${name}`);
    if (manifest.generation !== generation)
      throw damagedInS3(`${this.name}/${name}`, `it is the manifest of generation ${manifest.generation}`);
    return manifest;
  }

  /** Opens a generation for questions. Starts to read its segments, but does not wait for them. */
  async open(generation: number): Promise<S3VectorsStore> {
    const manifest = await this.manifest(generation);
    const { dimensions } = manifest;
    const name = `${this.name}/generations/${generation}`;
    const read = async (object: string): Promise<Buffer> => {
      const file = manifest.files[object];
      if (!file) throw damagedInS3(name, `its manifest does not list ${object}`);
      return this.#file(generationObject(generation, object), file).whole();
    };
    const [segments, languageBytes, overviewBytes] = await Promise.all([
      this.#openSegments(manifest, name, read),
      read(OBJECTS.languages),
      read(OBJECTS.overview),
    ]);
    const languages = new Languages(`${name}/${OBJECTS.languages}`, dimensions, 0, { bytes: languageBytes });
    if (languages.count !== manifest.languages.length)
      throw damagedInS3(
        `${name}/${OBJECTS.languages}`,
        `it has ${languages.count} languages, but its manifest says ${manifest.languages.length}`,
      );
    const passagesByLanguage = Object.fromEntries(mostFirst(manifest.languages));
    const overview = parseOverview(overviewBytes, {
      counts: manifest.counts,
      languages: passagesByLanguage,
    });
    if (!overview) throw damagedInS3(`${name}/${OBJECTS.overview}`, 'it is invalid');
    return new S3VectorsStore({
      client: this.#client,
      manifest: { ...manifest, languages: passagesByLanguage },
      languageNumbers: new Map(manifest.languages.map(([language], number) => [language, number])),
      segments,
      languages,
      overview,
      rows: this.#rowsOf(dimensions),
      name,
    });
  }

  /** Closes the connections. No call may run or follow. */
  close(): void {
    this.#client.close();
  }

  async #openSegments(
    manifest: Generation,
    name: string,
    read: (object: string) => Promise<Buffer>,
  ): Promise<OpenSegment[]> {
    const { segments } = manifest;
    const starts = ordinalStarts(segments);
    this.#lookups = new Map(segments.map((segment) => [segment.id, this.#lookupOf(segment)]));
    return Promise.all(
      segments.map(async (segment, i): Promise<OpenSegment> => {
        const { id, rows } = segment;
        const lookup = this.#lookupOf(segment);
        // A failure shows when a question needs it, which tries again.
        lookup.prefetch().catch(() => {});
        const object = hasGoneObject(segment) ? await read(goneObject(id)) : undefined;
        const gone = new GoneRows(readGone(segment, object, name));
        return { id, start: starts[i]!, rows, gone, lookup };
      }),
    );
  }

  #lookupOf({ id, rows, files }: Segment): SegmentLookup {
    const file = this.#file(segmentObject(id, OBJECTS.lookup), files[OBJECTS.lookup]!);
    return this.#lookups.get(id) ?? new SegmentLookup(file, rows);
  }

  #file(name: string, file: FileList[string]): RemoteFile {
    return new RemoteFile(this.#client, name, file, this.#blocks);
  }

  #rowsOf(dimensions: number): RowCache {
    if (this.#rows?.dimensions !== dimensions)
      this.#rows = { dimensions, cache: new RowCache(this.#client, dimensions) };
    return this.#rows.cache;
  }
}

function mostFirst(languages: Generation['languages']): Generation['languages'] {
  return [...languages].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
}
