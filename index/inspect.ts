import { join } from 'node:path';
import { readManifest } from './format/manifest.ts';
import type { Passage } from './format/passage.ts';
import { Passages } from './format/passages-file.ts';

/** Sources and passages listed in an inspection. */
const LISTED = 5;

/** What a source, such as a file, became. */
export interface InspectedSource {
  source: string;
  passages: number;
  /** Characters of all its passages. */
  characters: number;
  /** Most frequent first. */
  languages: string[];
}

/** A passage, shortened to what identifies it. */
export interface PassageSummary {
  id: string;
  source: string;
  title: string;
  characters: number;
}

/** What an index contains. */
export interface Inspection {
  version: string;
  model: string;
  counts: { documents: number; passages: number; sentences: number; terms: number };
  /** Passages in each language. */
  languages: Record<string, number>;
  sources: InspectedSource[];
  /** Passages with the same or nearly the same text as an earlier one. */
  duplicates: number;
  longest: PassageSummary[];
  shortest: PassageSummary[];
}

/**
 * Reads what an index contains. Changes nothing on disk.
 * @param index folder of an index
 */
export function inspectIndex(index: string): Inspection {
  const { version, model, counts, languages } = readManifest(index, undefined, true);
  const sources = new Map<string, InspectedSource>();
  const byLanguage = new Map<string, Map<string, number>>();
  const summaries: PassageSummary[] = [];
  let duplicates = 0;
  for (const [ordinal, passage] of allPassages(index)) {
    const { id, source, title, text, lang, group } = passage;
    const found = sources.get(source) ?? { source, passages: 0, characters: 0, languages: [] };
    sources.set(source, found);
    found.passages++;
    found.characters += text.length;
    const counted = byLanguage.get(source) ?? new Map<string, number>();
    byLanguage.set(source, counted.set(lang, (counted.get(lang) ?? 0) + 1));
    if (group !== undefined && group !== ordinal) duplicates++;
    summaries.push({ id, source, title, characters: text.length });
  }
  for (const [source, counted] of byLanguage)
    sources.get(source)!.languages = [...counted].sort(([, a], [, b]) => b - a).map(([lang]) => lang);
  const byLength = summaries.sort((a, b) => b.characters - a.characters || (a.id < b.id ? -1 : 1));
  return {
    version,
    model: model.name,
    counts,
    languages,
    sources: [...sources.values()],
    duplicates,
    longest: byLength.slice(0, LISTED),
    shortest: byLength.slice(-LISTED).reverse(),
  };
}

/** The passages of a document, or of the documents in a folder (`docs/`), or the one with this id. */
export function findPassages(index: string, name: string): Passage[] {
  readManifest(index, undefined, true);
  const found: Passage[] = [];
  for (const [, passage] of allPassages(index))
    if (
      passage.source === name ||
      passage.id === name ||
      (name.endsWith('/') && passage.source.startsWith(name))
    )
      found.push(passage);
  return found;
}

function* allPassages(index: string): Generator<[ordinal: number, Passage]> {
  const passages = new Passages(join(index, 'passages.bin'));
  try {
    for (let ordinal = 0; ordinal < passages.count; ordinal++) yield [ordinal, passages.get(ordinal)];
  } finally {
    passages.close();
  }
}
