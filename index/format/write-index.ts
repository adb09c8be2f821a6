import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeFile } from './checksums.ts';
import type { CompiledModel } from './compiled-model.ts';
import { checkReplaceable } from './drafts.ts';
import { buildGraph, type GraphBuilder } from './graph-builder.ts';
import { writeLanguages } from './languages-file.ts';
import { fieldKey, KEYS, writeLookup } from './lookup-file.ts';
import { FORMAT, INDEX_FILES, type Manifest, versionOf } from './manifest.ts';
import { overviewRecord } from './overview.ts';
import type { Suggestion } from './overview-types.ts';
import type { Passage, Scalar } from './passage.ts';
import { writePassages } from './passages-file.ts';
import { writePostings } from './postings.ts';
import { writeSentences } from './sentences-file.ts';
import { withTitle } from './titled.ts';
import { PART } from './token-codes-file.ts';
import { writeTokens } from './tokens-file.ts';
import { writeAscending, writeList } from './varint.ts';

/** The contents of an index. A passage's place in the lists is its ordinal. */
export interface IndexContents {
  documents: number;
  passages: Passage[];
  /** An embedding per passage. */
  vectors: Float32Array[];
  /** The graph of these embeddings; built here if missing. */
  graph?: GraphBuilder;
  /** For each passage, a quantized embedding per sentence. */
  sentences: Int8Array[][];
  /** For each passage, the codes of its tokens. Missing in an index without token states. */
  tokens?: Uint8Array[];
  /** Questions to try first. */
  suggestions?: Suggestion[];
  /** Groups of passages with the same or nearly the same text, by their ordinals, ascending. */
  duplicates?: number[][];
}

/** Writes the files of an index into a folder. */
export function writeIndexFiles(folder: string, model: CompiledModel, contents: IndexContents): Manifest {
  const { documents, passages, vectors, sentences, suggestions = [], duplicates = [] } = contents;
  const postings = writePostings(passages.map((passage) => withTitle(passage).text));
  const { records: fields, names } = fieldRecords(passages);
  const { graph = buildGraph(vectors) } = contents;
  graph.write(join(folder, 'graph.bin'));
  const files = {
    'passages.bin': writePassages(withGroups(passages, duplicates)),
    'sentences.bin': writeSentences(sentences),
    'languages.bin': writeLanguages(
      passages.map(({ lang }) => lang),
      vectors,
      sentences,
      model.mean,
    ),
    'lookup.bin': writeLookup(
      new Map([
        ...postings,
        ...fields,
        ...idRecords(passages),
        ...duplicates.map((group): [string, Uint8Array] => [KEYS.duplicates + group[0], writeList(group)]),
        ...overviewRecord(passages, suggestions),
      ]),
    ),
  };
  const { tokens } = contents;
  if (tokens) writeFileSync(join(folder, 'tokens.bin'), writeTokens(tokens, model.dimensions / PART));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  const list = Object.fromEntries(
    ['graph.bin', ...(tokens ? ['tokens.bin'] : []), ...Object.keys(files)].map((name) => [
      name,
      describeFile(readFileSync(join(folder, name))),
    ]),
  );
  const contained = {
    format: FORMAT,
    model: {
      name: model.name,
      hash: model.hash,
      neutral: model.neutral,
      tokens: (tokens && model.tokens?.hash) ?? null,
    },
    dimensions: model.dimensions,
    counts: {
      documents,
      passages: passages.length,
      sentences: sentences.reduce((sum, { length }) => sum + length, 0),
      terms: postings.size,
    },
    languages: countLanguages(passages),
    fields: names,
    files: list,
  };
  const manifest = { version: versionOf(contained), ...contained };
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Refuses to replace a folder that is not an index, or that cannot be written. */
export function checkIndexFolder(target: string): void {
  // graph.hnsw belongs to indexes of format 1.
  checkReplaceable(target, (name) => INDEX_FILES.includes(name) || name === 'graph.hnsw', 'an index');
}

/** Refuses an empty list of passages, and two passages with the same id. */
export function checkPassages(passages: readonly Passage[]): void {
  if (passages.length === 0)
    throw new Error('No text found. Name text, Markdown, HTML or JSON Lines files, or folders of them.');
  const sources = new Map<string, string>();
  for (const { id, source } of passages) {
    const other = sources.get(id);
    if (other !== undefined) {
      throw new Error(
        `Two passages have the id ${JSON.stringify(id)}, in ${other} and in ${source}. Give each record a unique id.`,
      );
    }
    sources.set(id, source);
  }
}

/** Marks each passage of a group with the group's first ordinal. */
function withGroups(passages: readonly Passage[], groups: readonly number[][]): Passage[] {
  const marked = [...passages];
  for (const group of groups) {
    for (const ordinal of group) marked[ordinal] = { ...passages[ordinal]!, group: group[0]! };
  }
  return marked;
}

function idRecords(passages: Passage[]): Map<string, Uint8Array> {
  return new Map(passages.map(({ id }, ordinal) => [KEYS.id + id, writeAscending([ordinal])]));
}

/** A record per field value: the number of its passages (u32), then their ordinals. */
function fieldRecords(passages: Passage[]): { records: Map<string, Uint8Array>; names: string[] } {
  const ordinals = new Map<string, number[]>();
  const names = new Set<string>();
  passages.forEach((passage, ordinal) => {
    for (const [field, value] of fieldsOf(passage)) {
      names.add(field);
      const key = fieldKey(field, value);
      const list = ordinals.get(key);
      if (list) list.push(ordinal);
      else ordinals.set(key, [ordinal]);
    }
  });
  const records = new Map<string, Uint8Array>();
  for (const [key, list] of ordinals) {
    records.set(key, writeList(list));
  }
  return { records, names: [...names].sort() };
}

/** Metadata, language and source; the latter two with their parents (`de` for `de-AT`, `a/` for `a/b.md`). */
function fieldsOf({ lang, source, metadata = {} }: Passage): [field: string, value: Scalar][] {
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

function countLanguages(passages: Passage[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { lang } of passages) counts.set(lang, (counts.get(lang) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)));
}
