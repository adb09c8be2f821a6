import { parseJson } from '../kit/json.ts';
import { KEYS, type Lookup } from './lookup-file.ts';
import type { Manifest } from './manifest.ts';
import type { CountedSource, Overview, Suggestion } from './overview-types.ts';
import { isListOf, isOptional, isShaped, isText, isWhole } from './shapes.ts';

/** Most sources in a list: a person still reads this many. */
const MOST_SOURCES = 50;

/** The JSON record in `lookup.bin`. The manifest has the rest. */
type OverviewRecord = Pick<Overview, 'sources' | 'suggestions'>;

/** What the manifest says of an index's contents. */
type Contents = Pick<Manifest, 'counts' | 'languages'>;

const isOverviewRecord = isShaped({
  sources: isListOf(isShaped({ value: isText, passages: isWhole(0), title: isOptional(isText) })),
  suggestions: isListOf(isShaped({ text: isText, lang: isText })),
});

/** What is known of a document. */
export interface SourceSummary {
  passages: number;
  /** Missing if its passages have no title in common, such as those of records. */
  title?: string | undefined;
}

/** @param sources the documents by their paths */
export function overviewRecord(
  sources: ReadonlyMap<string, SourceSummary>,
  suggestions: Suggestion[],
): Uint8Array {
  return Buffer.from(JSON.stringify({ sources: listSources(sources), suggestions } satisfies OverviewRecord));
}

/**
 * The overview of an open index.
 * @throws if its record is missing or damaged
 */
export function readOverview(lookup: Lookup, manifest: Contents): Overview {
  const overview = parseOverview(lookup.get(KEYS.overview), manifest);
  if (!overview) throw lookup.damaged('the record of the overview is missing or invalid');
  return overview;
}

/** The overview of a record, or undefined if the record is invalid. */
export function parseOverview(
  record: Buffer | undefined,
  { counts, languages }: Contents,
): Overview | undefined {
  const parsed = parseJson(record);
  if (!isOverviewRecord(parsed)) return undefined;
  return {
    documents: counts.documents,
    languages: Object.entries(countLanguages(languages)).map(([value, passages]) => ({ value, passages })),
    ...(parsed as OverviewRecord),
  };
}

/** The text before each separator: `a` and `a/b` for `a/b/c`. */
export function prefixes(text: string, separator: string): string[] {
  const parts = text.split(separator);
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join(separator));
}

/** Passages in each language, most first. As a filter on `en` includes `en-US`, both count as `en` if both exist. */
export function countLanguages(languages: Manifest['languages']): Manifest['languages'] {
  const counts = new Map<string, number>();
  for (const [tag, passages] of Object.entries(languages)) {
    const widest = prefixes(tag, '-').find((prefix) => languages[prefix] !== undefined) ?? tag;
    counts.set(widest, (counts.get(widest) ?? 0) + passages);
  }
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}

/**
 * Documents with their passages, most first. Longer lists are shortened to folders (ending in `/`), at the greatest depth at which
 * all of them fit.
 */
function listSources(sources: ReadonlyMap<string, SourceSummary>): CountedSource[] {
  let listed = countAt(sources, 1);
  for (let depth = 2; ; depth++) {
    const deeper = countAt(sources, depth);
    if (!deeper) break;
    // A single folder would not help a reader choose.
    if (deeper.size > MOST_SOURCES && listed!.size > 1) break;
    listed = deeper;
  }
  const shown = [...listed!]
    .map(([value, passages]) => ({ value, passages }))
    .sort((a, b) => b.passages - a.passages || (a.value < b.value ? -1 : 1))
    .slice(0, MOST_SOURCES);
  const titles = shown.map(({ value }) => sources.get(value)?.title);
  return shown.map((one, i) => {
    const title = titles[i];
    const isUnique = titles.indexOf(title) === titles.lastIndexOf(title);
    return { ...one, ...(title !== undefined && isUnique && { title }) };
  });
}

/** Passages under each path prefix of this many parts. Undefined if no path has so many. */
function countAt(
  sources: ReadonlyMap<string, SourceSummary>,
  depth: number,
): Map<string, number> | undefined {
  const counts = new Map<string, number>();
  let deepest = 1;
  for (const [source, { passages }] of sources) {
    const parts = source.split('/');
    deepest = Math.max(deepest, parts.length);
    const path = parts.slice(0, depth).join('/') + (parts.length > depth ? '/' : '');
    counts.set(path, (counts.get(path) ?? 0) + passages);
  }
  return depth <= deepest ? counts : undefined;
}
