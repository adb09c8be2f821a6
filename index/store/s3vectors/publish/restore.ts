import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSections, writeSections } from '../../../format/container.ts';
import { Spool } from '../../../format/container-file.ts';
import { writeFolder } from '../../../format/drafts.ts';
import { LANGUAGES, type LanguageCount } from '../../../format/languages-file.ts';
import type { Manifest } from '../../../format/manifest.ts';
import type { Suggestion } from '../../../format/overview-types.ts';
import type { Passage } from '../../../format/passage.ts';
import { deinterleave, PART } from '../../../format/tokens-file.ts';
import { checkIndexFolder, indexWriter } from '../../../format/write-index.ts';
import { graphLinker } from '../../../graph/graph-builder.ts';
import { type Address, formatAddress } from '../address.ts';
import { MOST_KEYS } from '../client.ts';
import { type Generation, loadGeneration, loadObject, ordinalStarts } from '../generation.ts';
import { damagedInS3, generationObject, OBJECTS, ORDER, segmentObject, vectorKey } from '../objects.ts';
import { decodeRow, type RowContent, readPlace, sentenceBytes } from '../row.ts';
import { readPointer } from './pointer.ts';
import { inParallel, type Service, type TransferOptions, withService } from './service.ts';

export interface RestoreOptions extends TransferOptions {
  /** Default: the current generation. */
  generation?: number;
}

/**
 * Writes an index in S3 Vectors into a local folder, in the order of the local index that it was published from. Only its graph differs
 * from that index, because vectors are rounded again.
 * @param target replaces any existing index once everything is written
 * @throws if there is no index, an object or row is missing or damaged, or `target` cannot be written; the reason of `signal`
 */
export async function restoreIndex(
  address: Address,
  target: string,
  options: RestoreOptions = {},
): Promise<Manifest> {
  checkIndexFolder(target);
  return withService(address, options, async (service) => {
    const number = options.generation ?? (await readPointer(service)).current?.generation;
    if (number === undefined)
      throw new Error(
        `${formatAddress(address)} has no index yet. Publish one with npx polyseek index PATH --store s3vectors.`,
      );
    const generation = await loadGeneration(service, number);
    return writeFolder(target, (draft) => restore(service, generation, draft, options));
  });
}

const NONE: LanguageCount = { passages: 0, sentences: 0 };

async function restore(
  service: Service,
  generation: Generation,
  draft: string,
  options: RestoreOptions,
): Promise<Manifest> {
  const typical = await loadObject(service, generation, OBJECTS.languages);
  const overview = await loadObject(service, generation, OBJECTS.overview);
  const { model, dimensions, counts, tuning } = generation;
  /** In the order of their numbers, as the index's writer needs them. */
  const languages = new Map<string, LanguageCount>(generation.languages.map(([lang]) => [lang, NONE]));
  const rows = await downloadRows(service, generation, draft, options, ({ lang, sentences }) => {
    const before = languages.get(lang) ?? NONE;
    languages.set(lang, {
      passages: before.passages + 1,
      sentences: before.sentences + sentences.length,
    });
  });
  // A layer is no part of an index.
  const tokens = model.tokens === null ? undefined : { layer: 0, hash: model.tokens };
  const writer = indexWriter(
    draft,
    { ...model, tokens, dimensions },
    { documents: counts.documents, languages, tokens: tokens !== undefined, tuning },
  );
  const graph = graphLinker(writer.vectorsPath, join(draft, 'graph.bin'), rows.count, dimensions);
  try {
    const groups = new Map<number, number[]>();
    for (let ordinal = 0; ordinal < rows.count; ordinal++) {
      const { content, vector } = rows.get(ordinal);
      const { group, ...passage } = content.passage;
      writer.add(passage, embeddingsOf(content, vector, dimensions));
      if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), ordinal]);
    }
    writer.flushVectors();
    const linked = graph.finish();
    // Awaited below.
    linked.catch(() => {});
    const { suggestions }: { suggestions: Suggestion[] } = JSON.parse(overview.toString());
    writer.finish({ records: records(rows), suggestions, duplicates: [...groups.values()] });
    keepTypicalVectors(join(draft, OBJECTS.languages), typical);
    await linked;
    rows.remove();
    return writer.writeManifest();
  } finally {
    graph.abandon();
  }
}

function embeddingsOf({ sentences, tokens, blocks }: RowContent, vector: Float32Array, dimensions: number) {
  const size = sentenceBytes(dimensions);
  const vectors = Array.from(
    { length: sentences.length / size },
    (_, i) => new Int8Array(sentences.buffer, sentences.byteOffset + i * size, dimensions),
  );
  return { vector, sentences: vectors, codes: deinterleave(blocks, tokens, dimensions / PART) };
}

