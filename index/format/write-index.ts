import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeFileAt } from './checks.ts';
import type { CompiledModel } from './compiled-model.ts';
import { bytesOf } from './container.ts';
import { readVectors, Spool } from './container-file.ts';
import { type LanguageCount, LanguagesWriter } from './languages-file.ts';
import { fieldKey, KEYS, LookupWriter } from './lookup-file.ts';
import { FORMAT, INDEX_FILES, type Manifest, manifestText, versionOf } from './manifest.ts';
import { overviewRecord } from './overview.ts';
import type { Suggestion } from './overview-types.ts';
import { type Passage, type Scalar, withTitle } from './passage.ts';
import { PassagesWriter } from './passages-file.ts';
import { InvertedFile, Postings } from './postings.ts';
import { SentencesWriter } from './sentences-file.ts';
import { PART, TokensWriter } from './tokens-file.ts';
import { writeAscending, writeList } from './varint.ts';
import { checkReplaceable } from './writable.ts';

/** What an index records of its model. */
export type IndexModel = Pick<CompiledModel, 'name' | 'hash' | 'neutral' | 'tokens' | 'dimensions' | 'mean'>;

/** What is known of an index before its passages are embedded. */
export interface IndexPlan {
  documents: number;
  /** Of each language, in order of first appearance. */
  languages: ReadonlyMap<string, LanguageCount>;
  tokens: boolean;
  tuning?: Manifest['tuning'];
}

/** The embeddings of a passage, as an index contains them. */
export interface PassageEmbeddings {
  vector: Float32Array;
  /** A quantized embedding per sentence. */
  sentences: Int8Array[];
  /** The codes of its tokens. Missing in an index without token states. */
  codes?: Uint8Array;
}

/** What is known of an index after all passages are added. */
export interface IndexEnd {
  /** The passages as JSON, in order. */
  records: Iterable<Buffer>;
  /** Questions to try first. */
  suggestions?: Suggestion[];
  /** Groups of passages with the same or nearly the same text, by their ordinals, ascending. */
  duplicates?: number[][];
}

/**
 * Writes the files of an index into a folder, passage by passage. Only the terms, and some bytes a passage, are in memory. The caller
 * writes `graph.bin` from the file of vectors, before the manifest.
 */
export class IndexWriter {
  readonly #folder: string;
  readonly #model: IndexModel;
  readonly #plan: IndexPlan;
  readonly #passages: number;
  readonly #vectors: Spool;
  readonly #sentences: SentencesWriter;
  readonly #tokens: TokensWriter | undefined;
  readonly #languages: LanguagesWriter;
  readonly #postings: Postings;
  readonly #fields: InvertedFile;
  readonly #fieldNames = new Set<string>();
  readonly #sources = new Map<string, number>();
  #added = 0;

  constructor(folder: string, model: IndexModel, plan: IndexPlan) {
    const { dimensions } = model;
    const path = (name: string) => join(folder, name);
    this.#folder = folder;
    this.#model = model;
    this.#plan = plan;
    this.#passages = sum(plan.languages, 'passages');
    this.#vectors = new Spool(path(VECTORS));
    this.#sentences = new SentencesWriter(path('sentences.bin'), this.#passages);
    if (plan.tokens) this.#tokens = new TokensWriter(path('tokens.bin'), this.#passages, dimensions / PART);
    this.#languages = new LanguagesWriter(path('languages.bin'), plan.languages, dimensions);
    this.#postings = new Postings(path('postings.tmp'));
    this.#fields = new InvertedFile(path('fields.tmp'));
  }

  /** Adds the passage of the next ordinal. */
  add(passage: Passage, { vector, sentences, codes }: PassageEmbeddings): void {
    this.#vectors.append(bytesOf(vector));
    this.#sentences.add(sentences);
    this.#tokens?.add(codes!);
    this.#languages.add(passage.lang, vector, sentences);
    this.#postings.add(withTitle(passage).text);
    const fields = new Map<string, number>();
    for (const [field, value] of fieldsOf(passage)) {
      this.#fieldNames.add(field);
      fields.set(fieldKey(field, value), 1);
    }
    this.#fields.add(this.#added++, fields);
    this.#sources.set(passage.source, (this.#sources.get(passage.source) ?? 0) + 1);
  }

