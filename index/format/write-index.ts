import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeFile } from './checksums.ts';
import type { CompiledModel } from './compiled-model.ts';
import { checkReplaceable, mendFolder, replaceFolder } from './drafts.ts';
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
import { writeAscending, writeList } from './varint.ts';

/** All that an index holds, passages in order of their ordinals. */
export interface IndexContents {
  documents: number;
  passages: Passage[];
  /** A vector for each passage. */
  vectors: Float32Array[];
  /** The graph of these vectors, where it has been built meanwhile. */
  graph?: GraphBuilder;
  /** For each passage, a quantized vector for each of its sentences. */
  sentences: Int8Array[][];
  /** Questions that a reader could begin with. */
  suggestions?: Suggestion[];
}

/**
 * Writes an index to a new folder beside `out` and renames it: whoever is killed on the way leaves the index that was there.
 * @throws if there is nothing to write, two passages share an id, or `out` holds something that is not an index
 */
export function writeIndex(out: string, model: CompiledModel, contents: IndexContents): Manifest {
  const { documents, passages, vectors, sentences, suggestions = [] } = contents;
  checkPassages(passages);
  checkOut(out);
  mendFolder(out);
  const draft = `${resolve(out)}.${process.pid}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  try {
    const postings = writePostings(passages.map(({ text }) => text));
    const { records: fields, names } = fieldRecords(passages);
    const { graph = buildGraph(vectors) } = contents;
    graph.write(join(draft, 'graph.bin'));
    const files = {
      'passages.bin': writePassages(passages),
      'sentences.bin': writeSentences(sentences),
      'languages.bin': writeLanguages(
        passages.map(({ lang }) => lang),
        vectors,
        sentences,
        model.mean,
      ),
      'lookup.bin': writeLookup(
        new Map([...postings, ...fields, ...idRecords(passages), ...overviewRecord(passages, suggestions)]),
      ),
    };
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(draft, name), bytes);
    const list = Object.fromEntries(
      ['graph.bin', ...Object.keys(files)].map((name) => [
        name,
        describeFile(readFileSync(join(draft, name))),
      ]),
    );
    const contained = {
      format: FORMAT,
      model: { name: model.name, hash: model.hash, neutral: model.neutral },
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
    writeFileSync(join(draft, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    replaceFolder(draft, resolve(out));
    return manifest;
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
}

/** Refuses to put an index where something else is. */
export function checkOut(out: string): void {
  // An index of format 1, whose graph had this name, can be replaced too.
  checkReplaceable(out, (name) => INDEX_FILES.includes(name) || name === 'graph.hnsw', 'an index');
}

/** Refuses passages that make no index: none at all, or two with one id. */
export function checkPassages(passages: readonly Passage[]): void {
  if (passages.length === 0)
    throw new Error(
      'The documents hold no text: name files, or folders with files, of text, Markdown, HTML or JSON Lines.',
    );
  const sources = new Map<string, string>();
  for (const { id, source } of passages) {
    const other = sources.get(id);
    if (other !== undefined) {
      throw new Error(
        `Two passages have the id ${JSON.stringify(id)}, in ${other} and in ${source}: give every record an id of its own.`,
      );
    }
    sources.set(id, source);
  }
}

function idRecords(passages: Passage[]): Map<string, Uint8Array> {
  return new Map(passages.map(({ id }, ordinal) => [KEYS.id + id, writeAscending([ordinal])]));
}

/** The passages that have each value of each field: number of passages (u32), then their ordinals. */
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

/** Language and source, each with what they are part of (`de-AT`: `de`; `a/b.md`: `a/`), and metadata. */
function fieldsOf({ lang, source, metadata = {} }: Passage): [field: string, value: Scalar][] {
  const folders = prefixes(source, '/').map((folder) => `${folder}/`);
  const values = { ...metadata, lang: [lang, ...prefixes(lang, '-')], source: [source, ...folders] };
  return Object.entries(values).flatMap(([field, value]) =>
    (Array.isArray(value) ? [...new Set(value)] : [value]).map((one): [string, Scalar] => [field, one]),
  );
}

/** What stands before each separator: `a/b/c` gives `a` and `a/b`. */
function prefixes(text: string, separator: string): string[] {
  const parts = text.split(separator);
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join(separator));
}

function countLanguages(passages: Passage[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { lang } of passages) counts.set(lang, (counts.get(lang) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)));
}