/** The passages as JSON, in order. */
function* records(rows: RowSpool): Generator<Buffer> {
  for (let ordinal = 0; ordinal < rows.count; ordinal++) {
    const { group: _, ...passage } = rows.get(ordinal).content.passage;
    yield Buffer.from(JSON.stringify(passage));
  }
}

/** The writer has computed typical vectors from rounded ones. Those of the generation are exact. */
function keepTypicalVectors(path: string, languages: Uint8Array): void {
  const [numbers] = readSections(readFileSync(path), LANGUAGES, path);
  const [, typical] = readSections(languages, LANGUAGES, OBJECTS.languages);
  writeFileSync(path, writeSections(LANGUAGES, [numbers!, typical!]));
}

/** Calls of GetVectors at once. */
const PARALLEL = 8;

/** The rows of a generation in a temporary file, in the order of the local index. */
class RowSpool {
  readonly #file: Spool;
  readonly #dimensions: number;
  readonly #starts: Float64Array;
  readonly #lengths: Uint32Array;

  constructor(path: string, rows: number, dimensions: number) {
    this.#file = new Spool(path);
    this.#dimensions = dimensions;
    this.#starts = new Float64Array(rows);
    this.#lengths = new Uint32Array(rows);
  }

  get count(): number {
    return this.#starts.length;
  }

  /** Writes the row of an ordinal of the local index. */
  set(ordinal: number, row: Uint8Array, vector: Float32Array): void {
    this.#starts[ordinal] = this.#file.length;
    this.#lengths[ordinal] = row.length;
    this.#file.append(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
    this.#file.append(row);
  }

  get(ordinal: number): { content: RowContent; vector: Float32Array } {
    const start = this.#starts[ordinal]!;
    const vectorBytes = 4 * this.#dimensions;
    const vector = new Float32Array(Uint8Array.from(this.#file.read(start, vectorBytes)).buffer);
    const row = this.#file.read(start + vectorBytes, this.#lengths[ordinal]!);
    return { content: decodeRow(row, this.#dimensions, `row ${ordinal}`), vector };
  }

  remove(): void {
    this.#file.remove();
  }
}

/** Downloads all rows of a generation, and shows each passage to `see`. Throws if a row is missing or damaged. */
async function downloadRows(
  service: Service,
  generation: Generation,
  folder: string,
  { progress = () => {}, signal }: TransferOptions,
  see: (passage: Passage) => void,
): Promise<RowSpool> {
  const { counts, dimensions, segments } = generation;
  const ordinals = await readOrder(service, generation);
  const starts = ordinalStarts(segments);
  const rows = new RowSpool(join(folder, 'rows.tmp'), counts.passages, dimensions);
  let done = 0;
  const download = async (first: number) => {
    const places = new Map<string, { ordinal: number; segment: string }>();
    for (const [i, there] of ordinals.subarray(first, first + MOST_KEYS).entries()) {
      const index = starts.findLastIndex((start) => start <= there);
      const segment = segments[index]!.id;
      places.set(vectorKey(segment, there - starts[index]!), { ordinal: first + i, segment });
    }
    const count = places.size;
    for (const { key, vector = new Float32Array(0), metadata } of await service.get(
      [...places.keys()],
      true,
    )) {
      const { ordinal, segment } = places.get(key)!;
      places.delete(key);
      if (vector.length !== dimensions) throw damagedInS3(key, `its vector has ${vector.length} dimensions`);
      const place = readPlace(metadata, key);
      const row =
        'bytes' in place
          ? place.bytes
          : (await service.objects.get(segmentObject(segment, OBJECTS.longRows), { range: place })).bytes;
      see(decodeRow(row, dimensions, key).passage);
      rows.set(ordinal, row, vector);
    }
    const [missing] = places.keys();
    if (missing !== undefined) throw damagedInS3(`row ${missing}`, 'it is missing');
    done += count;
    progress({ phase: 'downloading', unit: 'passages', done, total: rows.count });
  };
  function* downloads() {
    for (let first = 0; first < ordinals.length; first += MOST_KEYS) yield () => download(first);
  }
  await inParallel(downloads(), PARALLEL, signal);
  return rows;
}

async function readOrder(service: Service, generation: Generation): Promise<Uint32Array> {
  const { counts, segments } = generation;
  const name = service.nameOf(generationObject(generation.generation, OBJECTS.order));
  const object = await loadObject(service, generation, OBJECTS.order);
  const [section] = readSections(object, ORDER, name) as [Uint8Array];
  const end = ordinalStarts(segments).at(-1)!;
  const isWhole = section.length === 4 * counts.passages;
  const ordinals = isWhole ? new Uint32Array(Uint8Array.from(section).buffer) : undefined;
  if (!ordinals?.every((ordinal) => ordinal < end))
    throw damagedInS3(name, `it does not have ${counts.passages} ordinals below ${end}`);
  return ordinals;
}
