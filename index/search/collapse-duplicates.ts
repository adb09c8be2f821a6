import { KEYS } from '../format/lookup-file.ts';
import type { Lists, Row, Selection } from '../store/store.ts';
import type { OtherPlace } from './answer.ts';
import type { Ranked } from './rank.ts';

/** Other places listed for a text. */
const MOST_LISTED = 10;
/** If so many ranked passages have too few texts, copies of the texts found are left out of the next ranking. */
const MANY_RANKED = 1000;
/** Rankings without copies at most. It bounds the time of a search in an index of a few texts with many copies each. */
const MOST_ROUNDS = 20;

/**
 * Returns the k best passages with different texts: of each group only its best passage. Ranks more than k passages only if the first k
 * contain duplicates.
 * @param rank returns the given number of best passages, best first
 * @param leaveOut removes passages from the next ranking
 */
export async function distinct(
  k: number,
  lists: Lists,
  rank: (count: number) => Promise<Ranked[]>,
  leaveOut: (ordinals: readonly number[]) => void,
): Promise<Ranked[]> {
  for (let count = k, rounds = 0; ; ) {
    const ranked = await rank(count);
    const found = firstOfGroups(k, ranked);
    if (found.length === k || ranked.length < count || rounds === MOST_ROUNDS) return found;
    if (rounds === 0 && count < MANY_RANKED) {
      count *= 2;
    } else {
      const copies = await Promise.all(found.map(({ row }) => othersOfGroup(row, lists)));
      leaveOut(copies.flat());
      count = 2 * k;
      rounds++;
    }
  }
}

/** A passage in the index. */
type Placed = Pick<Row, 'ordinal' | 'passage'>;

/** The other passages of a passage's group, ascending. */
async function othersOfGroup(placed: Placed, lists: Lists): Promise<number[]> {
  const { group } = placed.passage();
  if (group === undefined) return [];
  const list = await lists.list(KEYS.duplicates + group);
  if (!list) throw lists.damaged(`the group ${group} of passages is missing`);
  return [...list.ordinals].filter((other) => other !== placed.ordinal);
}

function firstOfGroups(k: number, ranked: Ranked[]): Ranked[] {
  const found: Ranked[] = [];
  const seen = new Set<number>();
  for (const one of ranked) {
    if (found.length === k) break;
    const { group } = one.row.passage();
    if (group !== undefined) {
      if (seen.has(group)) continue;
      seen.add(group);
    }
    found.push(one);
  }
  return found;
}

/**
 * For each passage the others of its group, in the order of the index; nothing if none has a group. Reads all of them in one step.
 * @param selection undefined without a filter
 */
export async function otherPlaces(
  passages: readonly Placed[],
  store: { lists: Lists; rows: (ordinals: readonly number[]) => Promise<Placed[]> },
  selection?: Selection,
): Promise<{ alsoIn?: OtherPlace[] }[]> {
  if (passages.every((one) => one.passage().group === undefined)) return [];
  const others = await Promise.all(
    passages.map(async (one) => {
      const all = await othersOfGroup(one, store.lists);
      return all.filter((other) => selection?.has(other) ?? true).slice(0, MOST_LISTED);
    }),
  );
  const wanted = [...new Set(others.flat())];
  const rows = new Map<number, Placed>();
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
