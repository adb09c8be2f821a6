import { KEYS } from '../format/lookup-file.ts';
import type { Passage } from '../format/passage.ts';
import type { Lists, Row, Selection } from '../store/store.ts';
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
export async function distinct(k: number, rank: (count: number) => Promise<Ranked[]>): Promise<Distinct[]> {
  for (let count = k; ; count *= 2) {
    const ranked = await rank(count);
    const found = firstOfGroups(k, ranked);
    if (found.length === k || ranked.length < count || count >= MOST_RANKED) return found;
  }
}

function firstOfGroups(k: number, ranked: Ranked[]): Distinct[] {
  const found: Distinct[] = [];
  const seen = new Set<number>();
  for (const one of ranked) {
    if (found.length === k) break;
    const passage = one.row.passage();
    const { group } = passage;
    if (group !== undefined) {
      if (seen.has(group)) continue;
      seen.add(group);
    }
    found.push({ ...one, passage });
  }
  return found;
}

/**
 * For each passage the others of its group, in the order of the index. Reads all of them in one step.
 * @param selection undefined without a filter
 */
export async function otherPlaces(
  passages: readonly { ordinal: number; passage: Passage }[],
  store: { lists: Lists; rows: (ordinals: readonly number[]) => Promise<Pick<Row, 'ordinal' | 'passage'>[]> },
  selection?: Selection,
): Promise<{ alsoIn?: OtherPlace[] }[]> {
  const others = await Promise.all(
    passages.map(async ({ ordinal, passage: { group } }) => {
      if (group === undefined) return [];
      const list = await store.lists.list(KEYS.duplicates + group);
      if (!list) throw store.lists.damaged(`the group ${group} of passages is missing`);
      const shown: number[] = [];
      for (const other of list.ordinals) {
        if (shown.length === MOST_LISTED) break;
        if (other !== ordinal && (selection?.has(other) ?? true)) shown.push(other);
      }
      return shown;
    }),
  );
  const wanted = [...new Set(others.flat())];
  const rows = new Map<number, Pick<Row, 'passage'>>();
  if (wanted.length > 0) for (const row of await store.rows(wanted)) rows.set(row.ordinal, row);
  return others.map((ordinals) => {
    if (ordinals.length === 0) return {};
    return {
      alsoIn: ordinals.map((other) => {
        const { id, title, source, url } = rows.get(other)!.passage();
        return { id, title, source, url };
      }),
    };
  });
}
