import type { Lookup } from '../format/lookup-file.ts';
import type { Passage } from '../format/passage.ts';
import type { Passages } from '../format/passages-file.ts';
import type { OtherPlace } from './answer.ts';
import type { Ranked } from './rank.ts';

/** Other places listed for a text. */
const MOST_LISTED = 10;
/** Passages ranked at most. It bounds the time of a search whose best passages all have the same text. */
const MOST_RANKED = 1000;

/** A ranked passage, the best of its group. */
export interface Distinct extends Ranked {
  passage: Passage;
}

/**
 * Returns the k best passages with different texts: of each group only its best passage. Ranks more than k passages only if the first k
 * contain duplicates.
 * @param rank returns the given number of best passages, best first
 */
export async function distinct(
  k: number,
  rank: (count: number) => Promise<Ranked[]>,
  passages: Passages,
  lookup: Lookup,
): Promise<Distinct[]> {
  for (let count = k; ; count *= 2) {
    const ranked = await rank(count);
    const found = firstOfGroups(k, ranked, passages, lookup);
    if (found.length === k || ranked.length < count || count >= MOST_RANKED) return found;
  }
}

function firstOfGroups(k: number, ranked: Ranked[], passages: Passages, lookup: Lookup): Distinct[] {
  const found: Distinct[] = [];
  const hidden = new Set<number>();
  for (const one of ranked) {
    if (found.length === k) break;
    if (hidden.has(one.ordinal)) continue;
    const passage = passages.get(one.ordinal);
    found.push({ ...one, passage });
    if (passage.group !== undefined) for (const other of lookup.duplicates(passage.group)) hidden.add(other);
  }
  return found;
}

/**
 * The other passages of a passage's group, in the order of the index.
 * @param allowed ordinals that match the filter, ascending; undefined without a filter
 */
export function otherPlaces(
  ordinal: number,
  { group }: Passage,
  passages: Passages,
  lookup: Lookup,
  allowed?: readonly number[],
): { alsoIn?: OtherPlace[] } {
  if (group === undefined) return {};
  const alsoIn: OtherPlace[] = [];
  // Both lists ascend.
  let at = 0;
  for (const other of lookup.duplicates(group)) {
    if (alsoIn.length === MOST_LISTED) break;
    while (allowed && allowed[at]! < other) at++;
    if (other === ordinal || (allowed && allowed[at] !== other)) continue;
    const { id, title, source, url } = passages.get(other);
    alsoIn.push({ id, title, source, url });
  }
  return alsoIn.length > 0 ? { alsoIn } : {};
}
