import { KEYS } from '../../format/lookup-file.ts';
import type { Passage } from '../../format/passage.ts';
import type { Surrounding } from '../store.ts';
import { placeKey } from './objects.ts';

/** A place near a passage. */
interface Place {
  /** Number of the passage. */
  of: number;
  position: number;
}

/**
 * Finds the passages around each of some passages. Looks up all places at the same time, and then reads all passages.
 * @param context passages on either side, at most
 * @param find returns the ordinals under a key
 * @param read returns passages by their ordinals
 */
export async function surroundings(
  passages: readonly Passage[],
  context: number,
  find: (key: string) => Promise<number[]>,
  read: (ordinals: readonly number[]) => Promise<Passage[]>,
): Promise<Surrounding[]> {
  const places = passages.flatMap(({ position }, of): Place[] =>
    Array.from({ length: 2 * context + 1 }, (_, i) => ({ of, position: position + i - context })).filter(
      (place) => place.position >= 0 && place.position !== position,
    ),
  );
  const ordinals = await Promise.all(places.map(({ of, position }) => find(keyOf(passages[of]!, position))));
  const wanted = [...new Set(ordinals.flat())];
  const texts = wanted.length > 0 ? await read(wanted) : [];
  const byOrdinal = new Map(wanted.map((ordinal, i) => [ordinal, texts[i]!]));
  const found: Surrounding[] = passages.map(() => ({ before: [], after: [] }));
  places.forEach(({ of, position }, i) => {
    const self = passages[of]!;
    const other = ordinals[i]!.map((ordinal) => byOrdinal.get(ordinal)!).find(
      (one) => one.source === self.source && one.position === position && recordOf(one) === recordOf(self),
    );
    if (other) found[of]![position < self.position ? 'before' : 'after'].push(other);
  });
  return found;
}

/** The key under which the passage at a position of the same document is found. */
function keyOf(passage: Passage, position: number): string {
  const record = recordOf(passage);
  return record === undefined ? placeKey(passage.source, position) : `${KEYS.id}${record}#${position + 1}`;
}

/**
 * The id of the record that a passage is a part of. Documents of several records share a source, so that a place is not unique. The ids of
 * their passages are the record's id and a number.
 */
function recordOf({ id, position }: Passage): string | undefined {
  const suffix = `#${position + 1}`;
  return id.endsWith(suffix) ? id.slice(0, -suffix.length) : undefined;
}
