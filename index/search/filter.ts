import { fieldKey } from '../format/lookup-file.ts';
import type { Lists, Selection } from '../store/store.ts';
import { type Filter, InvalidRequest } from './answer.ts';

/**
 * Selects the passages that match every field of a filter. Returns undefined for a filter without fields. Reads repeated values once.
 * @param filter with at most 32 fields
 * @param fields the fields that the index can be filtered on
 * @param size the bound of all ordinals
 * @throws InvalidRequest for a field that no passage has
 */
export async function matching(
  lists: Lists,
  filter: Filter,
  fields: readonly string[],
  size: number,
): Promise<Selection | undefined> {
  const wanted = Object.entries(filter);
  if (wanted.length === 0) return undefined;
  const keys = wanted.flatMap(([field, value], i) => {
    if (!fields.includes(field)) {
      const fix = `Filter on ${fields.join(', ')}.`;
      throw new InvalidRequest(
        `No passage has the field ${JSON.stringify(field)}. ${fix}`,
        `No passage has a field of the filter. ${fix}`,
      );
    }
    const values = Array.isArray(value) ? value : [value];
    return [...new Set(values.map((one) => fieldKey(field, one)))].map((key) => ({ key, bit: 1 << i }));
  });
  // A bit for each field that the passage matches. Lists may arrive in any order, and need not stay in memory.
  const matched = new Uint32Array(size);
  await Promise.all(
    keys.map(async ({ key, bit }) => {
      for (const ordinal of (await lists.list(key))?.ordinals ?? []) matched[ordinal]! |= bit;
    }),
  );
  const all = 2 ** wanted.length - 1;
  const ordinals: number[] = [];
  matched.forEach((bits, ordinal) => {
    if (bits === all) ordinals.push(ordinal);
  });
  return { filter, ordinals, has: (ordinal) => matched[ordinal] === all };
}
