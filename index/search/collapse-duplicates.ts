import { KEYS } from '../format/lookup-file.ts';
import type { Passage } from '../format/passage.ts';
import type { Lists, Row, Selection } from '../store/store.ts';
import type { OtherPlace } from './answer.ts';
import type { Ranked } from './rank.ts';

/** Other places listed for a text. */
const MOST_LISTED = 10;
/** If so many ranked passages have too few texts, copies of the texts found are left out of the next ranking. */
const MANY_RANKED = 1000;
/** Rankings without copies at most. It bounds the time of a search in an index of a few texts with many copies each. */
const MOST_ROUNDS = 20;

/** A ranked passage, the best of its group. */
export interface Distinct extends Ranked {
  passage: Passage;
}

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
): Promise<Distinct[]> {
  for (let count = k, rounds = 0; ; ) {
    const ranked = await rank(count);
    const found = firstOfGroups(k, ranked);
    if (found.length === k || ranked.length < count || rounds === MOST_ROUNDS) return found;
    if (rounds === 0 && count < MANY_RANKED) {
      count *= 2;
    } else {
      const copies = await Promise.all(
        found.map((one) => othersOfGroup(one.row.ordinal, one.passage, lists)),
      );
      leaveOut(copies.flat());
      count = 2 * k;
      rounds++;
    }
  }
}

/** The other passages of a passage's group, ascending. */
async function othersOfGroup(ordinal: number, { group }: Passage, lists: Lists): Promise<number[]> {
  if (group === undefined) return [];
  const list = await lists.list(KEYS.duplicates + group);
  if (!list) throw lists.damaged(`the group ${group} of passages is missing`);
  return [...list.ordinals].filter((other) => other !== ordinal);
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
    passages.map(async ({ ordinal, passage }) => {
      const all = await othersOfGroup(ordinal, passage, store.lists);
      return all.filter((other) => selection?.has(other) ?? true).slice(0, MOST_LISTED);
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
