import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSections, writeSections } from '../../../format/container.ts';
import { writeFolder } from '../../../format/drafts.ts';
import { GraphLinker } from '../../../format/graph-linker.ts';
import { LANGUAGES, type LanguageCount } from '../../../format/languages-file.ts';
import type { Manifest } from '../../../format/manifest.ts';
import type { Suggestion } from '../../../format/overview-types.ts';
import { PART } from '../../../format/token-codes-file.ts';
import { deinterleave } from '../../../format/tokens-file.ts';
import { checkIndexFolder, IndexWriter } from '../../../format/write-index.ts';
import { type Address, formatAddress } from '../address.ts';
import type { Generation } from '../generation.ts';
import { generationObject, OBJECTS } from '../objects.ts';
import { type RowContent, sentenceBytes } from '../row.ts';
import { downloadRows, type RowSpool } from './download-rows.ts';
import { readManifestOf, readObjectOf, readPointer } from './generations.ts';
import { Service } from './service.ts';
import type { TransferOptions } from './transfer.ts';

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
  const service = new Service(address, options);
  try {
    const number = options.generation ?? (await readPointer(service)).current?.generation;
    if (number === undefined)
      throw new Error(
        `${formatAddress(address)} has no index yet. Publish one with npx polyseek index PATH --store s3vectors.`,
      );
    const generation = await readManifestOf(service, number);
    return await writeFolder(target, (draft) => restore(service, generation, draft, options));
  } finally {
    service.close();
  }
}

async function restore(
  service: Service,
  generation: Generation,
  draft: string,
  options: RestoreOptions,
): Promise<Manifest> {
  const read = (name: string) =>
    readObjectOf(service, generationObject(generation.generation, name), generation.files[name]!);
  const [typical, overview] = [await read(OBJECTS.languages), await read(OBJECTS.overview)];
  const rows = await downloadRows(service, generation, await read(OBJECTS.order), draft, options);
  const { model, dimensions, counts, languages } = generation;
  // A layer is no part of an index.
  const tokens = model.tokens === null ? undefined : { layer: 0, hash: model.tokens };
  const writer = new IndexWriter(
    draft,
    { ...model, tokens, dimensions },
    { documents: counts.documents, languages: countLanguages(languages, rows), tokens: tokens !== undefined },
  );
  const graph = new GraphLinker(writer.vectorsPath, join(draft, 'graph.bin'), rows.count, dimensions);
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

/** The languages in the order of their numbers, as the index's writer needs them. */
function countLanguages(languages: Generation['languages'], rows: RowSpool): Map<string, LanguageCount> {
  const counts = new Map(languages.map(([language]) => [language, { passages: 0, sentences: 0 }]));
  for (let ordinal = 0; ordinal < rows.count; ordinal++) {
    const { lang, sentences } = rows.get(ordinal).content.passage;
    const count = counts.get(lang) ?? { passages: 0, sentences: 0 };
    count.passages++;
    count.sentences += sentences.length;
    counts.set(lang, count);
  }
  return counts;
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
