import { KEYS, type Lookup } from './lookup-file.ts';
import type { Manifest } from './manifest.ts';
import type { Counted, Overview, Suggestion } from './overview-types.ts';
import type { Passage } from './passage.ts';

/** How many sources are listed at most: what a person still reads through. */
const MOST_SOURCES = 50;

/** What `lookup.bin` keeps for the overview of an index, as JSON; its languages are in the manifest. */
type Kept = Omit<Overview, 'languages'>;

/** The record of an overview, by its key. */
export function overviewRecord(
  passages: readonly Passage[],
  suggestions: Suggestion[],
): Map<string, Uint8Array> {
  const kept: Kept = { sources: listSources(passages.map(({ source }) => source)), suggestions };
  return new Map([[KEYS.overview, Buffer.from(JSON.stringify(kept))]]);
}

/** The overview of an open index. One that was built before there were overviews has neither sources nor suggestions. */
export function readOverview(lookup: Lookup, { languages }: Manifest): Overview {
  const record = lookup.get(KEYS.overview);
  const kept: Kept = record ? JSON.parse(record.toString()) : { sources: [], suggestions: [] };
  return { languages: Object.entries(languages).map(([value, passages]) => ({ value, passages })), ...kept };
}

/**
 * Documents with their passages, most first. Where they are more than can be listed, folders (ending in `/`) stand for
 * what is in them, as deep as there is room for all of one depth.
 * @param sources path of each passage's document
 */
function listSources(sources: readonly string[]): Counted[] {
  const paths = sources.map((source) => source.split('/'));
  const deepest = paths.reduce((most, { length }) => Math.max(most, length), 0);
  let listed = countAt(paths, 1);
  for (let depth = 2; depth <= deepest; depth++) {
    const deeper = countAt(paths, depth);
    // One folder that holds everything is no choice.
    if (deeper.size > MOST_SOURCES && listed.size > 1) break;
    listed = deeper;
  }
  return [...listed]
    .map(([value, passages]) => ({ value, passages }))
    .sort((a, b) => b.passages - a.passages || (a.value < b.value ? -1 : 1))
    .slice(0, MOST_SOURCES);
}

/** Passages under each beginning of this many parts. */
function countAt(paths: readonly string[][], depth: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const parts of paths) {
    const path = parts.slice(0, depth).join('/') + (parts.length > depth ? '/' : '');
    counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  return counts;
}
