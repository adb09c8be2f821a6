import { KEYS, type Lookup } from './lookup-file.ts';
import type { Manifest } from './manifest.ts';
import type { Counted, Overview, Suggestion } from './overview-types.ts';
import type { Passage } from './passage.ts';
import { isListOf, isShaped, isText, isWhole } from './shapes.ts';

/** Most sources in a list: a person still reads this many. */
const MOST_SOURCES = 50;

/** The JSON record in `lookup.bin`. The manifest has the languages. */
type OverviewRecord = Omit<Overview, 'languages'>;

const isOverviewRecord = isShaped({
  sources: isListOf(isShaped({ value: isText, passages: isWhole(0) })),
  suggestions: isListOf(isShaped({ text: isText, lang: isText })),
});

/** The record of an overview, by its key. */
export function overviewRecord(
  passages: readonly Passage[],
  suggestions: Suggestion[],
): Map<string, Uint8Array> {
  const record: OverviewRecord = { sources: listSources(passages.map(({ source }) => source)), suggestions };
  return new Map([[KEYS.overview, Buffer.from(JSON.stringify(record))]]);
}

/**
 * The overview of an open index.
 * @throws if its record is missing or damaged
 */
export function readOverview(lookup: Lookup, { languages }: Manifest): Overview {
  const record = parse(lookup.get(KEYS.overview));
  if (!isOverviewRecord(record)) throw lookup.damaged('the record of the overview is missing or invalid');
  return {
    languages: Object.entries(languages).map(([value, passages]) => ({ value, passages })),
    ...(record as OverviewRecord),
  };
}

function parse(bytes: Buffer | undefined): unknown {
  try {
    return JSON.parse(String(bytes));
  } catch {
    return undefined;
  }
}

/**
 * Documents with their passages, most first. Longer lists are shortened to folders (ending in `/`), at the greatest depth at which
 * all of them fit.
 * @param sources path of each passage's document
 */
function listSources(sources: readonly string[]): Counted[] {
  const paths = sources.map((source) => source.split('/'));
  const deepest = paths.reduce((most, { length }) => Math.max(most, length), 0);
  let listed = countAt(paths, 1);
  for (let depth = 2; depth <= deepest; depth++) {
    const deeper = countAt(paths, depth);
    // A single folder would not help a reader choose.
    if (deeper.size > MOST_SOURCES && listed.size > 1) break;
    listed = deeper;
  }
  return [...listed]
    .map(([value, passages]) => ({ value, passages }))
    .sort((a, b) => b.passages - a.passages || (a.value < b.value ? -1 : 1))
    .slice(0, MOST_SOURCES);
}

/** Passages under each path prefix of this many parts. */
function countAt(paths: readonly string[][], depth: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const parts of paths) {
    const path = parts.slice(0, depth).join('/') + (parts.length > depth ? '/' : '');
    counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  return counts;
}