  get vectorsPath(): string {
    return join(this.#folder, VECTORS);
  }

  /** How many vectors are in the file. The others follow in pieces. */
  get vectorsWritten(): number {
    return Math.floor(this.#vectors.written / (4 * this.#model.dimensions));
  }

  flushVectors(): void {
    this.#vectors.flush();
  }

  /** The vectors of all passages, in order. Each is valid until the next. */
  vectors(): Iterable<Float32Array> {
    return readVectors(this.vectorsPath, this.#model.dimensions, 0, this.#passages);
  }

  /** Writes all files but the graph and the manifest. */
  finish(end: IndexEnd): void {
    this.#sentences.finish();
    this.#tokens?.finish();
    this.#languages.finish(this.#model.mean);
    this.#writeRecords(end);
    this.#postings.remove();
    this.#fields.remove();
  }

  writeManifest(): Manifest {
    const path = (name: string) => join(this.#folder, name);
    this.#vectors.remove();
    const names = ['graph.bin', ...(this.#tokens ? ['tokens.bin'] : []), ...WRITTEN];
    const { name, hash, neutral, tokens, dimensions } = this.#model;
    const contained = {
      format: FORMAT,
      model: { name, hash, neutral, tokens: (this.#tokens && tokens?.hash) ?? null },
      dimensions,
      counts: {
        documents: this.#plan.documents,
        passages: this.#passages,
        sentences: sum(this.#plan.languages, 'sentences'),
        terms: this.#postings.size,
      },
      languages: Object.fromEntries(
        Array.from(this.#plan.languages, ([lang, { passages }]): [string, number] => [lang, passages]).sort(
          ([a, n], [b, m]) => m - n || (a < b ? -1 : 1),
        ),
      ),
      fields: [...this.#fieldNames].sort(),
      ...(this.#plan.tuning && { tuning: this.#plan.tuning }),
      files: Object.fromEntries(names.map((name) => [name, describeFileAt(path(name))])),
    };
    const manifest = { version: versionOf(contained), ...contained };
    writeFileSync(path('manifest.json'), manifestText(manifest));
    return manifest;
  }

  #writeRecords({ records, suggestions = [], duplicates = [] }: IndexEnd): void {
    const groups = new Map(duplicates.flatMap((group) => group.map((ordinal) => [ordinal, group[0]!])));
    const count = this.#postings.size + this.#fields.size + this.#passages + duplicates.length + 1;
    const lookup = new LookupWriter(join(this.#folder, 'lookup.bin'), count);
    for (const [key, data] of this.#postings.records()) lookup.add(key, data);
    for (const { key, ordinals } of this.#fields.lists()) lookup.add(key, writeList(ordinals));
    const passages = new PassagesWriter(join(this.#folder, 'passages.bin'), this.#passages);
    let ordinal = 0;
    for (const record of records) {
      passages.add(record, groups.get(ordinal));
      const { id } = JSON.parse(record.toString()) as Passage;
      lookup.add(KEYS.id + id, writeAscending([ordinal++]));
    }
    for (const group of duplicates) lookup.add(KEYS.duplicates + group[0], writeList(group));
    lookup.add(KEYS.overview, overviewRecord(this.#sources, suggestions));
    passages.finish();
    lookup.finish();
  }
}

/** A temporary file: the vectors of the passages (f32). */
const VECTORS = 'vectors.tmp';
/** The files that the manifest lists last, in its order. */
const WRITTEN = ['passages.bin', 'sentences.bin', 'languages.bin', 'lookup.bin'];

function sum(languages: IndexPlan['languages'], key: keyof LanguageCount): number {
  let total = 0;
  for (const count of languages.values()) total += count[key];
  return total;
}

/** Refuses to replace a folder that is not an index, or that cannot be written. */
export function checkIndexFolder(target: string): void {
  // graph.hnsw belongs to indexes of format 1.
  checkReplaceable(target, (name) => INDEX_FILES.includes(name) || name === 'graph.hnsw', 'an index');
}

/** Metadata, language and source; the latter two with their parents (`de` for `de-AT`, `a/` for `a/b.md`). */
export function fieldsOf({ lang, source, metadata = {} }: Passage): [field: string, value: Scalar][] {
  const folders = prefixes(source, '/').map((folder) => `${folder}/`);
  const values = { ...metadata, lang: [lang, ...prefixes(lang, '-')], source: [source, ...folders] };
  return Object.entries(values).flatMap(([field, value]) =>
    (Array.isArray(value) ? [...new Set(value)] : [value]).map((one): [string, Scalar] => [field, one]),
  );
}

/** The text before each separator: `a` and `a/b` for `a/b/c`. */
function prefixes(text: string, separator: string): string[] {
  const parts = text.split(separator);
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join(separator));
}
