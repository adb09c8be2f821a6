import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeFileAt } from './checks.ts';
import type { CompiledModel } from './compiled-model.ts';
import { bytesOf } from './container.ts';
import { readVectors, Spool } from './container-file.ts';
import { digestOf } from './json-file.ts';
import { type LanguageCount, languagesWriter } from './languages-file.ts';
import { fieldKey, KEYS, lookupWriter } from './lookup-file.ts';
import { FORMAT, INDEX_FILES, type Manifest, manifestText, RESTRICTED } from './manifest.ts';
import { overviewRecord, prefixes, type SourceSummary } from './overview.ts';
import type { Suggestion } from './overview-types.ts';
import { documentTitle, type Passage, type Scalar, withTitle } from './passage.ts';
import { passagesWriter } from './passages-file.ts';
import { InvertedFile, Postings } from './postings.ts';
import { sentencesWriter } from './sentences-file.ts';
import { PART, tokensWriter } from './tokens-file.ts';
import { writeAscending, writeList } from './varint.ts';
import { checkReplaceable } from './writable.ts';

/** What an index records of its model. */
type IndexModel = Pick<CompiledModel, 'name' | 'hash' | 'neutral' | 'tokens' | 'dimensions' | 'mean'>;

/** What is known of an index before its passages are embedded. */
export interface IndexPlan {
  documents: number;
  /** Of each language, in order of first appearance. */
  languages: ReadonlyMap<string, LanguageCount>;
  tokens: boolean;
  tuning?: Manifest['tuning'];
  access?: Manifest['access'];
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
interface IndexEnd {
  /** The passages as JSON, in order. */
  records: Iterable<Buffer>;
  suggestions?: Suggestion[];
  /** Groups of passages with the same or nearly the same text, by their ordinals, ascending. */
  duplicates?: number[][];
}

/**
 * Writes the files of an index into a folder, passage by passage. Only the terms, and some bytes a passage, are in memory. The caller
 * writes `graph.bin` from the file of vectors, before the manifest.
 */
export function indexWriter(folder: string, model: IndexModel, plan: IndexPlan) {
  const { name, hash, neutral, dimensions } = model;
  const path = (name: string) => join(folder, name);
  const count = sum(plan.languages, 'passages');
  const vectorsPath = path('vectors.tmp');
  const vectors = new Spool(vectorsPath);
  const sentences = sentencesWriter(path('sentences.bin'), count);
  const tokens = plan.tokens ? tokensWriter(path('tokens.bin'), count, dimensions / PART) : undefined;
  const languages = languagesWriter(path('languages.bin'), plan.languages, dimensions);
  const postings = new Postings(path('postings.tmp'));
  const fields = new InvertedFile(path('fields.tmp'));
  const fieldNames = new Set<string>();
  const sources = new Map<string, SourceSummary>();
  let added = 0;

  return {
    /** Adds the passage of the next ordinal. */
    add(passage: Passage, embeddings: PassageEmbeddings): void {
      vectors.append(bytesOf(embeddings.vector));
      sentences.add(embeddings.sentences);
      tokens?.add(embeddings.codes!);
      languages.add(passage.lang, embeddings.vector, embeddings.sentences);
      postings.add(withTitle(passage).text);
      const keys = new Map<string, number>();
      for (const [field, value] of fieldsOf(passage)) {
        fieldNames.add(field);
        keys.set(fieldKey(field, value), 1);
      }
      fields.add(added++, keys);
      const title = documentTitle(passage);
      const known = sources.get(passage.source) ?? { passages: 0, title };
      sources.set(passage.source, {
        passages: known.passages + 1,
        title: known.title === title ? title : undefined,
      });
    },

    /** A file with the vectors of the passages (f32). */
    vectorsPath,
    /** How many vectors are in the file. The others follow in pieces. */
    vectorsWritten: () => Math.floor(vectors.written / (4 * dimensions)),
    flushVectors: () => vectors.flush(),
    /** The vectors of all passages, in order. Each is valid until the next. */
    vectors: () => readVectors(vectorsPath, dimensions, 0, count),

    /** Writes all files but the graph and the manifest. */
    finish({ records, suggestions = [], duplicates = [] }: IndexEnd): void {
      sentences.finish();
      tokens?.finish();
      languages.finish(model.mean);
      const groups = new Map(duplicates.flatMap((group) => group.map((ordinal) => [ordinal, group[0]!])));
      const keys = postings.size + fields.size + count + duplicates.length + 1;
      const lookup = lookupWriter(path('lookup.bin'), keys);
      for (const [key, data] of postings.records()) lookup.add(key, data);
      for (const { key, ordinals } of fields.lists()) lookup.add(key, writeList(ordinals));
      const passages = passagesWriter(path('passages.bin'), count);
      let ordinal = 0;
      for (const record of records) {
        passages.add(record, groups.get(ordinal));
        const { id } = JSON.parse(record.toString()) as Passage;
        lookup.add(KEYS.id + id, writeAscending([ordinal++]));
      }
      for (const group of duplicates) lookup.add(KEYS.duplicates + group[0], writeList(group));
      lookup.add(KEYS.overview, overviewRecord(sources, suggestions));
      passages.finish();
      lookup.finish();
      postings.remove();
      fields.remove();
    },

    writeManifest(): Manifest {
      vectors.remove();
      const names = ['graph.bin', ...(tokens ? ['tokens.bin'] : []), ...WRITTEN];
      const contained = {
        format: FORMAT,
        model: { name, hash, neutral, tokens: (tokens && model.tokens?.hash) ?? null },
        dimensions,
        counts: {
          documents: plan.documents,
          passages: count,
          sentences: sum(plan.languages, 'sentences'),
          terms: postings.size,
        },
        languages: Object.fromEntries(
          Array.from(plan.languages, ([lang, { passages }]): [string, number] => [lang, passages]).sort(
            ([a, n], [b, m]) => m - n || (a < b ? -1 : 1),
          ),
        ),
        fields: [...fieldNames].sort(),
        ...(plan.tuning && { tuning: plan.tuning }),
        ...(plan.access && { access: plan.access }),
        files: Object.fromEntries(names.map((name) => [name, describeFileAt(path(name))])),
      };
      const manifest = { version: digestOf(contained), ...contained };
      writeFileSync(path('manifest.json'), manifestText(manifest));
      return manifest;
    },
  };
}

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
  const parts = [...INDEX_FILES, RESTRICTED, 'graph.hnsw'];
  checkReplaceable(target, (name) => parts.includes(name), 'an index');
}

/** Metadata, language and source; the latter two with their parents (`de` for `de-AT`, `a/` for `a/b.md`). */
export function fieldsOf({ lang, source, metadata = {} }: Passage): [field: string, value: Scalar][] {
  const folders = prefixes(source, '/').map((folder) => `${folder}/`);
  const values = { ...metadata, lang: [lang, ...prefixes(lang, '-')], source: [source, ...folders] };
  return Object.entries(values).flatMap(([field, value]) =>
    (Array.isArray(value) ? [...new Set(value)] : [value]).map((one): [string, Scalar] => [field, one]),
  );
}
