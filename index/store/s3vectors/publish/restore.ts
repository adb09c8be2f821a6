import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSections, writeSections } from '../../../format/container.ts';
import { Spool } from '../../../format/container-file.ts';
import { writeFolder } from '../../../format/drafts.ts';
import { LANGUAGES } from '../../../format/languages-file.ts';
import { type Manifest, restrictedFolder } from '../../../format/manifest.ts';
import type { Suggestion } from '../../../format/overview-types.ts';
import { deinterleave, PART } from '../../../format/tokens-file.ts';
import { checkIndexFolder, indexWriter } from '../../../format/write-index.ts';
import { graphLinker } from '../../../graph/graph-builder.ts';
import { type Address, formatAddress } from '../address.ts';
import { MOST_KEYS } from '../client.ts';
import {
  type Generation,
  keyOfOrdinal,
  type LoadedSegment,
  loadGeneration,
  loadObject,
  loadSegments,
} from '../generation.ts';
import { damagedInS3, generationObject, OBJECTS, ORDER } from '../objects.ts';
import { type RowContent, sentenceBytes } from '../row.ts';
import { type CachedRow, RowCache } from '../row-cache.ts';
import { readPointer } from './pointer.ts';
import { type Service, type TransferOptions, withService } from './service.ts';

interface RestoreOptions extends TransferOptions {
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
    return writeFolder(target, async (draft) => {
      for (const [i, { generation: number }] of (generation.restricted ?? []).entries()) {
        const folder = restrictedFolder(draft, i);
        mkdirSync(folder, { recursive: true });
        await restore(service, await loadGeneration(service, number), folder, options);
      }
      return restore(service, generation, draft, options);
    });
  });
}

async function restore(
  service: Service,
  generation: Generation,
  draft: string,
  options: RestoreOptions,
): Promise<Manifest> {
  const typical = await loadObject(service, generation, OBJECTS.languages);
  const overview = await loadObject(service, generation, OBJECTS.overview);
  const { model, dimensions, counts, tuning, access } = generation;
  /** In the order of their numbers, as the index's writer needs them. Sentences are counted below. */
  const languages = new Map(
    generation.languages.map(([lang, passages]) => [lang, { passages, sentences: 0 }]),
  );
  // A layer is no part of an index.
  const tokens = model.tokens === null ? undefined : { layer: 0, hash: model.tokens };
  const writer = indexWriter(
    draft,
    { ...model, tokens, dimensions },
    {
      documents: counts.documents,
      languages,
      tokens: tokens !== undefined,
      tuning,
      ...(access && { access }),
    },
  );
  const graph = graphLinker(writer.vectorsPath, join(draft, 'graph.bin'), counts.passages, dimensions);
  /** The passages as JSON, in order, and the bytes of each. */
  const records = new Spool(join(draft, 'records.tmp'));
  const lengths: number[] = [];
  function* readRecords() {
    let start = 0;
    for (const length of lengths) {
      yield records.read(start, length);
      start += length;
    }
  }
  try {
    const groups = new Map<number, number[]>();
    for await (const { key, content, vector } of downloadRows(service, generation, options)) {
      const { group, ...passage } = content.passage;
      const language = languages.get(passage.lang);
      if (!language) throw damagedInS3(key, `its language ${passage.lang} is not one of its generation`);
      language.sentences += passage.sentences.length;
      if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), lengths.length]);
      writer.add(passage, embeddingsOf(content, vector!, dimensions));
      const record = Buffer.from(JSON.stringify(passage));
      records.append(record);
      lengths.push(record.length);
    }
    writer.flushVectors();
    const linked = graph.finish();
    // Awaited below.
    linked.catch(() => {});
    const { suggestions }: { suggestions: Suggestion[] } = JSON.parse(overview.toString());
    writer.finish({ records: readRecords(), suggestions, duplicates: [...groups.values()] });
    keepTypicalVectors(join(draft, OBJECTS.languages), typical);
    await linked;
    records.remove();
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

/** The writer has computed typical vectors from rounded ones. Those of the generation are exact. */
function keepTypicalVectors(path: string, languages: Uint8Array): void {
  const [numbers] = readSections(readFileSync(path), LANGUAGES, path);
  const [, typical] = readSections(languages, LANGUAGES, OBJECTS.languages);
  writeFileSync(path, writeSections(LANGUAGES, [numbers!, typical!]));
}

/** Calls of GetVectors at once. */
const PARALLEL = 8;

/** Downloads all rows of a generation, in the order of the local index. Throws if a row is missing or damaged. */
async function* downloadRows(
  service: Service,
  generation: Generation,
  { progress = () => {}, signal }: TransferOptions,
): AsyncGenerator<CachedRow & { key: string }> {
  const segments = await loadSegments(service, generation);
  const ordinals = await readOrder(service, generation, segments);
  const rows = new RowCache(service, generation.dimensions);
  const download = async (first: number) => {
    const batch = ordinals.subarray(first, first + MOST_KEYS);
    const keys = Array.from(batch, (ordinal) => keyOfOrdinal(segments, ordinal)!);
    const found = await rows.read(keys, new Set(keys));
    return keys.map((key) => {
      const row = found.get(key);
      if (!row) throw damagedInS3(`row ${key}`, 'it is missing');
      return { key, ...row };
    });
  };
  const running: ReturnType<typeof download>[] = [];
  for (let first = 0, done = 0; done < ordinals.length; ) {
    for (; running.length < PARALLEL && first < ordinals.length; first += MOST_KEYS) {
      const batch = download(first);
      // Awaited in order.
      batch.catch(() => {});
      running.push(batch);
    }
    const batch = await running.shift()!;
    signal?.throwIfAborted();
    yield* batch;
    done += batch.length;
    progress({ phase: 'downloading', unit: 'passages', done, total: ordinals.length });
  }
}

async function readOrder(
  service: Service,
  generation: Generation,
  segments: readonly LoadedSegment[],
): Promise<Uint32Array> {
  const { passages } = generation.counts;
  const name = service.nameOf(generationObject(generation.generation, OBJECTS.order));
  const object = await loadObject(service, generation, OBJECTS.order);
  const [section] = readSections(object, ORDER, name) as [Uint8Array];
  const last = segments.at(-1)!;
  const end = last.start + last.rows;
  const isWhole = section.length === 4 * passages;
  const ordinals = isWhole ? new Uint32Array(Uint8Array.from(section).buffer) : undefined;
  if (!ordinals?.every((ordinal) => ordinal < end))
    throw damagedInS3(name, `it does not have ${passages} ordinals below ${end}`);
  return ordinals;
}
