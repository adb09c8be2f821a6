import { join } from 'node:path';
import { readFolder } from '../format/drafts.ts';
import { readManifest } from '../format/manifest.ts';
import { countLanguages } from '../format/overview.ts';
import type { Passage } from '../format/passage.ts';
import { Passages } from '../format/passages-file.ts';
import { TIMEOUT } from '../search/current-search.ts';
import { isAddress, parseAddress } from '../store/s3vectors/address.ts';
import { NO_INDEX, type Store, Unavailable } from '../store/store.ts';

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
  /** Passages in each language, most first. `en-US` counts as `en` if both exist, as in an overview. */
  languages: Record<string, number>;
  sources: InspectedSource[];
  /** Passages with the same or nearly the same text as an earlier one. */
  duplicates: number;
  longest: PassageSummary[];
  shortest: PassageSummary[];
}

/**
 * Reads what an index contains. Changes nothing.
 * @param index folder or address of an index; a build may replace the folder meanwhile
 */
export function inspectIndex(index: string): Promise<Inspection> {
  return withIndex(index, inspect);
}

async function inspect({ manifest, passages }: Opened): Promise<Inspection> {
  const { version, model, counts, languages } = manifest;
  const sources = new Map<string, InspectedSource>();
  const byLanguage = new Map<string, Record<string, number>>();
  const summaries: PassageSummary[] = [];
  const groups = new Set<number>();
  let duplicates = 0;
  for await (const { id, source, title, text, lang, group } of passages) {
    const found = sources.get(source) ?? { source, passages: 0, characters: 0, languages: [] };
    sources.set(source, found);
    found.passages++;
    found.characters += text.length;
    const counted = byLanguage.get(source) ?? {};
    byLanguage.set(source, counted);
    counted[lang] = (counted[lang] ?? 0) + 1;
    if (group !== undefined) {
      if (groups.has(group)) duplicates++;
      groups.add(group);
    }
    summaries.push({ id, source, title, characters: text.length });
  }
  for (const [source, counted] of byLanguage)
    sources.get(source)!.languages = Object.keys(countLanguages(counted));
  const byLength = summaries.sort((a, b) => b.characters - a.characters || (a.id < b.id ? -1 : 1));
  return {
    version,
    model: model.name,
    counts,
    languages: countLanguages(languages),
    sources: [...sources.values()],
    duplicates,
    longest: byLength.slice(0, LISTED),
    shortest: byLength.slice(-LISTED).reverse(),
  };
}

/** The passages of a document, or of the documents in a folder (`docs/`), or the one with this id. */
export function findPassages(index: string, name: string): Promise<Passage[]> {
  return withIndex(index, async ({ passages }) => {
    const found: Passage[] = [];
    for await (const passage of passages)
      if (
        passage.source === name ||
        passage.id === name ||
        (name.endsWith('/') && passage.source.startsWith(name))
      )
        found.push(passage);
    return found;
  });
}

/** The manifest of an index, and its passages in their order. */
interface Opened {
  manifest: Store['manifest'];
  passages: AsyncIterable<Passage> | Iterable<Passage>;
}

/** Opens an index, and closes it after its use. */
async function withIndex<T>(index: string, use: (opened: Opened) => Promise<T>): Promise<T> {
  if (isAddress(index)) return withAddress(index, use);
  const { manifest, passages } = await readFolder(
    index,
    (folder) => ({
      manifest: readManifest(folder, undefined, true),
      passages: new Passages(join(folder, 'passages.bin')),
    }),
    ({ passages }) => passages.close(),
  );
  try {
    return await use({ manifest, passages: allOf(passages) });
  } finally {
    passages.close();
  }
}

async function withAddress<T>(address: string, use: (opened: Opened) => Promise<T>): Promise<T> {
  // Loaded on demand: folders need no code of AWS.
  const { Generations } = await import('../store/s3vectors/generations.ts');
  const generations = new Generations(parseAddress(address), TIMEOUT);
  try {
    const generation = await generations.current();
    if (generation === undefined) throw new Unavailable(NO_INDEX);
    const store = await generations.open(generation);
    return await use({ manifest: store.manifest, passages: store.passages() });
  } finally {
    generations.close();
  }
}

function* allOf(passages: Passages): Generator<Passage> {
  for (let ordinal = 0; ordinal < passages.count; ordinal++) yield passages.get(ordinal);
}
